"""Vectors as items of the table, and the record of their format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from langgraph_checkpoint_dynamodb.errors import TableMismatchError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import (
    as_numbers,
    binary,
    make_item,
    optional_number,
    read_key,
    text,
    typed,
)
from langgraph_checkpoint_dynamodb.requests.items import Expected, Put, Update
from langgraph_checkpoint_dynamodb.store.embedding import pack, packed_bytes, unpack
from langgraph_checkpoint_dynamodb.store.keys import MOST_VECTORS, VECTOR_FORMAT_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.requests.items import Item, StoredItem
    from langgraph_checkpoint_dynamodb.store.keys import ItemRef

Form: TypeAlias = Literal["packed", "list"]
"""`packed` is the smallest form. A vector index needs a `list`, which is nearly twice as large."""

FORMS: tuple[Form, ...] = get_args(Form)


@dataclass(frozen=True, slots=True)
class VectorFormat:
    """The format of all vectors of a table.

    Attributes:
        dims: Number of dimensions.
        form: The form in which they are stored.
    """

    dims: int
    form: Form


def vector_puts(
    ref: ItemRef,
    version: str,
    vectors: Sequence[bytes],
    created: int,
    ttl: int | None,
    form: Form,
) -> list[Put]:
    """The requests that store the vectors of an item.

    Args:
        ref: The item.
        version: The version of the item that they belong to.
        vectors: The vectors, packed.
        created: Time of the call, in seconds since the epoch.
        ttl: When they may be deleted, in seconds since the epoch; `None` for never.
        form: The form in which to store them.
    """
    attributes = {Attribute.CREATED: created, Attribute.TTL: ttl}
    puts = []
    for number, vector in enumerate(vectors):
        key = ref.vector(version, number)
        numbers = _packed(vector) if form == "packed" else _listed(ref, vector)
        item = {**make_item(Table.STORE, key, attributes), **numbers}
        puts.append(Put(Table.STORE, key, item))
    return puts


def vector_keys(ref: ItemRef, version: str, count: int) -> list[Key]:
    """Primary keys of the vectors of an item.

    Args:
        ref: The item.
        version: The version of the item that they belong to.
        count: The number of its vectors.
    """
    return [ref.vector(version, number) for number in range(count)]


def vectors_of(item: StoredItem, place: str) -> int:
    """The number of vectors of an item.

    Raises:
        UnreadableItemError: The attribute is damaged.
    """
    count = optional_number(item, Attribute.VECTORS, place) or 0
    if count > MOST_VECTORS:
        raise UnreadableItemError(
            place=place, attribute=Attribute.VECTORS, problem=f"is over {MOST_VECTORS}"
        )
    return count


def vector_keys_if_readable(ref: ItemRef, item: StoredItem) -> list[Key]:
    """Primary keys of the vectors of a deleted item; none if it is damaged."""
    try:
        count = vectors_of(item, str(ref))
        return vector_keys(ref, text(item, Attribute.VERSION, str(ref)), count) if count else []
    except UnreadableItemError:
        return []


def read_vector(item: StoredItem, dims: int, table_name: str) -> bytes:
    """Parse a vector of either form, and pack it.

    Raises:
        UnreadableItemError: It is damaged.
        TableMismatchError: It has another number of dimensions.
    """
    key = read_key(item, Table.STORE)
    place = f"vector {key.sort!r} of partition {key.partition!r} in the store's table"
    if Attribute.VECTOR in item:
        packed = _packed_list(item, place)
    else:
        packed = binary(item, Attribute.PACKED, place)
    if len(packed) == packed_bytes(dims):
        return packed
    found, rest = divmod(len(packed), packed_bytes(1))
    if rest:
        raise UnreadableItemError(
            place=place, attribute=Attribute.PACKED, problem="is not made of 32-bit numbers"
        )
    raise TableMismatchError(
        table_name,
        f"has a vector of {found} numbers ({place}), and index.dims is {dims}; "
        "embed with the model that the table's vectors were made by, or use another table",
    )


def vector_format_update(wanted: VectorFormat) -> Update:
    """The update that stores the vector format. Its condition fails if there is one already."""
    absent = Expected(Attribute.DIMS)
    values = typed({Attribute.DIMS: wanted.dims, Attribute.FORM: wanted.form})
    return Update(Table.STORE, VECTOR_FORMAT_KEY, values, expected=absent)


def parse_vector_format(item: StoredItem) -> VectorFormat:
    """Parse the record of the vector format.

    Raises:
        UnreadableItemError: It is damaged, or of a later version.
    """
    place = "the record of all vectors of the store's table"
    dims = optional_number(item, Attribute.DIMS, place)
    if dims is None:
        raise UnreadableItemError(place=place, attribute=Attribute.DIMS, problem="is missing")
    form = text(item, Attribute.FORM, place)
    if form not in FORMS:
        raise UnreadableItemError(
            place=place,
            attribute=Attribute.FORM,
            problem="names a form that this version does not know; upgrade",
        )
    return VectorFormat(dims, form)


def _packed(vector: bytes) -> Item:
    return typed({Attribute.PACKED: vector})


def _listed(ref: ItemRef, vector: bytes) -> Item:
    """A vector for the index, with the labels it filters by. Deeper labels are left out."""
    root, *labels = ref.namespace
    filters = dict(zip(Attribute.VECTOR_LABELS, labels, strict=False))
    numbers: Item = {Attribute.VECTOR: {"L": as_numbers(unpack(vector))}}
    return {**numbers, **typed({Attribute.VECTOR_ROOT: root, **filters})}


def _packed_list(item: StoredItem, place: str) -> bytes:
    match item[Attribute.VECTOR]:
        case {"L": list(numbers)}:
            try:
                return pack([float(one["N"]) for one in numbers])
            except (LookupError, ValueError, OverflowError):
                pass
    raise UnreadableItemError(
        place=place, attribute=Attribute.VECTOR, problem="is no list (L) of numbers (N)"
    )
