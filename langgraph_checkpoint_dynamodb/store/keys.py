"""Key text of the store's table. A public format, as that of the savers' tables.

That of a cache in the same table is in `cached.py`: it begins with `.cache`.

Partition key `root`, sort key `path`. No label is empty or holds `.` or NUL.

An item of namespace (a, b, c) with key k
    `root` is the label a, so one user's or one tenant's root is one value of
    `dynamodb:LeadingKeys`. `path` is `b NUL c NUL NUL k`: a NUL after each label, then one more,
    then the key as it is. Labels are not empty, so the second NUL in a row begins the key, whatever
    that holds: no two items meet. What is below (a, b) begins with `b NUL`, which is one range, and
    what is directly in it with `b NUL NUL`. NUL sorts below every character, so items are in the
    order of their namespaces, label by label, as Python compares tuples.

With `spread` above 1, a root label has that many partitions: `a.00`, `a.01` ...
    Which one, the second label decides, or the key where there is none: the items of (a, b) and all
    that is below stay together. A `.` is in no label, so no other root meets them.

The registry: `root` is `.namespaces.0` to `.namespaces.3`, `path` is `a NUL b NUL c NUL`
    One item for each namespace. Four partitions take 4,000 namespaces a second; which one, the
    first two labels decide.

Parts of large values: `root` is `a.<digest of namespace and key>`, `path` as of the savers' parts
    `chunk/<digest>/<stamp>/<number>` and `object/<digest>/<stamp>`. Every item has a partition of
    its own for them, outside the ranges that a search reads.

Vectors: `root` is that of their item and `.vectors`, `path` that of their item and 22 characters
    The version of the item, then the number of the vector, in six digits. So what is below a prefix
    is one range of them, too, and they are outside the ranges of items. The vectors of an item are
    those of its version: they are stored before it, and others count for nobody.

The record of all vectors: `root` is `.namespaces.vectors`, `path` is `stored`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.key_text import (
    SORT_KEY_LIMIT,
    digest_of,
    require_key_fits,
    require_text,
)
from langgraph_checkpoint_dynamodb.format.parts import PartOwner
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Key
from langgraph_checkpoint_dynamodb.store.errors import NamespaceError

Namespace: TypeAlias = tuple[str, ...]

SHARES = 4
"""Partitions of the registry."""
MOST_SPREAD = 100
"""Partitions of a root label, at most: a search of the whole label asks each of them."""
VERSION_LENGTH = 16
"""Characters of an item's version."""
MOST_VECTORS = 1_000_000
"""Vectors of an item, at most."""
_NUMBER_LENGTH = 6
_VECTORS = ".vectors"
VECTORS_RECORD = Key(".namespaces.vectors", "stored")
"""The item that tells of the vectors of the table, in reach of whoever may enter namespaces."""
_END = "\0"
_AFTER = "\x01"
"""The character after NUL: the end of the range of what begins with a text that ends with NUL."""


class Holder(PartOwner, Protocol):
    """An item of the table whose value may lie outside it: of a store, or of a cache (`cached`)."""

    @property
    def root(self) -> str:
        """Partition key of the item."""

    @property
    def path(self) -> str:
        """Sort key of the item."""

    @property
    def primary(self) -> Key:
        """Primary key of the item."""

    @property
    def parts(self) -> str:
        """Partition key of the parts of its value, which are of no other item."""


