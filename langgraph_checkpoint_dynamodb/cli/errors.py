"""Errors of the command line, and the one-line message that a command prints for an error."""

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
"""Errors that are printed in one line. Any other error is a bug and keeps its traceback."""

NOTHING_CHANGED = "Nothing was changed."
RERUN_TO_CONTINUE = "The same command goes on from there."

_SIGN_IN = "sign in anew (aws sso login), or choose another --profile"
_BUSY = "the table is busy; repeat the command"
_NO_CREDENTIALS = "choose a --profile, or sign in"
_CHECK_ENDPOINT = "look at --region and --endpoint-url, then repeat the command"
_ADVICE_BY_CODE = {
    "AccessDeniedException": "`langgraph-dynamodb doctor` says which actions this identity lacks",
    "UnrecognizedClientException": _SIGN_IN,
    "InvalidSignatureException": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "ExpiredToken": _SIGN_IN,
    "NoCredentialsError": _NO_CREDENTIALS,
    "ProvisionedThroughputExceededException": _BUSY,
    "ThrottlingException": _BUSY,
}
"""Advice by the `code` of a `ServiceError`: an error code of AWS or the name of an SDK error."""


class UsageError(DynamoDBSaverError):
    """The arguments of a command do not fit together, or do not fit the tables."""


class StoppedError(Exception):
    """The user pressed Ctrl-C.

    Args:
        next_step: The sentence that tells the user how to continue.
    """

    def __init__(self, next_step: str) -> None:
        super().__init__(next_step)
        self.next_step = next_step


def explain(error: BaseException) -> str:
    """Return the one-line message for an error, with what to do about it."""
    message = " ".join(_message(error).split()).rstrip(".")
    advice = _advice(error)
    return f"{message}; {advice}" if advice else message


def _message(error: BaseException) -> str:
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
        case ServiceError(code=code) if code in _ADVICE_BY_CODE:
            return _ADVICE_BY_CODE[code]
        case TransportError():
            return _CHECK_ENDPOINT
        case UnreadableItemError() if "cannot be loaded by" in str(error):
            return "pass the serializer of the graph's saver: --serde MODULE:NAME"
        case NoCredentialsError() | PartialCredentialsError():
            return _NO_CREDENTIALS
        case NoRegionError():
            return "pass --region, or set AWS_DEFAULT_REGION"
        case ProfileNotFound():
            return "`aws configure list-profiles` lists the profiles"
        case ClientError():
            return _ADVICE_BY_CODE.get(error.response.get("Error", {}).get("Code", ""), "")
        case BotoCoreError():
            return _CHECK_ENDPOINT
    return ""
