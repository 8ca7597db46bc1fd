"""What is said when a command cannot go on: one line, with what to do."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from langgraph_checkpoint_dynamodb.errors import (
    DynamoDBSaverError,
    ServiceError,
    TableMismatchError,
    TableNotFoundError,
    TransportError,
    UnreadableItemError,
)

EXPECTED = (DynamoDBSaverError, BotoCoreError, ClientError, OSError)
"""What is told in one line. Anything else is a mistake of this program, and shown whole."""

_SIGN_IN = "sign in anew (aws sso login), or choose another --profile"
_BY_CODE = {
    "AccessDeniedException": "`langgraph-dynamodb doctor` says which actions this identity lacks",
    "UnrecognizedClientException": _SIGN_IN,
    "InvalidSignatureException": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "ExpiredToken": _SIGN_IN,
    "NoCredentialsError": "choose a --profile, or sign in",
    "ProvisionedThroughputExceededException": "the table is busy; repeat the command",
    "ThrottlingException": "the table is busy; repeat the command",
}
_REACH = "look at --region and --endpoint-url, then repeat the command"


class UsageError(DynamoDBSaverError):
    """What the user has asked for cannot be done like that."""


class StoppedError(Exception):
    """Ctrl-C, with how to go on.

    Args:
        how: The sentence.
    """

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


def explain(error: BaseException) -> str:
    """An error in one line, with what to do."""
    said = " ".join(_text(error).split()).rstrip(".")
    advice = _advice(error)
    return f"{said}; {advice}" if advice else said


def _text(error: BaseException) -> str:
    if isinstance(error, TableNotFoundError):
        return f"table {error.table_name!r} does not exist in this account, region and endpoint"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _advice(error: BaseException) -> str:
    match error:
        case TableNotFoundError():
            return (
                "`langgraph-dynamodb setup` creates it; or correct the name, --region or "
                "--endpoint-url"
            )
        case TableMismatchError():
            return "`langgraph-dynamodb doctor` says what is wrong"
        case ServiceError(code=code) if code in _BY_CODE:
            return _BY_CODE[code]
        case TransportError():
            return _REACH
        case UnreadableItemError() if "cannot be loaded by" in str(error):
            return "pass the serializer of the graph's saver: --serde MODULE:NAME"
        case NoCredentialsError() | PartialCredentialsError():
            return _BY_CODE["NoCredentialsError"]
        case NoRegionError():
            return "pass --region, or set AWS_DEFAULT_REGION"
        case ProfileNotFound():
            return "aws configure list-profiles names those there are"
        case ClientError():
            return _BY_CODE.get(error.response.get("Error", {}).get("Code", ""), "")
        case BotoCoreError():
            return _REACH
    return ""