@dataclass(frozen=True, slots=True)
class ItemRef:
    """Which item: namespace and key, checked against DynamoDB's limits.

    Attributes:
        namespace: The namespace, of one label at least.
        key: The key within it.
        spread: Over how many partitions a root label is spread.

    Raises:
        InvalidInputError: They cannot be stored.
    """

    namespace: Namespace
    key: str
    spread: int = 1

    def __post_init__(self) -> None:
        if not self.namespace:
            raise NamespaceError("namespace", "must not be empty; an item belongs to one")
        require_text("key", self.key)
        require_key_fits("namespace", namespace_path(self.namespace), SORT_KEY_LIMIT)
        require_key_fits("key", self.path, SORT_KEY_LIMIT)

    @property
    def root(self) -> str:
        """Partition key of the item."""
        root, *rest = self.namespace
        return _partition(root, rest[0] if rest else self.key, self.spread)

    @property
    def path(self) -> str:
        """Sort key of the item."""
        return f"{namespace_path(self.namespace[1:])}{_END}{self.key}"

    @property
    def primary(self) -> Key:
        """Primary key of the item."""
        return Key(self.root, self.path)

    @property
    def parts(self) -> str:
        """Partition key of the parts of its value."""
        return f"{self.namespace[0]}.{digest_of((*self.namespace, self.key))}"

    def vector(self, version: str, number: int) -> Key:
        """Primary key of one of its vectors.

        Args:
            version: The version of the item.
            number: The number of the vector.
        """
        stem = self.vector_stem(version)
        return Key(stem.partition, f"{stem.sort}{number:0{_NUMBER_LENGTH}}")

    def vector_stem(self, version: str) -> Key:
        """What the keys of all vectors of one version of it begin with."""
        return Key(self.root + _VECTORS, self.path + version)

    @property
    def key_names(self) -> tuple[str, ...]:
        """What its S3 objects are known by. A checkpoint has three names, this has four or more."""
        return (self.namespace[0], "", *self.namespace, self.key)

    @property
    def chunk_overhead_bytes(self) -> int:
        """Nothing that the room of a chunk's item has not enough of: a key of 1,024 bytes."""
        return 0

    def __str__(self) -> str:
        return f"item {self.key!r} of namespace {self.namespace!r}"


def require_namespace(field: str, namespace: object) -> Namespace:
    """The namespace, if every label can be stored. It may have none.

    Raises:
        NamespaceError: A label is empty, no text, or holds `.` or NUL.
    """
    if isinstance(namespace, str) or not isinstance(namespace, (tuple, list)):
        raise InvalidInputTypeError(
            field, f"must be a tuple of labels, got {type(namespace).__name__}"
        )
    for label in namespace:
        if not isinstance(label, str):
            raise NamespaceError(field, f"has a label that is no text: {label!r}")
        problem = _problem_of(label)
        if problem is not None:
            raise NamespaceError(field, f"{tuple(namespace)!r} has a label that {problem}")
        require_text(field, label)
    return tuple(namespace)


def namespace_path(namespace: Namespace) -> str:
    """The labels, each with its end: what all that is below them begins with."""
    return "".join(f"{label}{_END}" for label in namespace)


def split_path(path: str) -> tuple[Namespace, str] | None:
    """The labels and the key in the path of an item; `None` for the path of something else."""
    if path.startswith(_END):
        return (), path[1:]
    labels, separator, key = path.partition(_END + _END)
    if not separator:
        return None
    return tuple(labels.split(_END)), key


def root_label(partition: str) -> str:
    """The root label of a partition of items."""
    return partition.partition(".")[0]


def holds_items(partition: str, spread: int) -> bool:
    """Whether a partition is of items, and not of the registry or of parts."""
    label, _, share = partition.partition(".")
    if not label:
        return False
    return not share if spread == 1 else len(share) == 2


def partitions_below(prefix: Namespace, spread: int) -> tuple[str, ...]:
    """The partitions of what is below a prefix of one label at least."""
    if len(prefix) > 1 or spread == 1:
        return (_partition(prefix[0], prefix[1] if len(prefix) > 1 else "", spread),)
    return tuple(_shared(prefix[0], share) for share in range(spread))


def range_below(prefix: Namespace) -> SortRange:
    """The paths of items below a prefix of one label at least, in each of its partitions."""
    path = namespace_path(prefix[1:])
    return _beginning_with(path) if path else SortRange()


def range_directly_in(namespace: Namespace) -> SortRange:
    """The paths of a namespace's own items."""
    return _beginning_with(namespace_path(namespace[1:]) + _END)


