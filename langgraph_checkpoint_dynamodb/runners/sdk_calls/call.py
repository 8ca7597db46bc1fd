"""A call of an SDK client, and the translation of requests to calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore import xform_name

from langgraph_checkpoint_dynamodb.format.tables import Table

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.runners.client import Service
    from langgraph_checkpoint_dynamodb.runners.observed import CallRecord

TableNames: TypeAlias = Mapping[Table, str]


@dataclass(frozen=True, slots=True)
class SdkCall:
    """A call of an SDK client.

    Attributes:
        action: Name of the API action.
        arguments: Its keyword arguments, a `...InputTypeDef` of the stubs.
        table_name: The table, empty if there are several or none.
        service: Which client.
        record: The record of the call, if it is observed.
    """

    action: str
    arguments: Mapping[str, Any]
    table_name: str = ""
    service: Service = "dynamodb"
    record: CallRecord | None = None

    @classmethod
    def on_table(cls, action: str, arguments: Mapping[str, Any]) -> SdkCall:
        """A call whose arguments name one table."""
        return cls(action, arguments, arguments["TableName"])

    @property
    def method(self) -> str:
        """Name of the client's method."""
        name: str = xform_name(self.action)
        return name
