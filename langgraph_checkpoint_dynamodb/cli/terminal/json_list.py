"""A document in JSON that holds a list, written as the list comes."""

from __future__ import annotations

import json
import sys
from textwrap import indent

from langgraph_checkpoint_dynamodb.cli.terminal.output import json_text

_INDENT = 2
"""As `json_text` has it."""


class JsonList:
    """Writes `{NAME: [...], ...}` without holding the list.

    Args:
        name: What the list is called.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._first = True

    def add(self, value: object) -> None:
        """Write the next element."""
        text = json_text(value)
        self._begin()
        sys.stdout.write("\n" if self._first else ",\n")
        sys.stdout.write(indent(text, " " * 2 * _INDENT))
        self._first = False

    def end(self, **fields: object) -> None:
        """End the list, and write the fields that follow it."""
        self._begin()
        sys.stdout.write("]" if self._first else "\n  ]")
        for name, value in fields.items():
            text = json_text(value)
            sys.stdout.write(f",\n{indent(f'{json.dumps(name)}: {text}', ' ' * _INDENT)}")
        sys.stdout.write("\n}\n")

    def _begin(self) -> None:
        if self._name:
            sys.stdout.write(f"{{\n  {json.dumps(self._name)}: [")
            self._name = ""
