"""What a template declares: parameters, conditions on them, and rules they keep."""

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
        group: Under which heading the console shows it.
        description: What it is for.
        default: Its value if none is given, `None` for one that must be given. A number makes it a
            parameter of numbers; an empty text and 0 stand for what the construct calls `None`.
        values: The values it may have, where it has few.
        pattern: What a value looks like that is not empty.
        expected: The same in words, for the error.
        longest: Most characters.
        most: The greatest number.
    """

    name: str
    group: str
    description: str
    default: str | int | None = ""
    values: tuple[str, ...] = ()
    pattern: str | None = None
    expected: str | None = None
    longest: int | None = None
    most: int | None = None

    @property
    def is_number(self) -> bool:
        """Whether it is a parameter of numbers."""
        return isinstance(self.default, int)

    @property
    def definition(self) -> dict[str, Any]:
        """It as the template declares it."""
        declared = {
            "Type": "Number" if self.is_number else "String",
            "Default": self.default,
            "MinValue": 0 if self.is_number else None,
            "MaxValue": self.most,
            "AllowedValues": list(self.values) or None,
            "AllowedPattern": self._allowed,
            "MaxLength": self.longest,
            "ConstraintDescription": self.expected,
            "Description": self.description,
        }
        return {name: value for name, value in declared.items() if value is not None}

    @property
    def _allowed(self) -> str | None:
        if self.pattern is None:
            return None
        return f"^(?:{self.pattern})?$" if self.default == "" else f"^(?:{self.pattern})$"


BOOLEAN = ("true", "false")
"""The values of a parameter that is true or false."""


def equals(name: str, value: str | Value) -> Value:
    """Whether a parameter has a value."""
    return {"Fn::Equals": [ref(name), value]}


def given(parameter: Parameter) -> Value:
    """Whether a parameter has another value than the one that stands for none."""
    return negated(equals(parameter.name, "0" if parameter.is_number else ""))


def negated(condition: Value) -> Value:
    """The opposite of a condition."""
    return {"Fn::Not": [condition]}


def named(condition: str) -> Value:
    """A condition of the template, in another one."""
    return {"Condition": condition}


def all_of(*conditions: Value) -> Value:
    """Whether all of some conditions hold."""
    return {"Fn::And": list(conditions)}


def rule(assertion: Value, said: str, *, where: Value = None) -> Value:
    """A rule that parameters keep.

    Args:
        assertion: What must hold.
        said: What is said where it does not.
        where: Where it must hold; `None` for always.
    """
    made = {"Assertions": [{"Assert": assertion, "AssertDescription": said}]}
    return made if where is None else {"RuleCondition": where, **made}


def interface(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """How the console groups the parameters."""
    groups = dict.fromkeys(parameter.group for parameter in parameters)
    return {
        "AWS::CloudFormation::Interface": {
            "ParameterGroups": [
                {
                    "Label": {"default": group},
                    "Parameters": [one.name for one in parameters if one.group == group],
                }
                for group in groups
            ]
        }
    }
