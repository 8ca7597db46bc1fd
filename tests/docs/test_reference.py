"""The reference is complete."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING

import pytest

from langgraph_checkpoint_dynamodb import errors
from langgraph_checkpoint_dynamodb.policies import ROLES, STORE_ROLES, Role
from langgraph_checkpoint_dynamodb.store import errors as store_errors
from tests.docs.pages import DOCS

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import ModuleType

PACKAGE = "langgraph_checkpoint_dynamodb"
PUBLIC = ("", ".cache", ".moving", ".otel", ".store", ".testing")


def reference(page: str) -> str:
    return (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8")


def test_every_public_name_is_in_the_reference() -> None:
    pages = " ".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").iterdir())
    for module in PUBLIC:
        for name in importlib.import_module(f"{PACKAGE}{module}").__all__:
            assert re.search(rf"^::: {PACKAGE}.*\.{name}$|`{name}`", pages, re.MULTILINE), name


def raised(module: ModuleType) -> set[str]:
    return {
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, errors.DynamoDBSaverError)
    }


def test_every_error_has_its_cause_and_cure() -> None:
    told = set(re.findall(r"^\| (.*?) \| .+ \| .+ \|$", reference("errors"), re.MULTILINE))
    names = {name for cell in told for name in re.findall(r"`(\w+)`", cell)}
    assert raised(errors) | raised(store_errors) <= names | {"DynamoDBSaverError"}


def actions(granted: Collection[str]) -> str:
    return ", ".join(f"`{action.split(':')[1]}`" for action in sorted(granted)) or "-"


@pytest.mark.parametrize("roles", [ROLES, STORE_ROLES], ids=["savers", "stores"])
def test_the_table_of_roles_is_what_is_published(roles: dict[str, Role]) -> None:
    page = reference("iam")
    for name, role in roles.items():
        indexes = (role.index | role.vectors, role.threads)
        granted = (role.tables, *indexes, role.objects, role.bucket, role.key)
        cells = [actions(some) for some in granted]
        assert f"| `{name}` | {' | '.join(cells)} |" in page
