"""The findings of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Mark: TypeAlias = Literal["OK", "WRONG", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check.

    Attributes:
        mark: The result.
        subject: What was checked.
        said: What was found. The name is that of the field in the JSON of `doctor`.
        advice: What to do; empty for nothing.
    """

    mark: Mark
    subject: str
    said: str
    advice: str = ""


def ok(subject: str, said: str) -> Finding:
    """Return the finding of a check that passed."""
    return Finding("OK", subject, said)


def wrong(subject: str, said: str, advice: str) -> Finding:
    """Return the finding of a check that failed, with what to do."""
    return Finding("WRONG", subject, said, advice)


def unknown(subject: str, said: str, advice: str = "") -> Finding:
    """Return the finding of a check that could not be made."""
    return Finding("UNKNOWN", subject, said, advice)
