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
_ENDLESS = 1_000_000
_SHORT = 400
"""Characters of a function, as Python writes it, that is put into one line."""
_OBJECT = "tag:yaml.org,2002:map"
_HEADER = """\
# Made from the CDK construct by `make template`; a change made here is lost.
# How to deploy it: README.md beside this file.
"""


def _in_line(value: object) -> bool:
    """Whether it is a statement or an alarm: each is one line.

    There are so many that breaks and indentation would make a template too large for
    `aws cloudformation deploy`.
    """
    return isinstance(value, dict) and not {"Sid", "AlarmName"}.isdisjoint(value)


class _Dumper(yaml.SafeDumper):
    """Writes functions in their short form, and shared parts out each time, without aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class asks by argument
        return True

    def represent_object(self, data: dict[str, Any]) -> yaml.Node:
        """An object, or a function in place of one."""
        match data:
            case {"Ref": str(name)}:
                return self.represent_scalar("!Ref", name)
            case {"Fn::GetAtt": [resource, attribute]}:
                return self.represent_scalar("!GetAtt", f"{resource}.{attribute}")
            case {"Fn::Sub": str(text)}:
                return self.represent_scalar("!Sub", text)
        for name, arguments in data.items():
            if name.startswith("Fn::"):
                short = len(str(arguments)) < _SHORT or any(_in_line(one) for one in arguments)
                tag = f"!{name.removeprefix('Fn::')}"
                return self.represent_sequence(tag, arguments, flow_style=short or None)
        return self.represent_mapping(_OBJECT, data, flow_style=_in_line(data) or None)


_Dumper.add_representer(dict, _Dumper.represent_object)


def template_text(name: str) -> str:
    """A template as it is committed."""
    # What holds no more than texts is written in one line, however long.
    made = yaml.dump(
        _TEMPLATES[name](), Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=_ENDLESS
    )
    return _HEADER + made


def main() -> None:
    """Print the template that is asked for, or write it to a file."""
    parser = argparse.ArgumentParser(prog="python -m langgraph_checkpoint_dynamodb_cdk.template")
    parser.add_argument("name", choices=_TEMPLATES, help="which template")
    parser.add_argument("file", nargs="?", type=Path, help="where to; default: standard output")
    asked = parser.parse_args()
    text = template_text(asked.name)
    if asked.file is None:
        sys.stdout.write(text)
    else:
        # All at once: a template that could not be made leaves the one before as it was.
        asked.file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
