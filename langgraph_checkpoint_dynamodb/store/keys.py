"""Keys of the store's table. A public format, as that of the savers' tables.

Keys of a cache in the same table are in `cache_keys.py`: they begin with `.cache`.

Partition key `root`, sort key `path`. No label is empty or holds `.` or NUL.

An item of namespace (a, b, c) with key k
    `root` is the label a, so the root of a user or tenant is one value of `dynamodb:LeadingKeys`.
    `path` is `b NUL c NUL NUL k`: a NUL after each label, then one more, then the unchanged key.
    Labels are not empty, so the first two NULs in a row end the namespace, whatever the key holds:
    no two items have the same primary key. Paths below (a, b) begin with `b NUL`, which is one
    range, and paths directly in it with `b NUL NUL`. NUL sorts below every character, so items are
    sorted by namespace, label by label, as Python compares tuples.

With `spread` above 1, a root label has that many partitions: `a.00`, `a.01` ...
    The second label selects the partition, or the key if there is none: the items of (a, b) and
    below it share one partition. No label contains a `.`, so roots never share a partition.

The registry: `root` is `.namespaces.0` to `.namespaces.3`, `path` is `a NUL b NUL c NUL`
    One item for each namespace. The first two labels select the partition. Four partitions take
    4,000 new namespaces a second.

Parts of large values: `root` is `a.<digest of namespace and key>`, `path` as of the savers' parts
    `chunk/<digest>/<stamp>/<number>` and `object/<digest>/<stamp>`. Each item has a separate
    partition for them, outside the ranges that a search reads.

Vectors: `root` is that of their item and `.vectors`, `path` that of their item and 22 characters
    These are the version of the item and the number of the vector, in six digits. So the vectors
    below a prefix are one range, too, outside the ranges of items. Vectors are stored before their
    item, and readers ignore vectors of other versions than the item's.

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
"""Number of partitions of the registry."""
MOST_SPREAD = 100
"""Maximum partitions of a root label: a search of the whole label queries each of them."""
VERSION_LENGTH = 16
"""Number of characters of an item's version."""
MOST_VECTORS = 1_000_000
"""Maximum number of vectors of an item."""
_NUMBER_LENGTH = 6
_VECTORS = ".vectors"
VECTOR_FORMAT_KEY = Key(".namespaces.vectors", "stored")
"""Primary key of the vector format. An IAM policy for the registry covers it."""
_NUL = "\0"
_AFTER_NUL = "\x01"
"""The character after NUL, which ends the range of paths with a prefix that ends with NUL."""


class Holder(PartOwner, Protocol):
    """An item of a store, or an entry of a cache, whose value may be stored outside it."""

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
        """Partition key of the parts of its value; no other item uses it."""


@dataclass(frozen=True, slots=True)
class ItemRef:
    """Namespace and key of an item, checked against DynamoDB's limits.

    Attributes:
        namespace: The namespace, with at least one label.
        key: The key within it.
        spread: Number of partitions of a root label.

    Raises:
        InvalidInputError: The namespace is empty, the key is not a string, or the two are too long.
    """

    namespace: Namespace
    key: str
    spread: int = 1

    def __post_init__(self) -> None:
        if not self.namespace:
            raise NamespaceError("namespace", "must not be empty; name at least one label")
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
        return f"{namespace_path(self.namespace[1:])}{_NUL}{self.key}"

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
        """The common prefix of the keys of its vectors of one version."""
        return Key(self.root + _VECTORS, self.path + version)

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names in the keys of its S3 objects: four or more. A checkpoint has three."""
        return (self.namespace[0], "", *self.namespace, self.key)

    @property
    def chunk_overhead_bytes(self) -> int:
        """No extra bytes: a chunk's item has room for a key of 1,024 bytes."""
        return 0

    def __str__(self) -> str:
        return f"item {self.key!r} of namespace {self.namespace!r}"


def require_namespace(field: str, namespace: object) -> Namespace:
    """Check a namespace, which may be empty.

    Raises:
        NamespaceError: A label is empty, not a string, or contains `.` or NUL.
    """
    if isinstance(namespace, str) or not isinstance(namespace, (tuple, list)):
        raise InvalidInputTypeError(
            field, f"must be a tuple of labels, got {type(namespace).__name__}"
        )
    for label in namespace:
        if not isinstance(label, str):
            raise NamespaceError(field, f"has a label that is not a string: {label!r}")
        problem = _problem_of(label)
        if problem is not None:
            raise NamespaceError(field, f"{tuple(namespace)!r} has a label that {problem}")
        require_text(field, label)
    return tuple(namespace)


def namespace_path(namespace: Namespace) -> str:
    """The labels, each followed by NUL: the prefix of all paths below the namespace."""
    return "".join(f"{label}{_NUL}" for label in namespace)


def split_path(path: str) -> tuple[Namespace, str] | None:
    """The labels and the key in the path of an item; `None` if it is not the path of an item."""
    if path.startswith(_NUL):
        return (), path[1:]
    labels, separator, key = path.partition(_NUL + _NUL)
    if not separator:
        return None
    return tuple(labels.split(_NUL)), key


