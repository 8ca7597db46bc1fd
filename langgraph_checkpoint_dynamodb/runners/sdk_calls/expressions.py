"""Keys and expressions as DynamoDB takes them.

Every attribute name in an expression is an alias (`#n`), every value a placeholder: some names are
reserved words, and user input must never become part of an expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.tables import SPECS, Key, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def typed_key(table: Table, key: Key) -> dict[str, AttributeValueTypeDef]:
    """The key attributes of an item, with their types."""
    spec = SPECS[table]
    return {spec.partition_key: {"S": key.partition}, spec.sort_key: {"S": key.sort}}


class Expression:
    """Names and values of an expression, each by a placeholder."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, name: str) -> str:
        """The alias of an attribute."""
        for alias, known in self.names.items():
            if known == name:
                return alias
        alias = f"#{len(self.names)}"
        self.names[alias] = name
        return alias

    def value(self, value: Any) -> str:
        """The placeholder of a value."""
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = value
        return placeholder
