"""Removing what processes left behind that died in the middle of a call, and empty namespaces.

Parts of values are stored before the item that refers to them, so they are left over if that item
never came; and a request that does not tell what it has replaced leaves the parts of that. No
reader ever sees them. What is young is left alone: a call may be under way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.parts import part_address_of
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import number_or_none, read_key, text
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside_if_readable
from langgraph_checkpoint_dynamodb.requests.calls import delete_objects
from langgraph_checkpoint_dynamodb.requests.items import DeleteIfOld, GetItem, Scan
from langgraph_checkpoint_dynamodb.requests.operations import send, together
from langgraph_checkpoint_dynamodb.store.cached import entry_of, is_cached
from langgraph_checkpoint_dynamodb.store.keys import (
    ItemRef,
    VectorOwner,
    is_of_vectors,
    is_registry,
    root_label,
    split_path,
    vector_owner,
    vector_stem,
)
from langgraph_checkpoint_dynamodb.store.ops.get import read_all
from langgraph_checkpoint_dynamodb.store.ops.namespaces import take_out
from langgraph_checkpoint_dynamodb.store.registry import read_registration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langgraph_checkpoint_dynamodb.format.parts import PartAddress
    from langgraph_checkpoint_dynamodb.requests.items import Page, StartKey, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.keys import Holder
    from langgraph_checkpoint_dynamodb.store.registry import Registration

_SWEPT = (
    Attribute.ROOT,
    Attribute.PATH,
    Attribute.ITEM_ROOT,
    Attribute.ITEM_PATH,
    Attribute.CREATED,
    Attribute.BUCKET,
    Attribute.OBJECT_KEY,
    Attribute.TOUCHED,
    Attribute.SPREAD,
)


@dataclass(frozen=True, slots=True)
class StoreSweepReport:
    """What a sweep of the store's table has done.

    Attributes:
        pages: Pages of the table that were read.
        examined: Items on them.
        chunks_deleted: Pieces of values that nothing refers to.
        objects_deleted: S3 objects that nothing refers to.
        vectors_deleted: Vectors of items that are gone or were replaced.
        namespaces_deleted: Entries of the registry whose namespaces have no items.
        young: Parts and vectors that were left alone because of their age.
        unknown: Items that were left alone because they do not say whose they are or how old, or
            lead to an object that is not known to be ours.
        resume_from: Where to go on, to be passed to the next sweep; `None` where all is done.
    """

    pages: int = 0
    examined: int = 0
    chunks_deleted: int = 0
    objects_deleted: int = 0
    vectors_deleted: int = 0
    namespaces_deleted: int = 0
    young: int = 0
    unknown: int = 0
    resume_from: str | None = None

    def plus(self, other: StoreSweepReport) -> StoreSweepReport:
        """The sum of both."""
        counted = [one.name for one in fields(self) if one.name != "resume_from"]
        return replace(
            self, **{name: getattr(self, name) + getattr(other, name) for name in counted}
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a value, as the scan finds it.

    Attributes:
        key: Primary key of its item.
        address: Which value it is a part of.
        ref: Which item that value belongs to, of a store or of a cache.
        created: When it was stored, in seconds since the epoch.
        target: Bucket and key of the S3 object that it leads to, if it does.
    """

    key: Key
    address: PartAddress
    ref: Holder
    created: int
    target: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class _Vector:
    """A vector, as the scan finds it.

    Attributes:
        key: Primary key of its item.
        owner: Which item it is of, and which version of that.
        created: When it was stored, in seconds since the epoch.
    """

    key: Key
    owner: VectorOwner
    created: int


def sweep_orphans(
    context: Context, older_than: int, resume_from: str | None, max_pages: int | None
) -> Operation[StoreSweepReport]:
    """Delete what nothing leads to any more.

    Args:
        context: How to read.
        older_than: Only parts that are at least so old, in seconds.
        resume_from: Where to begin; `None` for the beginning.
        max_pages: Pages to read at most; `None` for all.
    """
    scan = Scan(Table.STORE, consistent=True, start=_start(resume_from), attributes=_SWEPT)
    report = StoreSweepReport()
    while True:
        page = yield from send(scan)
        report = report.plus((yield from _sweep_page(context, page, older_than)))
        if page.next is None:
            return report
        if report.pages == max_pages:
            return replace(report, resume_from=_token(page.next))
        scan = replace(scan, start=page.next)


