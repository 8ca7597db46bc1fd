"""The simulator finds the races it is built for: each race here is planted and must be found.

Without the plant, the same calls in the same ways pass. So no test here passes because the calls
never interleave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.errors import MissingPartError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import BaseRef
from langgraph_checkpoint_dynamodb.format.parts import part_address_of
from langgraph_checkpoint_dynamodb.format.write_keys import write_sort_key
from langgraph_checkpoint_dynamodb.items import write_plans, writes_partition
from langgraph_checkpoint_dynamodb.items.copier import Copier
from langgraph_checkpoint_dynamodb.ops import (
    attachments,
    chain,
    copy,
    delete,
    deletion_plan,
    delta_ancestors,
    history,
    prune,
    read,
    sweep,
    thread_contents,
    write,
)
from langgraph_checkpoint_dynamodb.ops.memory import Memory
from langgraph_checkpoint_dynamodb.requests import calls as service_calls
from langgraph_checkpoint_dynamodb.requests.items import Page
from tests.simulation.explore import explore, story
from tests.simulation.pairs import meeting
from tests.simulation.scenarios import ALL
from tests.simulation.variants import CHUNKS, DELTA, DELTA_CHUNKS, INCREMENTAL, INLINE, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.explore import Play, Report
    from tests.simulation.variants import Variant

    Patch = Callable[[pytest.MonkeyPatch], None]


def nothing_done(*_: Any, **__: Any) -> Any:
    """An operation without a request."""
    yield from ()


def readers_pass_over_marks(patch: pytest.MonkeyPatch) -> None:
    def read(item: Any, ref: Any, now: int) -> Any:
        found = writes_partition.read_partition_item(item, ref, now)
        return () if isinstance(found, writes_partition.DeletionMark) else found

    patch.setattr(attachments, "read_partition_item", read)


def deletes_leave_no_mark(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(delete, "is_write", lambda _: False)


def copies_pass_over_marks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(copy, "is_mark", lambda _: False)


def the_mark_comes_first_on_the_page(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(writes_partition, "MARK_SORT_KEY", "!deleted")


def items_with_parts_are_put_as_often_as_the_sdk_repeats(patch: pytest.MonkeyPatch) -> None:
    for name in ("put_skipping_existing", "put_unless_any_exists"):
        original = getattr(service_calls, name)
        patch.setattr(write, name, lambda puts, put=original, **_: put(puts))


def a_delete_takes_parts_that_are_about_to_be_referred_to(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(delete, "items_to_delete", lambda items, *_: [*items])


def an_object_is_known_by_the_item_that_leads_to_it_alone(patch: pytest.MonkeyPatch) -> None:
    a_delete_takes_parts_that_are_about_to_be_referred_to(patch)
    patch.setattr(deletion_plan, "outside_if_readable", lambda *_: ())


def a_tombstone_that_nobody_needs_stops_a_history(patch: pytest.MonkeyPatch) -> None:
    at_hand = chain.Chain.loaded_parent_of

    def strict(ancestors: Any, record: Any) -> Any:
        if record.parent_id in ancestors._unusable:
            raise UnreadableItemError(place="p", attribute="deleted", problem="is there")
        return at_hand(ancestors, record)

    patch.setattr(chain.Chain, "loaded_parent_of", strict)


def an_ancestor_that_is_gone_ends_a_history_in_silence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain.Chain, "_require_unneeded", nothing_done)


def the_history_of_a_checkpoint_that_is_gone_is_empty(patch: pytest.MonkeyPatch) -> None:
    original = history._history

    def silent(store: Any, address: Any, channels: Any) -> Any:
        try:
            return (yield from original(store, address, channels))
        except MissingPartError:
            return {channel: {"writes": []} for channel in channels}

    patch.setattr(history, "_history", silent)


def a_prune_goes_on_when_the_newest_is_deleted_under_it(patch: pytest.MonkeyPatch) -> None:
    rebuilt_from = delta_ancestors._rebuilt_from

    def needed(store: Any, thread: Any, wanted: Any) -> Any:
        with_deltas = [ns for ns, ids in wanted.items() if ids and thread.delta_channels.get(ns)]
        found = {ns: set(ids) for ns, ids in wanted.items()}
        for ns in with_deltas:
            by_id = yield from delta_ancestors._read_contents(store, thread, ns)
            for id_ in wanted[ns]:
                found[ns] |= rebuilt_from(id_, by_id)
        return found

    patch.setattr(prune, "needed_ancestors", needed)


def an_item_comes_before_its_parts(patch: pytest.MonkeyPatch) -> None:
    late: list[Any] = []
    module: Any = write
    stores, puts = module.store_parts, module.put_skipping_existing

    def later(*arguments: Any) -> Any:
        late.append(arguments)
        yield from ()

    def put(*arguments: Any, **options: Any) -> Any:
        outcome = yield from puts(*arguments, **options)
        yield from stores(*late.pop())
        return outcome

    patch.setattr(write, "store_parts", later)
    patch.setattr(write, "put_skipping_existing", put)


def writes_go_before_their_checkpoint(patch: pytest.MonkeyPatch) -> None:
    in_order = service_calls.write_in_order
    held: list[Any] = []

    def hold(changes: Any) -> Any:
        held.append(changes)
        yield from ()

    def then(found: Any, delete_each: Any) -> Any:
        yield from deletion_plan.delete_planned(found, delete_each)
        yield from in_order(held.pop())

    patch.setattr(delete, "write_in_order", hold)
    patch.setattr(delete, "delete_planned", then)


def the_last_regular_write_wins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(write_plans, "_first_wins", lambda put, _: put)


def a_call_that_comes_too_late_does_not_look_which_places_are_held(
    patch: pytest.MonkeyPatch,
) -> None:
    patch.setattr(write, "_indices_held", lambda *_: frozenset())


def the_writes_of_a_call_have_the_key_of_its_first_place(patch: pytest.MonkeyPatch) -> None:
    original = write_plans._plan_group

    def plan(some: Any, ref: Any, policy: Any, stamp: Any, _: str) -> Any:
        key = write_sort_key(some[0].task_id, some[0].idx)
        return original(some, ref, policy, stamp, key)

    patch.setattr(write_plans, "_plan_group", plan)


def a_checkpoint_carries_what_its_process_has_written_alone(patch: pytest.MonkeyPatch) -> None:
    original = Memory.remember_writes

    def loaded(self: Memory, ref: Any, _: Any, epoch: int, now: int) -> None:
        original(self, ref, (), epoch, now)

    patch.setattr(Memory, "remember_writes", loaded)


def the_writes_of_the_checkpoint_that_was_the_newest_are_taken_for_those_of_the_newest(
    patch: pytest.MonkeyPatch,
) -> None:
    def rest(store: Any, record: Any, page: Any) -> Any:
        return (yield from attachments.read_remaining_attachments(store, record, page))

    patch.setattr(
        read, "read_attachments", lambda store, record: rest(store, record, Page([], None))
    )


def a_sweep_takes_what_is_young(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sweep, "_is_old", lambda *_: True)
    patch.setattr(
        sweep,
        "_remove",
        lambda found, _: deletion_plan.delete_planned([found], delete._delete_items),
    )


def a_copy_stores_checkpoints_before_their_writes(patch: pytest.MonkeyPatch) -> None:
    module: Any = copy
    atomically, everything = module.put_skipping_existing, module.write_all
    late: list[Any] = []

    def hold(changes: Any) -> Any:
        # Parts are still stored first.
        writes = [put for put in changes if part_address_of(put.key.sort) is None]
        yield from everything([put for put in changes if put not in writes])
        late.extend(writes)

    def put(puts: Any, **options: Any) -> Any:
        outcome = yield from atomically(puts, **options)
        held, late[:] = [*late], []
        yield from everything(held)
        return outcome

    patch.setattr(copy, "write_all", hold)
    patch.setattr(copy, "put_skipping_existing", put)


def a_delete_forgets_where_the_values_of_its_tombstone_are(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deletion_plan, "is_young", lambda *_: True)
    patch.setattr(
        delete, "_plan_deletion", lambda store, head, items: _only_writes(store, head, items)
    )
    patch.setattr(sweep, "part_of", lambda _: None)


def _only_writes(store: Any, head: Any, items: Any) -> Any:
    kept = [item for item in items if deletion_plan.is_write(item)]
    return deletion_plan.plan_deletion(store.payloads, head.owner, kept, ())


def a_delete_does_not_mark_the_bases_it_takes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(delete, "is_settled", lambda *_: True)


def a_prune_takes_bases_that_are_young(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(thread_contents, "is_settled", lambda *_: True)


def a_prune_takes_bases_that_are_needed(patch: pytest.MonkeyPatch) -> None:
    def all_of_them(self: Any, *_: Any) -> list[Any]:
        return [*self.bases]

    patch.setattr(thread_contents.ThreadContents, "unneeded_bases", all_of_them)


def a_checkpoint_comes_before_its_base(patch: pytest.MonkeyPatch) -> None:
    module: Any = write
    original = module._put_planned
    held: list[Any] = []

    def put(ref: Any, planned: Any, stamp: Any) -> Any:
        if isinstance(ref, BaseRef):
            held.append((ref, planned, stamp))
            yield from ()
            return None
        outcome = yield from original(ref, planned, stamp)
        while held:
            yield from original(*held.pop())
        return outcome

    patch.setattr(write, "_put_planned", put)


def a_copy_refers_to_the_bases_of_its_source(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Copier, "_origin", lambda _, origin: origin)


@dataclass(frozen=True)
class Planted:
    """A planted race, and the calls that trigger it."""

    plant: Patch
    variant: Variant
    first: str
    second: str
    faults: int = 0
    page: int = ALL

    def explored(self) -> tuple[Play, Report]:
        play = meeting(self.variant, [self.first, self.second], faults=self.faults, page=self.page)
        return play, explore(play)


PLANTED = (
    Planted(readers_pass_over_marks, INLINE, "get_tuple(newest)", "delete_thread(t)"),
    Planted(deletes_leave_no_mark, INLINE, "get_tuple(0002)", "delete_thread(t)"),
    Planted(copies_pass_over_marks, INLINE, "copy_thread(t, c)", "delete_thread(t)"),
    Planted(
        the_mark_comes_first_on_the_page, CHUNKS, "get_tuple(0002)", "delete_thread(t)", page=1
    ),
    Planted(
        items_with_parts_are_put_as_often_as_the_sdk_repeats,
        CHUNKS,
        "put(0002) anew",
        "put(0002) small",
        faults=1,
    ),
    Planted(
        a_delete_takes_parts_that_are_about_to_be_referred_to,
        CHUNKS,
        "put(0002) anew",
        "delete_thread(t)",
    ),
    Planted(
        an_object_is_known_by_the_item_that_leads_to_it_alone,
        OBJECTS,
        "put_writes(0002, other task)",
        "delete_thread(t)",
    ),
    Planted(
        a_tombstone_that_nobody_needs_stops_a_history, DELTA_CHUNKS, "history(newest)", "prune(t)"
    ),
    Planted(
        an_ancestor_that_is_gone_ends_a_history_in_silence,
        DELTA,
        "put(0005)",
        "delete_for_runs(run-0004)",
    ),
    Planted(
        the_history_of_a_checkpoint_that_is_gone_is_empty,
        DELTA,
        "history(0004)",
        "delete_thread(t)",
    ),
    Planted(
        a_prune_goes_on_when_the_newest_is_deleted_under_it,
        DELTA,
        "prune(t)",
        "delete_for_runs(run-0004)",
    ),
    Planted(an_item_comes_before_its_parts, CHUNKS, "get_tuple(newest)", "put(0003)"),
    Planted(writes_go_before_their_checkpoint, INLINE, "get_tuple(0002)", "delete_thread(t)"),
    Planted(
        the_last_regular_write_wins,
        INLINE,
        "put_writes(0002, same task)",
        "get_tuple(newest)",
    ),
    Planted(
        a_call_that_comes_too_late_does_not_look_which_places_are_held,
        INLINE,
        "put_writes(0002, other task)",
        "put_writes(0002, other task, one)",
    ),
    Planted(
        the_writes_of_a_call_have_the_key_of_its_first_place,
        INLINE,
        "put_writes(0002, other task)",
        "put_writes(0002, other task, resumed)",
    ),
    Planted(
        a_checkpoint_carries_what_its_process_has_written_alone,
        DELTA,
        "put_writes(0004)",
        "run(0007)",
    ),
    Planted(
        the_writes_of_the_checkpoint_that_was_the_newest_are_taken_for_those_of_the_newest,
        INLINE,
        "get_tuple(newest) twice",
        "put_writes(0003)",
    ),
    Planted(a_sweep_takes_what_is_young, CHUNKS, "put(0003)", "sweep_orphans()"),
    Planted(
        a_copy_stores_checkpoints_before_their_writes, INLINE, "copy_thread(t, c)", "list(all)"
    ),
    Planted(
        a_delete_forgets_where_the_values_of_its_tombstone_are,
        CHUNKS,
        "delete_thread(t)",
        "put(0003)",
    ),
    Planted(
        a_delete_does_not_mark_the_bases_it_takes, INCREMENTAL, "put(0003)", "delete_thread(t)"
    ),
    Planted(a_prune_takes_bases_that_are_young, INCREMENTAL, "put(0003)", "prune(t)"),
    Planted(a_prune_takes_bases_that_are_needed, INCREMENTAL, "get_tuple(newest)", "prune(t)"),
    Planted(a_checkpoint_comes_before_its_base, INCREMENTAL, "get_tuple(newest)", "put(0003)"),
    Planted(
        a_copy_refers_to_the_bases_of_its_source, INCREMENTAL, "copy_thread(t, c)", "list(all)"
    ),
)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.plant.__name__)
def test_a_planted_race_is_found(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    play, right = planted.explored()
    for problem, trail in right.failures.items():
        pytest.fail(f"{problem}\n{story(play, trail)}")
    assert right.complete
    planted.plant(monkeypatch)
    play, wrong = planted.explored()
    assert wrong.failures
    trail = min(wrong.failures.values(), key=len)
    assert "=>" in story(play, trail) or "->" in story(play, trail)
