"""The sweep: deletes what processes left behind that died during a call, and empty namespaces.

Parts and vectors are stored before the item that refers to them, so they are orphans if that item
was never stored. Requests that do not return the item they replace also leave its parts and vectors
behind. No reader ever sees orphans. Young ones are kept: their call may still be running.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
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
from langgraph_checkpoint_dynamodb.store.cache_keys import entry_of, is_cached
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
from langgraph_checkpoint_dynamodb.store.ops.namespaces import unregister_empty
from langgraph_checkpoint_dynamodb.store.registry import Registration, read_registration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langgraph_checkpoint_dynamodb.format.parts import PartAddress
    from langgraph_checkpoint_dynamodb.requests.items import Page, StartKey, StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.keys import Holder

_ATTRIBUTES = (
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
    """The result of a sweep of the store's table.

    Attributes:
        pages: Pages of the table that were read.
        examined: Items on these pages.
        chunks_deleted: Deleted chunks of values that no item refers to.
        objects_deleted: Deleted S3 objects that no item refers to.
        vectors_deleted: Deleted vectors of items that were deleted or replaced.
        namespaces_deleted: Namespaces without items that were removed from the registry.
        young: Parts and vectors that were kept because they are not old enough.
        unknown: Items that were kept because their owner or age is unreadable, or because they
            refer to an object that is not known to belong to the store.
        resume_from: Token to continue with in the next sweep; `None` at the end of the table.
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
    """A part of a value, as the scan returns it.

    Attributes:
        key: Primary key of the part.
        address: Address of the value it belongs to.
        ref: The item or cache entry of that value.
        created: When it was stored, in seconds since the epoch.
        target: Bucket and key of the S3 object it refers to; `None` for a chunk.
    """

    key: Key
    address: PartAddress
    ref: Holder
    created: int
    target: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class _Vector:
    """A vector, as the scan returns it.

    Attributes:
        key: Primary key of the vector.
        owner: The item it belongs to, and its version.
        created: When it was stored, in seconds since the epoch.
    """

    key: Key
    owner: VectorOwner
    created: int


@dataclass(slots=True)
class _Candidates:
    """What a sweep of a page may delete.

    Attributes:
        parts: Parts of values that are old enough.
        vectors: Vectors that are old enough.
        registrations: Registered namespaces.
        young: Number of parts and vectors that are not old enough.
        unknown: Number of items whose owner or age is unreadable.
    """

    parts: list[_Part] = field(default_factory=list)
    vectors: list[_Vector] = field(default_factory=list)
    registrations: list[Registration] = field(default_factory=list)
    young: int = 0
    unknown: int = 0


def sweep_orphans(
    context: Context, older_than: int, resume_from: str | None, max_pages: int | None
) -> Operation[StoreSweepReport]:
    """Delete orphans and empty namespaces.

    Args:
        context: Settings and time of the call.
        older_than: Minimum age of the orphans to delete, in seconds.
        resume_from: Token of an earlier sweep; `None` for the beginning of the table.
        max_pages: Maximum number of pages to read; `None` for all.
    """
    scan = Scan(Table.STORE, consistent=True, start=_start(resume_from), attributes=_ATTRIBUTES)
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
    found = _candidates(context, page.items, before)
    swept = yield from together(
        [_sweep_item(context, list(some), before) for some in _by_item(found.parts)]
    )
    unregistered = yield from unregister_empty(
        context, found.registrations, len(found.registrations)
    )
    report = StoreSweepReport(
        pages=1,
        examined=len(page.items),
        vectors_deleted=(yield from _sweep_vectors(context, found.vectors, before)),
        namespaces_deleted=unregistered,
        young=found.young,
        unknown=found.unknown,
    )
    for one in swept:
        report = report.plus(one)
    return report


def _candidates(context: Context, items: Sequence[StoredItem], before: int) -> _Candidates:
    """The parts and vectors among some items that were stored before a time, and registrations."""
    found = _Candidates()
    for item in items:
        key = read_key(item, Table.STORE)
        address = part_address_of(key.sort)
        if is_registry(key.partition):
            candidate: _Part | _Vector | Registration | None = _registration(item)
        elif is_of_vectors(key.partition):
            candidate = _vector(context, item, key)
        elif address is not None and "." in key.partition:
            candidate = _part(context, item, key, address)
        else:
            continue
        match candidate:
            case None:
                found.unknown += 1
            case Registration():
                found.registrations.append(candidate)
            case _Part() | _Vector() if candidate.created > before:
                found.young += 1
            case _Vector():
                found.vectors.append(candidate)
            case _Part():
                found.parts.append(candidate)
    return found


def _registration(item: StoredItem) -> Registration | None:
    """Parse an item of the registry; `None` if it is damaged."""
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
    """Delete the parts of one item that it does not refer to."""
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
    """Delete the vectors whose item is missing or has another version, and return their number."""
    refs = list(dict.fromkeys(one.owner.ref for one in vectors))
    keys = [ref.primary for ref in refs]
    items = (yield from read_all(context.consistently(), keys)) if keys else []
    current = {
        (read_key(one, Table.STORE), one.get(Attribute.VERSION, {}).get("S")) for one in items
    }
    orphans = [one for one in vectors if (one.owner.ref.primary, one.owner.version) not in current]
    deleted = yield from together(
        [send(DeleteIfOld(Table.STORE, one.key, before)) for one in orphans]
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
    """Parse a part; `None` if its owner or age is unreadable, or its owner has no such part."""
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
    """Parse a vector; `None` if its owner or age is unreadable."""
    created = number_or_none(item, Attribute.CREATED)
    try:
        owner = vector_owner(vector_stem(key), context.spread)
    except InvalidInputError:
        return None
    if (
        owner is None
        or created is None
        or owner.ref.vector_stem(owner.version).partition != key.partition
    ):
        return None
    return _Vector(key, owner, created)


def _holder(root: str, path: str, spread: int) -> Holder | None:
    """The item or cache entry of a primary key; `None` if the key is neither's."""
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
            "resume_from", "must be resume_from of the report of an earlier sweep of this table"
        ) from error
