"""CloudFormation's functions as they are written in a template, and JSON text made with them."""

from __future__ import annotations

import json
from typing import Any

Value = Any
"""What a template holds: JSON, with functions that CloudFormation fills in."""

NO_VALUE: dict[str, str] = {"Ref": "AWS::NoValue"}
"""In place of a property or of an element of a list: there is none."""

_FUNCTIONS = frozenset({"Ref", "Fn::GetAtt", "Fn::Join", "Fn::Select"})
"""Those that come to a text."""


def ref(name: str) -> Value:
    """The value of a parameter, or the name of a resource."""
    return {"Ref": name}


def arn_of(resource: str) -> Value:
    """The ARN of a resource."""
    return {"Fn::GetAtt": [resource, "Arn"]}


def joined(*parts: Value) -> Value:
    """Texts, one after the other. Texts that are known are put together now."""
    flat: list[Value] = []
    for part in parts:
        for piece in _pieces(part):
            if isinstance(piece, str) and flat and isinstance(flat[-1], str):
                flat[-1] += piece
            elif piece != "":
                flat.append(piece)
    if not flat:
        return ""
    return flat[0] if len(flat) == 1 else {"Fn::Join": ["", flat]}


def either(condition: str, value: Value, otherwise: Value = NO_VALUE) -> Value:
    """One of two values, by a condition of the template; without a second one, none."""
    return {"Fn::If": [condition, value, otherwise]}


def json_text(value: Value, numbers: frozenset[str] = frozenset()) -> Value:
    """JSON text of a value, with what CloudFormation fills in.

    Members of objects and lists may be `either(...)`, but for an object's first: commas depend on
    it. No list may be empty: where its first member is missing, the second must be there.

    Args:
        value: The value.
        numbers: Names of parameters that are numbers: they are written without quotes.

    Raises:
        ValueError: The first member of an object may be missing.
    """
    match value:
        case {"Fn::If": [condition, first, second]}:
            return either(condition, json_text(first, numbers), json_text(second, numbers))
        case {"Ref": name} if name in numbers:
            return value
        case dict() if value.keys() & _FUNCTIONS:
            return joined('"', value, '"')
        case dict():
            members = [(f"{json.dumps(key)}:", part) for key, part in value.items()]
            return joined("{", *_members(members, numbers), "}")
        case [{"Fn::If": [condition, first, {"Ref": "AWS::NoValue"}]}, second, *rest]:
            there = second["Fn::If"][1] if _may_be_missing(second) else second
            return either(
                condition,
                json_text([first, second, *rest], numbers),
                json_text([there, *rest], numbers),
            )
        case list():
            return joined("[", *_members([("", part) for part in value], numbers), "]")
    return json.dumps(value)


def _members(members: list[tuple[str, Value]], numbers: frozenset[str]) -> list[Value]:
    if members and _may_be_missing(members[0][1]):
        raise ValueError(f"the first of {members} may be missing, so that no comma can be placed")
    commas = ["", *["," for _ in members[1:]]]
    return [
        _member(f"{comma}{key}", value, numbers)
        for comma, (key, value) in zip(commas, members, strict=True)
    ]


def _member(before: str, value: Value, numbers: frozenset[str]) -> Value:
    if value == NO_VALUE:
        return ""
    if _may_be_missing(value):
        condition, first, second = value["Fn::If"]
        return either(condition, _member(before, first, numbers), _member(before, second, numbers))
    return joined(before, json_text(value, numbers))


def _may_be_missing(value: Value) -> bool:
    match value:
        case {"Fn::If": [_, first, second]}:
            return _may_be_missing(first) or _may_be_missing(second)
    return bool(value == NO_VALUE)


def _pieces(part: Value) -> list[Value]:
    match part:
        case {"Fn::Join": ["", [*pieces]]}:
            return pieces
    return [part]


def with_substitutions(value: Value) -> Value:
    """The same with `Fn::Sub` in place of `Fn::Join` where it can be: shorter, and readable."""
    match value:
        case {"Fn::Join": ["", [*parts]]}:
            return _substituted(parts)
        case dict():
            return {key: with_substitutions(part) for key, part in value.items()}
        case list():
            return [with_substitutions(part) for part in value]
    return value


def _substituted(parts: list[Value]) -> Value:
    groups: list[Value] = []
    for part in parts:
        text = _substitution(part)
        if text is None:
            groups.append(with_substitutions(part))
        elif groups and isinstance(groups[-1], str):
            groups[-1] += text
        else:
            groups.append(text)
    made = [_sub(group) if isinstance(group, str) else group for group in groups]
    return made[0] if len(made) == 1 else {"Fn::Join": ["", made]}


def _substitution(part: Value) -> str | None:
    match part:
        case str():
            return part.replace("${", "${!")
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"${{{resource}.{attribute}}}"
    return None


def _sub(text: str) -> Value:
    return {"Fn::Sub": text} if "${" in text else text
