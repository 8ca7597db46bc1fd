"""Suites that other implementations can be run against. Needs the extra `[testing]`."""

from __future__ import annotations

try:
    import pytest
except ModuleNotFoundError as error:
    if error.name != "pytest":
        raise
    raise ModuleNotFoundError(
        "the conformance suites are pytest's: pip install 'pytest>=8.2'", name=error.name
    ) from None

# So that a test that fails shows what it has compared.
pytest.register_assert_rewrite(f"{__name__}.store_conformance")
