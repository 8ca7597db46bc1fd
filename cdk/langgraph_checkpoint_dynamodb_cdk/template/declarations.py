"""Building blocks of a template: parameters, conditions and rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import Value, ref

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a template.

    Attributes:
        name: Its name.
        group: Its group in the console.
        description: Its description in the console.
        default: Its default, `None` for a required parameter. A number makes it a parameter of the
            type `Number`. An empty string and 0 stand for `None` in the construct.
        values: Its allowed values, empty for any.
        pattern: Regular expression of its values that are not empty.
        expected: The pattern in words, for the error message.
        max_length: Maximum length in characters.
        max_value: Maximum of a number.
    """

    name: str
    group: str
    description: str
    default: str | int | None = ""
    values: tuple[str, ...] = ()
    pattern: str | None = None
    expected: str | None = None
    max_length: int | None = None
    max_value: int | None = None

    @property
    def is_number(self) -> bool:
        """Whether its type is `Number`."""
        return isinstance(self.default, int)

    @property
    def definition(self) -> dict[str, Any]:
        """Its declaration in the template."""
        declared = {
            "Type": "Number" if self.is_number else "String",
            "Default": self.default,
            "MinValue": 0 if self.is_number else None,
            "MaxValue": self.max_value,
            "AllowedValues": list(self.values) or None,
            "AllowedPattern": self._allowed_pattern,
            "MaxLength": self.max_length,
            "ConstraintDescription": self.expected,
            "Description": self.description,
        }
        return {name: value for name, value in declared.items() if value is not None}

    @property
    def _allowed_pattern(self) -> str | None:
        if self.pattern is None:
            return None
        return f"^(?:{self.pattern})?$" if self.default == "" else f"^(?:{self.pattern})$"


BOOLEAN = ("true", "false")
"""Allowed values of a boolean parameter."""


def equals(name: str, value: str | Value) -> Value:
    """Make a condition: a parameter equals a value."""
    return {"Fn::Equals": [ref(name), value]}


def is_set(parameter: Parameter) -> Value:
    """Make a condition: a parameter is neither empty nor 0."""
    return fn_not(equals(parameter.name, "0" if parameter.is_number else ""))


def fn_not(condition: Value) -> Value:
    """Make a condition: another one does not hold."""
    return {"Fn::Not": [condition]}


def condition_ref(name: str) -> Value:
    """Refer to a condition of the template in another condition."""
    return {"Condition": name}


def fn_and(*conditions: Value) -> Value:
    """Make a condition: all others hold."""
    return {"Fn::And": list(conditions)}


def rule(assertion: Value, message: str, *, when: Value = None) -> Value:
    """Make a rule of the template.

    Args:
        assertion: The condition that must hold.
        message: The error message if it does not.
        when: The condition under which the rule applies; `None` for always.
    """
    made = {"Assertions": [{"Assert": assertion, "AssertDescription": message}]}
    return made if when is None else {"RuleCondition": when, **made}


def interface(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Make the metadata with the groups of the parameters in the console."""
    groups = dict.fromkeys(parameter.group for parameter in parameters)
    return {
        "AWS::CloudFormation::Interface": {
            "ParameterGroups": [
                {
                    "Label": {"default": group},
                    "Parameters": [
                        parameter.name for parameter in parameters if parameter.group == group
                    ],
                }
                for group in groups
            ]
        }
    }
