"""Writing a JSON object with a long list, element by element."""

from __future__ import annotations

import json
import sys
from textwrap import indent

from langgraph_checkpoint_dynamodb.cli.terminal.output import to_json

_INDENT = 2
"""The indentation of `to_json`."""


class JsonListWriter:
    """Writes `{NAME: [...], ...}` to standard output without keeping the list in memory.

    Args:
        name: Name of the list.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._first = True

    def add(self, value: object) -> None:
        """Write the next element."""
        text = to_json(value)
        self._begin()
        sys.stdout.write("\n" if self._first else ",\n")
        sys.stdout.write(indent(text, " " * 2 * _INDENT))
        self._first = False

    def end(self, **fields: object) -> None:
        """End the list and the object, with the fields that follow the list."""
        self._begin()
        sys.stdout.write("]" if self._first else "\n  ]")
        for name, value in fields.items():
            text = to_json(value)
            sys.stdout.write(f",\n{indent(f'{json.dumps(name)}: {text}', ' ' * _INDENT)}")
        sys.stdout.write("\n}\n")

    def _begin(self) -> None:
        if self._name:
            sys.stdout.write(f"{{\n  {json.dumps(self._name)}: [")
            self._name = ""