def root_label(partition: str) -> str:
    """The root label of a partition of items."""
    return partition.partition(".")[0]


def holds_items(partition: str, spread: int) -> bool:
    """Whether a partition holds items, rather than parts, vectors or the registry."""
    label, _, share = partition.partition(".")
    if not label:
        return False
    return not share if spread == 1 else len(share) == 2


def partitions_below(prefix: Namespace, spread: int) -> tuple[str, ...]:
    """The partitions of the items below a prefix, which has at least one label."""
    if len(prefix) > 1 or spread == 1:
        return (_partition(prefix[0], prefix[1] if len(prefix) > 1 else "", spread),)
    return tuple(_spread_partition(prefix[0], share) for share in range(spread))


def range_below(prefix: Namespace) -> SortRange:
    """The paths of items below a prefix, which has at least one label, in each partition."""
    path = namespace_path(prefix[1:])
    return _beginning_with(path) if path else SortRange()


def range_directly_in(namespace: Namespace) -> SortRange:
    """The paths of a namespace's own items."""
    return _beginning_with(namespace_path(namespace[1:]) + _NUL)


class VectorOwner(NamedTuple):
    """The item that a vector belongs to, and its version."""

    ref: ItemRef
    version: str


def is_of_vectors(partition: str) -> bool:
    """Whether a partition holds vectors."""
    return partition.endswith(_VECTORS) and not partition.startswith(".")


def vector_stem(key: Key) -> Key:
    """The key of a vector without the vector's number."""
    return Key(key.partition, key.sort[:-_NUMBER_LENGTH])


def vector_order(stem: Key) -> tuple[str, str]:
    """Sort key that orders vectors by the namespaces and keys of their items."""
    return root_label(stem.partition), stem.sort[:-VERSION_LENGTH]


def vector_owner(stem: Key, spread: int) -> VectorOwner | None:
    """The item and version of the vectors with this stem; `None` if it is not a vector's.

    Raises:
        InvalidInputError: The namespace or key of the item is invalid.
    """
    path, version = stem.sort[:-VERSION_LENGTH], stem.sort[-VERSION_LENGTH:]
    found = split_path(path)
    if found is None or not is_of_vectors(stem.partition):
        return None
    return VectorOwner(ItemRef((root_label(stem.partition), *found[0]), found[1], spread), version)


def vector_partitions_below(prefix: Namespace, spread: int) -> tuple[str, ...]:
    """The partitions of the vectors below a prefix, which has at least one label."""
    return tuple(partition + _VECTORS for partition in partitions_below(prefix, spread))


def require_room_for_vectors(ref: ItemRef) -> None:
    """Check that the keys of an item's vectors, which are longer than its own, are not too long.

    Raises:
        InvalidInputError: They are.
    """
    room = SORT_KEY_LIMIT - VERSION_LENGTH - _NUMBER_LENGTH
    require_key_fits("key of an item with vectors", ref.path, room)


def registry_key(namespace: Namespace) -> Key:
    """Primary key of the registration of a namespace."""
    return Key(_registry_share(namespace), namespace_path(namespace))


def registry_partitions(prefix: Namespace) -> tuple[str, ...]:
    """The partitions of the registry that hold the namespaces below a prefix."""
    if len(prefix) > 1:
        return (_registry_share(prefix),)
    return tuple(f".namespaces.{share}" for share in range(SHARES))


def registry_range(prefix: Namespace, after: Namespace | None = None) -> SortRange:
    """The paths of the namespaces below a prefix, optionally only those after a subtree.

    Args:
        prefix: The prefix.
        after: A namespace below it: the range starts after it and all namespaces below it.
    """
    whole = _beginning_with(namespace_path(prefix)) if prefix else SortRange()
    if after is None:
        return whole
    return SortRange(namespace_path(after)[:-1] + _AFTER_NUL, whole.high)


def is_registry(partition: str) -> bool:
    """Whether a partition belongs to the registry."""
    return partition.startswith(".namespaces.") and partition != VECTOR_FORMAT_KEY.partition


def registered_namespace(path: str) -> Namespace | None:
    """The namespace of a path in the registry; `None` if the path is damaged."""
    if not path.endswith(_NUL):
        return None
    labels = tuple(path[:-1].split(_NUL))
    return None if any(_problem_of(label) for label in labels) else labels


def _registry_share(namespace: Namespace) -> str:
    return f".namespaces.{int(digest_of(namespace[:2]), 16) % SHARES}"


def _partition(root: str, spread_by: str, spread: int) -> str:
    if spread == 1:
        return root
    return _spread_partition(root, int(digest_of((spread_by,)), 16) % spread)


def _spread_partition(root: str, share: int) -> str:
    return f"{root}.{share:02}"


def _beginning_with(path: str) -> SortRange:
    """The paths with a prefix that ends with NUL."""
    # The end of the range is no path: a path of an item has two NULs in a row, or begins with one.
    return SortRange(path, path[:-1] + _AFTER_NUL)


def _problem_of(label: str) -> str | None:
    if not label:
        return "is empty"
    if "." in label:
        return "holds a period"
    return "holds NUL" if _NUL in label else None
