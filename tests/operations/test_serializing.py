"""Everything is serialized before the first request."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.errors import ItemTooLargeError
from tests.operations.examples import SERDE
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from tests.support.calls import Calls
    from tests.support.tables import Tables


class Picky:
    """A serializer that refuses the word `no`."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        if obj == "no":
            raise TypeError("cannot be serialized")
        return SERDE.dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return SERDE.loads_typed(data)


def test_a_checkpoint_that_cannot_be_serialized_leaves_nothing_behind(
    calls: Calls, tables: Tables
) -> None:
    with pytest.raises(TypeError):
        calls.put(config("t"), checkpoint(fine=1, bad=threading.Lock()), metadata(), {})
    assert tables.checkpoint_items() == []


def test_metadata_that_cannot_be_serialized_leaves_no_checkpoint_behind(
    calls: Calls, tables: Tables
) -> None:
    with pytest.raises(TypeError):
        calls.put(config("t"), checkpoint(), metadata(bad=threading.Lock()), {})
    assert tables.checkpoint_items() == []


@pytest.mark.parametrize("before", [1, 120], ids=["one transaction", "two transactions"])
def test_a_last_write_that_cannot_be_serialized_leaves_none_of_the_others_behind(
    calls: Calls, tables: Tables, before: int
) -> None:
    writes = [*(("log", number) for number in range(before)), ("log", threading.Lock())]
    with pytest.raises(TypeError):
        calls.put_writes(config("t", "", "0001"), writes, "task")
    assert tables.write_items() == []


def test_a_last_write_that_fits_into_no_item_leaves_none_of_the_others_behind(
    calls: Calls, tables: Tables
) -> None:
    writes = [*(("log", number) for number in range(120)), ("l" * 409_600, 1)]
    with pytest.raises(ItemTooLargeError, match="'task'"):
        calls.put_writes(config("t", "", "0001"), writes, "task")
    assert tables.write_items() == []


def test_a_value_refused_by_the_users_own_serde_leaves_nothing_behind(tables: Tables) -> None:
    with tables.saver(serde=Picky()) as saver:
        saver.setup()
        with pytest.raises(TypeError, match="cannot be serialized"):
            saver.put_writes(config("t", "", "0001"), [("log", "yes"), ("log", "no")], "task")
    assert tables.write_items() == []
