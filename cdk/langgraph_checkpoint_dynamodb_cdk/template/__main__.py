"""Writes a template: `python -m langgraph_checkpoint_dynamodb_cdk.template tables FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from langgraph_checkpoint_dynamodb_cdk.template.alarms import (
    make_alarm_template,
    make_dashboard_template,
)
from langgraph_checkpoint_dynamodb_cdk.template.assembly import make_template

_TEMPLATES = {
    "tables": make_template,
    "alarms": make_alarm_template,
    "dashboard": make_dashboard_template,
}
_LINE_WIDTH = 1_000_000
"""Effectively unlimited, so that short values are never wrapped."""
_MAX_ONE_LINE = 400
"""Maximum length of a function on one line, in characters of its Python representation."""
_OBJECT = "tag:yaml.org,2002:map"
_HEADER = """\
# Generated from the CDK construct by `make template`; do not edit.
# How to deploy it: README.md in this folder.
"""


def _is_one_line(value: object) -> bool:
    """Whether a value is a statement or an alarm, which are written on one line.

    With line breaks and indentation, the templates would be too large for
    `aws cloudformation deploy`.
    """
    return isinstance(value, dict) and not {"Sid", "AlarmName"}.isdisjoint(value)


class _Dumper(yaml.SafeDumper):
    """Writes functions in their short form, and repeated values without aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class asks by argument
        return True

    def represent_object(self, data: dict[str, Any]) -> yaml.Node:
        """Represent an object or a function."""
        match data:
            case {"Ref": str(name)}:
                return self.represent_scalar("!Ref", name)
            case {"Fn::GetAtt": [resource, attribute]}:
                return self.represent_scalar("!GetAtt", f"{resource}.{attribute}")
            case {"Fn::Sub": str(text)}:
                return self.represent_scalar("!Sub", text)
        for name, arguments in data.items():
            if name.startswith("Fn::"):
                one_line = len(str(arguments)) < _MAX_ONE_LINE or any(map(_is_one_line, arguments))
                tag = f"!{name.removeprefix('Fn::')}"
                return self.represent_sequence(tag, arguments, flow_style=one_line or None)
        return self.represent_mapping(_OBJECT, data, flow_style=_is_one_line(data) or None)


_Dumper.add_representer(dict, _Dumper.represent_object)


def template_text(name: str) -> str:
    """Make a template as it is committed."""
    # `default_flow_style=None` writes collections of scalars on one line.
    text = yaml.dump(
        _TEMPLATES[name](),
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,
        width=_LINE_WIDTH,
    )
    return _HEADER + text


def main() -> None:
    """Print a template, or write it to a file."""
    parser = argparse.ArgumentParser(prog="python -m langgraph_checkpoint_dynamodb_cdk.template")
    parser.add_argument("name", choices=_TEMPLATES, help="which template")
    parser.add_argument("file", nargs="?", type=Path, help="output file; default: standard output")
    arguments = parser.parse_args()
    text = template_text(arguments.name)
    if arguments.file is None:
        sys.stdout.write(text)
    else:
        arguments.file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