class VectorOwner(NamedTuple):
    """Whose a vector is: an item, and the version of it."""

    ref: ItemRef
    version: str


def is_of_vectors(partition: str) -> bool:
    """Whether a partition is of vectors."""
    return partition.endswith(_VECTORS) and not partition.startswith(".")


def vector_stem(key: Key) -> Key:
    """The key of a vector without the vector's number."""
    return Key(key.partition, key.sort[:-_NUMBER_LENGTH])


def vector_place(stem: Key) -> tuple[str, str]:
    """What vectors are in the order of that are in the order of namespaces and keys."""
    return root_label(stem.partition), stem.sort[:-VERSION_LENGTH]


def vector_owner(stem: Key, spread: int) -> VectorOwner | None:
    """Whose vectors have this stem; `None` where it is of none.

    Raises:
        InvalidInputError: It is of an item that cannot be.
    """
    path, version = stem.sort[:-VERSION_LENGTH], stem.sort[-VERSION_LENGTH:]
    found = split_path(path)
    if found is None or not is_of_vectors(stem.partition):
        return None
    return VectorOwner(ItemRef((root_label(stem.partition), *found[0]), found[1], spread), version)


def vector_partitions_below(prefix: Namespace, spread: int) -> tuple[str, ...]:
    """The partitions of the vectors below a prefix of one label at least."""
    return tuple(partition + _VECTORS for partition in partitions_below(prefix, spread))


def require_room_for_vectors(ref: ItemRef) -> None:
    """Check that the keys of an item's vectors, which are longer than its own, can be stored.

    Raises:
        InvalidInputError: They cannot.
    """
    room = SORT_KEY_LIMIT - VERSION_LENGTH - _NUMBER_LENGTH
    require_key_fits("key of an item with vectors", ref.path, room)


def registry_key(namespace: Namespace) -> Key:
    """Primary key of a namespace's item in the registry."""
    return Key(_registry_share(namespace), namespace_path(namespace))


def registry_partitions(prefix: Namespace) -> tuple[str, ...]:
    """The partitions of the registry in which the namespaces below a prefix are."""
    if len(prefix) > 1:
        return (_registry_share(prefix),)
    return tuple(f".namespaces.{share}" for share in range(SHARES))


def registry_range(prefix: Namespace, after: Namespace | None = None) -> SortRange:
    """The paths of namespaces below a prefix, beyond all that is below another.

    Args:
        prefix: The prefix.
        after: A namespace below it.
    """
    whole = _beginning_with(namespace_path(prefix)) if prefix else SortRange()
    if after is None:
        return whole
    return SortRange(namespace_path(after)[:-1] + _AFTER, whole.high)


def is_registry(partition: str) -> bool:
    """Whether a partition is one of the registry's."""
    return partition.startswith(".namespaces.") and partition != VECTORS_RECORD.partition


def registered_namespace(path: str) -> Namespace | None:
    """The namespace of a path in the registry, `None` where it is none."""
    if not path.endswith(_END):
        return None
    labels = tuple(path[:-1].split(_END))
    return None if any(_problem_of(label) for label in labels) else labels


def _registry_share(namespace: Namespace) -> str:
    return f".namespaces.{int(digest_of(namespace[:2]), 16) % SHARES}"


def _partition(root: str, decides: str, spread: int) -> str:
    if spread == 1:
        return root
    return _shared(root, int(digest_of((decides,)), 16) % spread)


def _shared(root: str, share: int) -> str:
    return f"{root}.{share:02}"


def _beginning_with(path: str) -> SortRange:
    """The paths that begin with one that ends with NUL."""
    # The end itself is no path: every path of an item has two NULs in a row, or begins with one.
    return SortRange(path, path[:-1] + _AFTER)


def _problem_of(label: str) -> str | None:
    if not label:
        return "is empty"
    if "." in label:
        return "holds a period"
    return "holds NUL" if _END in label else None
