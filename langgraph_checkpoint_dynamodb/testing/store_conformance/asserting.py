"""Has pytest show what a test of the suite that fails has compared. Imported before the tests."""

from __future__ import annotations

try:
    import pytest
except ModuleNotFoundError as error:
    if error.name != "pytest":
        raise
    raise ModuleNotFoundError(
        "the conformance suite is pytest's: pip install 'pytest>=8.2'", name=error.name
    ) from None

pytest.register_assert_rewrite(__name__.rpartition(".")[0])
