"""Items that expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph.store.base import PutOp

from langgraph_checkpoint_dynamodb.testing.store_conformance.base import (
    NAMESPACE,
    StoreSuite,
    needs,
)
from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import places

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls

_TTL_MINUTES = 5 / 60
"""A store may round it up to a second."""
_MOST_OF_TTL_SECONDS = 4.0
"""Less than the time to live; twice as long is more than it."""


class ExpiryTests(StoreSuite):
    """Tests of `ttl` and `refresh_ttl`."""

    @needs("ttl")
    def test_an_item_is_absent_once_it_has_expired(self, calls: StoreCalls) -> None:
        """To the reader, whenever the store deletes it."""
        calls.put(NAMESPACE, "k", {"n": 1}, ttl=_TTL_MINUTES)
        calls.put(NAMESPACE, "stays", {"n": 2}, ttl=None)
        assert places(calls.search(NAMESPACE, refresh_ttl=False)) == [
            (NAMESPACE, "k"),
            (NAMESPACE, "stays"),
        ]
        self.elapse(2 * _MOST_OF_TTL_SECONDS)
        assert calls.get(NAMESPACE, "k") is None
        assert places(calls.search(NAMESPACE)) == [(NAMESPACE, "stays")]

    @needs("ttl")
    def test_limits_count_items_that_are_there(self, calls: StoreCalls) -> None:
        """Expired ones take no place of a page."""
        calls.batch(
            [
                PutOp(NAMESPACE, f"{n:02}", {"n": n}, ttl=_TTL_MINUTES if n % 2 else None)
                for n in range(20)
            ]
        )
        self.elapse(2 * _MOST_OF_TTL_SECONDS)
        pages = [calls.search(NAMESPACE, limit=4, offset=at) for at in (0, 4, 8)]
        assert [len(page) for page in pages] == [4, 4, 2]
        assert sorted(one.value["n"] for page in pages for one in page) == list(range(0, 20, 2))

    @needs("ttl")
    def test_a_read_begins_a_life_anew_where_it_is_to(self, calls: StoreCalls) -> None:
        """By `get` and by `search`, and not with `refresh_ttl=False`."""
        for key in ("got", "found", "seen"):
            calls.put((key,), key, {"n": 1}, ttl=_TTL_MINUTES)
        self.elapse(_MOST_OF_TTL_SECONDS)
        assert calls.get(("got",), "got", refresh_ttl=True) is not None
        assert len(calls.search(("found",), refresh_ttl=True)) == 1
        assert calls.get(("seen",), "seen", refresh_ttl=False) is not None
        assert len(calls.search(("seen",), refresh_ttl=False)) == 1
        self.elapse(_MOST_OF_TTL_SECONDS)
        assert calls.get(("got",), "got", refresh_ttl=False) is not None
        assert calls.get(("found",), "found", refresh_ttl=False) is not None
        assert calls.get(("seen",), "seen", refresh_ttl=False) is None

    @needs("ttl")
    def test_a_put_decides_anew_how_long_an_item_lives(self, calls: StoreCalls) -> None:
        """For ever, or again."""
        calls.put(NAMESPACE, "for ever", {}, ttl=_TTL_MINUTES)
        calls.put(NAMESPACE, "for ever", {}, ttl=None)
        calls.put(NAMESPACE, "again", {}, ttl=_TTL_MINUTES)
        self.elapse(_MOST_OF_TTL_SECONDS)
        calls.put(NAMESPACE, "again", {}, ttl=_TTL_MINUTES)
        self.elapse(_MOST_OF_TTL_SECONDS)
        assert places(calls.search(NAMESPACE, refresh_ttl=False)) == [
            (NAMESPACE, "again"),
            (NAMESPACE, "for ever"),
        ]
        self.elapse(_MOST_OF_TTL_SECONDS)
        assert places(calls.search(NAMESPACE)) == [(NAMESPACE, "for ever")]
