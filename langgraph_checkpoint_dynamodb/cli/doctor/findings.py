"""What `doctor` finds: each thing in order, wrong, or not to be known from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Mark: TypeAlias = Literal["OK", "WRONG", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        mark: How it is.
        subject: What it is about.
        said: What was found.
        advice: What to do, where something is to be done.
    """

    mark: Mark
    subject: str
    said: str
    advice: str = ""


def ok(subject: str, said: str) -> Finding:
    """Something that is in order."""
    return Finding("OK", subject, said)


def wrong(subject: str, said: str, advice: str) -> Finding:
    """Something that is wrong, with what to do."""
    return Finding("WRONG", subject, said, advice)


def unknown(subject: str, said: str, advice: str = "") -> Finding:
    """Something that cannot be known from here."""
    return Finding("UNKNOWN", subject, said, advice)
