"""Prints the template: `python -m langgraph_checkpoint_dynamodb_cdk.template > FILE`."""

from __future__ import annotations

import sys
from typing import Any

import yaml

from langgraph_checkpoint_dynamodb_cdk.template.assembly import make_template

_HEADER = """\
# Made from the CDK construct by `make template`; a change made here is lost.
# How to deploy it: README.md beside this file.
"""


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
                return self.represent_sequence(f"!{name.removeprefix('Fn::')}", arguments)
        return self.represent_dict(data)


_Dumper.add_representer(dict, _Dumper.represent_object)


def template_text() -> str:
    """The template as it is committed."""
    # What holds no more than texts is written in one line.
    made = yaml.dump(
        make_template(), Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=120
    )
    return _HEADER + made


if __name__ == "__main__":
    sys.stdout.write(template_text())