def _sweep_page(context: Context, page: Page, older_than: int) -> Operation[StoreSweepReport]:
    before = context.now - older_than
    parts: list[_Part] = []
    vectors: list[_Vector] = []
    entries: list[Registration] = []
    young = unknown = 0
    for item in page.items:
        key = read_key(item, Table.STORE)
        if is_registry(key.partition):
            entry = _entry(item)
            if entry is None:
                unknown += 1
            else:
                entries.append(entry)
            continue
        address = part_address_of(key.sort)
        found: _Part | _Vector | None
        if is_of_vectors(key.partition):
            found = _vector(context, item, key)
        elif address is not None and "." in key.partition:
            found = _part(context, item, key, address)
        else:
            continue
        if found is None:
            unknown += 1
        elif found.created > before:
            young += 1
        elif isinstance(found, _Vector):
            vectors.append(found)
        else:
            parts.append(found)
    swept = yield from together(
        [_sweep_item(context, list(some), before) for some in _by_item(parts)]
    )
    taken_out = yield from take_out(context, entries, len(entries))
    report = StoreSweepReport(
        pages=1,
        examined=len(page.items),
        vectors_deleted=(yield from _sweep_vectors(context, vectors, before)),
        namespaces_deleted=taken_out,
        young=young,
        unknown=unknown,
    )
    for one in swept:
        report = report.plus(one)
    return report


def _entry(item: StoredItem) -> Registration | None:
    """The namespace in an item of the registry, `None` where it is damaged."""
    try:
        return read_registration(item)
    except UnreadableItemError:
        return None


def _by_item(parts: Sequence[_Part]) -> Iterator[Iterator[_Part]]:
    for _, some in groupby(parts, lambda part: part.ref):
        yield some


def _sweep_item(
    context: Context, parts: Sequence[_Part], before: int
) -> Operation[StoreSweepReport]:
    """Delete those of the parts of one item that it does not refer to."""
    ref = parts[0].ref
    item = yield from send(GetItem(Table.STORE, ref.primary, consistent=True))
    needed = set() if item is None else {one.address for one in outside_if_readable(item, str(ref))}
    done = yield from together(
        [_delete(context, part, before) for part in parts if part.address not in needed]
    )
    report = StoreSweepReport()
    for one in done:
        report = report.plus(one)
    return report


def _sweep_vectors(context: Context, vectors: Sequence[_Vector], before: int) -> Operation[int]:
    """Delete those vectors whose items are gone, or are of another version; tells how many."""
    refs = list(dict.fromkeys(one.owner.ref for one in vectors))
    keys = [ref.primary for ref in refs]
    items = (yield from read_all(context.consistently(), keys)) if keys else []
    there = {(read_key(one, Table.STORE), one.get(Attribute.VERSION, {}).get("S")) for one in items}
    needless = [one for one in vectors if (one.owner.ref.primary, one.owner.version) not in there]
    deleted = yield from together(
        [send(DeleteIfOld(Table.STORE, one.key, before)) for one in needless]
    )
    return sum(deleted)


def _delete(context: Context, part: _Part, before: int) -> Operation[StoreSweepReport]:
    if part.target is not None:
        if not context.payloads.owns(part.ref, part.address, *part.target):
            return StoreSweepReport(unknown=1)
        yield from delete_objects([part.target])
    yield from send(DeleteIfOld(Table.STORE, part.key, before))
    return (
        StoreSweepReport(chunks_deleted=1)
        if part.target is None
        else StoreSweepReport(objects_deleted=1)
    )


def _part(context: Context, item: StoredItem, key: Key, address: PartAddress) -> _Part | None:
    """The part in an item, `None` where it does not say whose it is, or says it wrongly."""
    created = number_or_none(item, Attribute.CREATED)
    try:
        root = text(item, Attribute.ITEM_ROOT, "a part")
        path = text(item, Attribute.ITEM_PATH, "a part")
        target = None
        if Attribute.OBJECT_KEY in item:
            target = (
                text(item, Attribute.BUCKET, "a part"),
                text(item, Attribute.OBJECT_KEY, "a part"),
            )
        ref = _holder(root, path, context.spread)
    except (UnreadableItemError, InvalidInputError):
        return None
    if ref is None or created is None or ref.parts != key.partition or ref.root != root:
        return None
    return _Part(key, address, ref, created, target)


def _vector(context: Context, item: StoredItem, key: Key) -> _Vector | None:
    """The vector in an item, `None` where it does not say whose it is, or how old."""
    created = number_or_none(item, Attribute.CREATED)
    try:
        owner = vector_owner(vector_stem(key), context.spread)
    except InvalidInputError:
        return None
    if (
        owner is None
        or created is None
        or owner.ref.vector(owner.version, 0).partition != (key.partition)
    ):
        return None
    return _Vector(key, owner, created)


def _holder(root: str, path: str, spread: int) -> Holder | None:
    """The item of a primary key, `None` for the key of something else."""
    if is_cached(root):
        return entry_of(root, path)
    found = split_path(path)
    return None if found is None else ItemRef((root_label(root), *found[0]), found[1], spread)


def _token(start: StartKey) -> str:
    return json.dumps(start)


def _start(resume_from: str | None) -> StartKey | None:
    if resume_from is None:
        return None
    spec = SPECS[Table.STORE]
    try:
        start = json.loads(resume_from)
        if set(start) != {spec.partition_key, spec.sort_key}:
            raise ValueError
        return {name: {"S": str(start[name]["S"])} for name in start}
    except (ValueError, TypeError, LookupError) as error:
        raise InvalidInputError(
            "resume_from", "must be that of the report of an earlier sweep of this table"
        ) from error
