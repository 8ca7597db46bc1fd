"""Items that expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph.store.base import PutOp

from langgraph_checkpoint_dynamodb.testing.store_conformance.base import StoreSuite, needs
from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import places

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls

AT = ("docs",)
_LIFE = 5 / 60
"""Minutes; a store may round up to a second."""
_MOST_OF_IT = 4.0
"""Seconds. Twice as long is more than a life."""


class LifeTests(StoreSuite):
    """Tests of `ttl` and `refresh_ttl`."""

    @needs("ttl")
    def test_an_item_is_absent_once_it_has_expired(self, calls: StoreCalls) -> None:
        """To the reader, whenever the store deletes it."""
        calls.put(AT, "k", {"n": 1}, ttl=_LIFE)
        calls.put(AT, "stays", {"n": 2}, ttl=None)
        assert places(calls.search(AT, refresh_ttl=False)) == [(AT, "k"), (AT, "stays")]
        self.elapse(2 * _MOST_OF_IT)
        assert calls.get(AT, "k") is None
        assert places(calls.search(AT)) == [(AT, "stays")]

    @needs("ttl")
    def test_limits_count_items_that_are_there(self, calls: StoreCalls) -> None:
        """Expired ones take no place of a page."""
        calls.batch(
            [PutOp(AT, f"{n:02}", {"n": n}, ttl=_LIFE if n % 2 else None) for n in range(20)]
        )
        self.elapse(2 * _MOST_OF_IT)
        pages = [calls.search(AT, limit=4, offset=at) for at in (0, 4, 8)]
        assert [len(page) for page in pages] == [4, 4, 2]
        assert sorted(one.value["n"] for page in pages for one in page) == list(range(0, 20, 2))

    @needs("ttl")
    def test_a_read_begins_a_life_anew_where_it_is_to(self, calls: StoreCalls) -> None:
        """By `get` and by `search`, and not with `refresh_ttl=False`."""
        for key in ("got", "found", "seen"):
            calls.put((key,), key, {"n": 1}, ttl=_LIFE)
        self.elapse(_MOST_OF_IT)
        assert calls.get(("got",), "got", refresh_ttl=True) is not None
        assert len(calls.search(("found",), refresh_ttl=True)) == 1
        assert calls.get(("seen",), "seen", refresh_ttl=False) is not None
        assert len(calls.search(("seen",), refresh_ttl=False)) == 1
        self.elapse(_MOST_OF_IT)
        assert calls.get(("got",), "got", refresh_ttl=False) is not None
        assert calls.get(("found",), "found", refresh_ttl=False) is not None
        assert calls.get(("seen",), "seen", refresh_ttl=False) is None

    @needs("ttl")
    def test_a_put_decides_anew_how_long_an_item_lives(self, calls: StoreCalls) -> None:
        """For ever, or again."""
        calls.put(AT, "for ever", {}, ttl=_LIFE)
        calls.put(AT, "for ever", {}, ttl=None)
        calls.put(AT, "again", {}, ttl=_LIFE)
        self.elapse(_MOST_OF_IT)
        calls.put(AT, "again", {}, ttl=_LIFE)
        self.elapse(_MOST_OF_IT)
        assert places(calls.search(AT, refresh_ttl=False)) == [(AT, "again"), (AT, "for ever")]
        self.elapse(_MOST_OF_IT)
        assert places(calls.search(AT)) == [(AT, "for ever")]
