"""CloudFormation's intrinsic functions, and JSON text that contains them."""

from __future__ import annotations

import json
from typing import Any

Value = Any
"""A JSON value of a template, which may contain intrinsic functions."""

NO_VALUE: dict[str, str] = {"Ref": "AWS::NoValue"}
"""Removes the property or list element that has this value."""

_TEXT_FUNCTIONS = frozenset({"Ref", "Fn::GetAtt", "Fn::Join", "Fn::Select"})
"""The intrinsic functions that return a string."""


def ref(name: str) -> Value:
    """Refer to the value of a parameter, or the name of a resource."""
    return {"Ref": name}


def arn_of(resource: str) -> Value:
    """Refer to the ARN of a resource."""
    return {"Fn::GetAtt": [resource, "Arn"]}


def fn_join(*parts: Value) -> Value:
    """Concatenate strings and functions. Adjacent literals are merged."""
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


def fn_if(condition: str, value: Value, otherwise: Value = NO_VALUE) -> Value:
    """Choose between two values by a condition of the template."""
    return {"Fn::If": [condition, value, otherwise]}


def json_text(value: Value, numbers: frozenset[str] = frozenset()) -> Value:
    """Make the JSON text of a value that contains functions.

    Members of objects and lists may be `fn_if(...)`, except the first member of an object: the
    commas depend on it. A list must not become empty: if its first element is missing, the second
    must exist.

    Args:
        value: The value.
        numbers: Names of numeric parameters, which are written without quotes.

    Raises:
        ValueError: The first member of an object may be missing.
    """
    match value:
        case {"Fn::If": [condition, first, second]}:
            return fn_if(condition, json_text(first, numbers), json_text(second, numbers))
        case {"Ref": name} if name in numbers:
            return value
        case dict() if value.keys() & _TEXT_FUNCTIONS:
            return fn_join('"', value, '"')
        case dict():
            members = [(f"{json.dumps(key)}:", part) for key, part in value.items()]
            return fn_join("{", *_members(members, numbers), "}")
        case [{"Fn::If": [condition, first, {"Ref": "AWS::NoValue"}]}, second, *rest]:
            present = second["Fn::If"][1] if _may_be_missing(second) else second
            return fn_if(
                condition,
                json_text([first, second, *rest], numbers),
                json_text([present, *rest], numbers),
            )
        case list():
            return fn_join("[", *_members([("", part) for part in value], numbers), "]")
    return json.dumps(value)


def _members(members: list[tuple[str, Value]], numbers: frozenset[str]) -> list[Value]:
    if members and _may_be_missing(members[0][1]):
        raise ValueError(f"the first of {members} may be missing: the commas would depend on it")
    commas = ["", *["," for _ in members[1:]]]
    return [
        _member(f"{comma}{key}", value, numbers)
        for comma, (key, value) in zip(commas, members, strict=True)
    ]


def _member(prefix: str, value: Value, numbers: frozenset[str]) -> Value:
    if value == NO_VALUE:
        return ""
    if _may_be_missing(value):
        condition, first, second = value["Fn::If"]
        return fn_if(condition, _member(prefix, first, numbers), _member(prefix, second, numbers))
    return fn_join(prefix, json_text(value, numbers))


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
    """Replace `Fn::Join` by the shorter `Fn::Sub` where possible."""
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
