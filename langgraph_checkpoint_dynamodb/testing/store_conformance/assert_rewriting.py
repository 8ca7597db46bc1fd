"""Registers the suite for pytest's assert rewriting. Must be imported before the tests."""

from __future__ import annotations

from pathlib import Path
from pkgutil import iter_modules

try:
    import pytest
except ModuleNotFoundError as error:
    if error.name != "pytest":
        raise
    raise ModuleNotFoundError(
        "the conformance suite needs pytest: pip install 'pytest>=8.2'", name=error.name
    ) from None

_PACKAGE = __name__.rpartition(".")[0]
_MODULES = (f"{_PACKAGE}.{one.name}" for one in iter_modules([str(Path(__file__).parent)]))

pytest.register_assert_rewrite(*(name for name in _MODULES if name != __name__))
