"""Batches of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph.store.base import GetOp, Item, ListNamespacesOp, MatchCondition, PutOp, SearchOp

from langgraph_checkpoint_dynamodb.testing.store_conformance.base import NAMESPACE, StoreSuite
from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import value_of

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls

_MANY = 260
"""More than any batch of DynamoDB takes."""


class BatchTests(StoreSuite):
    """Tests of `batch`."""

    def test_each_result_stands_where_its_operation_stood(self, calls: StoreCalls) -> None:
        """Of every kind, in any order."""
        calls.put(NAMESPACE, "1", {"n": 1})
        results = calls.batch(
            [
                GetOp(NAMESPACE, "nobody"),
                PutOp(("more",), "2", {"n": 2}),
                SearchOp(NAMESPACE),
                GetOp(NAMESPACE, "1"),
                ListNamespacesOp((MatchCondition("prefix", NAMESPACE),)),
                PutOp(("more",), "3", None),
                GetOp(NAMESPACE, "1"),
            ]
        )
        assert len(results) == 7
        assert [results[at] for at in (0, 1, 5)] == [None] * 3
        assert isinstance(results[2], list)
        assert [value_of(one) for one in results[2]] == [{"n": 1}]
        assert [value_of(results[at]) for at in (3, 6)] == [{"n": 1}] * 2
        assert results[4] == [NAMESPACE]

    def test_a_batch_reads_before_it_stores(self, calls: StoreCalls) -> None:
        """What it finds is what was there before, wherever its puts stand."""
        calls.put(NAMESPACE, "1", {"n": 1})
        results = calls.batch(
            [
                PutOp(NAMESPACE, "1", {"n": 2}),
                PutOp(NAMESPACE, "2", {"n": 3}),
                GetOp(NAMESPACE, "1"),
                GetOp(NAMESPACE, "2"),
                SearchOp(NAMESPACE),
            ]
        )
        assert value_of(results[2]) == {"n": 1}
        assert results[3] is None
        assert isinstance(results[4], list)
        assert [value_of(one) for one in results[4]] == [{"n": 1}]
        assert value_of(calls.get(NAMESPACE, "1")) == {"n": 2}

    def test_the_last_put_of_a_key_counts(self, calls: StoreCalls) -> None:
        """A put of nothing deletes."""
        calls.put(NAMESPACE, "gone", {"n": 0})
        calls.batch(
            [
                PutOp(NAMESPACE, "k", {"n": 1}),
                PutOp(NAMESPACE, "k", {"n": 2}),
                PutOp(NAMESPACE, "back", None),
                PutOp(NAMESPACE, "back", {"n": 3}),
                PutOp(NAMESPACE, "gone", {"n": 4}),
                PutOp(NAMESPACE, "gone", None),
            ]
        )
        assert value_of(calls.get(NAMESPACE, "k")) == {"n": 2}
        assert value_of(calls.get(NAMESPACE, "back")) == {"n": 3}
        assert calls.get(NAMESPACE, "gone") is None

    def test_an_empty_batch_and_an_iterator_will_do(self, calls: StoreCalls) -> None:
        """Operations come as any iterable."""
        assert list(calls.batch([])) == []
        assert list(calls.batch(iter([GetOp(NAMESPACE, "k"), GetOp(NAMESPACE, "k")]))) == [
            None,
            None,
        ]

    def test_hundreds_of_items_are_put_and_got_at_once(self, calls: StoreCalls) -> None:
        """Each of them twice in one batch."""
        calls.batch([PutOp(("many", str(n % 3)), str(n), {"n": n}) for n in range(_MANY)])
        wanted = [GetOp(("many", str(n % 3)), str(n)) for n in range(_MANY)]
        found = calls.batch(wanted * 2)
        assert all(isinstance(one, Item) for one in found)
        assert [value_of(one)["n"] for one in found] == [*range(_MANY)] * 2

    def test_calls_at_the_same_time_do_not_disturb_each_other(self, calls: StoreCalls) -> None:
        """Concurrent puts, then concurrent gets."""
        calls.batch_concurrently([PutOp(NAMESPACE, str(n), {"n": n}) for n in range(40)])
        found = calls.batch_concurrently([GetOp(NAMESPACE, str(n)) for n in range(40)])
        assert [value_of(one)["n"] for one in found] == list(range(40))
