"""Translates requests to SDK calls, and responses and errors to replies. Shared by all runners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.requests.items import ItemRead, ItemWrite
from langgraph_checkpoint_dynamodb.requests.objects import ObjectRequest
from langgraph_checkpoint_dynamodb.requests.tables import TableRequest
from langgraph_checkpoint_dynamodb.runners.replies import Replies, WrongReplyError
from langgraph_checkpoint_dynamodb.runners.sdk_calls.objects import object_call
from langgraph_checkpoint_dynamodb.runners.sdk_calls.reads import read_call
from langgraph_checkpoint_dynamodb.runners.sdk_calls.tables import table_call
from langgraph_checkpoint_dynamodb.runners.sdk_calls.writes import write_call
from langgraph_checkpoint_dynamodb.runners.sdk_errors import SdkErrors, wrong_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.client import ClientMeta

    from langgraph_checkpoint_dynamodb.requests.operations import Request
    from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall, TableNames


class Wire:
    """Translates for the tables of one saver, store or cache.

    Args:
        table_names: Names of the tables.
        transport_errors: What the SDK raises, besides its own errors, if no response arrives.
    """

    def __init__(
        self, table_names: TableNames, transport_errors: tuple[type[Exception], ...] = ()
    ) -> None:
        self._names = table_names
        self._replies = Replies(table_names)
        self._errors = SdkErrors(table_names, transport_errors)

    def call(self, request: Request[Any]) -> SdkCall:
        """The SDK call of a request."""
        if isinstance(request, ItemRead):
            return read_call(self._names, request)
        if isinstance(request, ItemWrite):
            return write_call(self._names, request)
        if isinstance(request, ObjectRequest):
            return object_call(request)
        if isinstance(request, TableRequest):
            return table_call(self._names, request)
        raise AssertionError(f"no call for {type(request).__name__}")

    def reply(self, request: Request[Any], call: SdkCall, response: Mapping[str, Any]) -> object:
        """The reply to a request, from the SDK's response.

        Raises:
            ReplyError: The response cannot be one to this request.
        """
        try:
            return self._replies.read(request, response)
        except WrongReplyError as error:
            raise wrong_reply(call, error) from error

    def error(
        self, request: Request[Any], call: SdkCall, error: Exception, meta: ClientMeta
    ) -> object:
        """The reply that an SDK error represents, if any. See `SdkErrors.read`."""
        return self._errors.read(request, call, error, meta)
