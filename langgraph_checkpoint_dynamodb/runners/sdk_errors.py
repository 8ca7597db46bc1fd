"""Translates errors of the SDK to replies or to errors of this package."""

from __future__ import annotations

from traceback import walk_tb
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ChecksumError, ClientError, FlexibleChecksumError

from langgraph_checkpoint_dynamodb import errors
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.items import (
    DeleteIfOld,
    DeleteUnchanged,
    ExtendTtl,
    PutItem,
)
from langgraph_checkpoint_dynamodb.requests.objects import CopyObject, GetObject
from langgraph_checkpoint_dynamodb.requests.tables import DescribeTable, EnableTimeToLive
from langgraph_checkpoint_dynamodb.runners.replies import WrongReplyError, require_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from botocore.client import ClientMeta

    from langgraph_checkpoint_dynamodb.requests.operations import Request
    from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall

_NO_SUCH_OBJECT = ("NoSuchKey", "404")


class SdkErrors:
    """Reads the errors of calls on the tables of one saver, store or cache.

    Args:
        table_names: Names of the tables.
        transport_errors: What the SDK raises, besides its own errors, if no response arrives.
    """

    def __init__(
        self, table_names: Mapping[Table, str], transport_errors: tuple[type[Exception], ...]
    ) -> None:
        self._names = table_names
        self._transport_errors = transport_errors

    def read(
        self, request: Request[Any], call: SdkCall, error: Exception, meta: ClientMeta
    ) -> object:
        """The reply that an SDK error represents, if any.

        Args:
            request: The request.
            call: The SDK call of the request.
            error: What the SDK raised.
            meta: The client's region and endpoint.

        Raises:
            ServiceError: In every other case; its cause is the SDK's error.
            Exception: The error itself, if it is not about the service's response.
        """
        if not isinstance(error, ClientError):
            self._raise_unanswered(call, error)
        code = error.response["Error"]["Code"]
        match request:
            case GetObject() | CopyObject() if code in _NO_SUCH_OBJECT:
                return None if isinstance(request, GetObject) else False
            case ExtendTtl() | DeleteIfOld() | DeleteUnchanged() if (
                code == "ConditionalCheckFailedException"
            ):
                return False
            case EnableTimeToLive() if code == "ValidationException":
                code = "ResourceInUseException"
        if code == "ResourceNotFoundException":
            if isinstance(request, DescribeTable):
                return None
            ours = Table.FOREIGN not in self._names
            create = "create it with setup() or the infrastructure modules, or " if ours else ""
            raise errors.TableNotFoundError(
                call.table_name or " or ".join(map(repr, self._names.values())),
                f"does not exist in this account in region {meta.region_name!r}, at "
                f"{_shown(meta.endpoint_url)}; {create}correct the name, region_name or "
                "endpoint_url",
            ) from error
        if code == "ConditionalCheckFailedException":
            raise _condition_failed(request, call, error) from error
        raise _service_error(call, code, error) from error

    def _raise_unanswered(self, call: SdkCall, error: Exception) -> NoReturn:
        """Raise the error of this package for an SDK error without a response of the service."""
        said = {
            "code": type(error).__name__,
            "operation": call.action,
            "table_name": call.table_name,
        }
        if isinstance(error, _DAMAGED) or _comes_from_a_parser(error):
            problem = f"the SDK cannot read it ({error})"
            raise errors.ReplyError(**said, problem=problem) from error
        if isinstance(error, (BotoCoreError, *self._transport_errors)):
            raise errors.TransportError(**said, message=str(error)) from error
        raise error


def _shown(endpoint: str) -> str:
    """An endpoint without other parts of a URL, such as credentials."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _comes_from_a_parser(error: Exception) -> bool:
    """Whether the SDK failed to parse a response. It may raise any error then."""
    frames = walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") in _PARSERS for frame, _ in frames)


_DAMAGED = (ChecksumError, FlexibleChecksumError)
_PARSERS = ("botocore.parsers", "aiobotocore.parsers")


def wrong_reply(call: SdkCall, error: WrongReplyError) -> errors.ReplyError:
    """The error for a response that does not belong to its request."""
    return errors.ReplyError(
        code="WrongReply", operation=call.action, table_name=call.table_name, problem=str(error)
    )


def _condition_failed(
    request: Request[Any], call: SdkCall, error: ClientError
) -> errors.DynamoDBSaverError:
    found: Any = error.response.get("Item")
    if isinstance(request, PutItem):
        try:
            require_key(request.put.table, request.put.key, found)
        except WrongReplyError as wrong:
            return wrong_reply(call, wrong)
    return errors.ConditionFailedError(**_said(call, error), item=found)


def _said(call: SdkCall, error: ClientError) -> dict[str, Any]:
    """The fields of every service error."""
    said = error.response["Error"]
    return {
        "code": said["Code"],
        "operation": call.action,
        "table_name": call.table_name,
        "message": said.get("Message", ""),
    }


def _service_error(call: SdkCall, code: str, error: ClientError) -> errors.DynamoDBSaverError:
    said = {**_said(call, error), "code": code}
    message = said["message"]
    if code == "TransactionCanceledException":
        reasons: Sequence[Any] = error.response.get("CancellationReasons", [])
        for reason in reasons:
            if _names_a_key(reason.get("Message", "")):
                return _mismatch(call, reason["Message"])
        return errors.TransactionCanceledError(
            **said, reasons=[reason.get("Code", "None") for reason in reasons]
        )
    if code in ("ResourceInUseException", "LimitExceededException"):
        return errors.TableInUseError(**said)
    if code == "ValidationException" and _names_a_key(message):
        return _mismatch(call, message)
    return errors.ServiceError(**said)


def _mismatch(call: SdkCall, message: str) -> errors.TableMismatchError:
    return errors.TableMismatchError(
        call.table_name, f"does not have the keys that are needed here ({message}); see setup()"
    )


def _names_a_key(message: str) -> bool:
    """Whether an error is about the table's keys or index. The wording is the service's."""
    return (
        "does not match the schema" in message
        or "Missing the key" in message
        or "missed key schema element" in message
        or "does not have the specified index" in message
    )
