"""Key text of a cache, in a store's table or in one of its own. A public format.

No root label begins with a period, so nothing of a cache meets anything of a store. Namespaces and
keys of a cache may be any text of any length, so they are there as digests.

An entry: `root` is `.cache.<digest of the namespace>.<share>`, `path` the digest of the key
    Four shares take 4,000 writes of a kilobyte a second, and 12,000 reads of up to four, of one
    namespace; which one, the key decides. A namespace is cleared by a Query of each.

The registry: `root` is `.cache`, `path` the digest of a namespace
    One item for each namespace, so that all of them are cleared without a scan.

Parts of large values: `root` is `<root of the entry>.<path of the entry>`, `path` as a store's
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.key_text import digest_of, require_text
from langgraph_checkpoint_dynamodb.format.tables import Key

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.store.keys import Namespace

REGISTRY = ".cache"
"""Partition of the registry."""
SHARES = 4
"""Partitions of a namespace."""
_DIGEST = re.compile(r"[0-9a-f]{32}")
_ROOT = re.compile(rf"\.cache\.({_DIGEST.pattern})\.[0-9]")


@dataclass(frozen=True, slots=True)
class EntryRef:
    """Which entry.

    Attributes:
        namespace: Digest of its namespace.
        path: Digest of its key, its sort key.
    """

    namespace: str
    path: str

    @property
    def root(self) -> str:
        """Partition key of the entry."""
        return _partition(self.namespace, int(self.path, 16) % SHARES)

    @property
    def primary(self) -> Key:
        """Primary key of the entry."""
        return Key(self.root, self.path)

    @property
    def parts(self) -> str:
        """Partition key of the parts of its value."""
        return f"{self.root}.{self.path}"

    @property
    def key_names(self) -> tuple[str, ...]:
        """What its S3 objects are known by. The first of an item's of a store is a root label."""
        return (REGISTRY, "", self.namespace, self.path)

    @property
    def chunk_overhead_bytes(self) -> int:
        """Nothing: all keys are of fixed length."""
        return 0

    def __str__(self) -> str:
        return f"cache entry {self.path!r} in partition {self.root!r}"


def require_entry(namespace: object, key: object) -> EntryRef:
    """Which entry a namespace and a key are of.

    Raises:
        InvalidInputError: They are no texts, or cannot be stored.
    """
    return EntryRef(namespace_digest(namespace), digest_of((require_text("key", key),)))


def namespace_digest(namespace: object) -> str:
    """What stands for a namespace in keys.

    Raises:
        InvalidInputError: It is none: a tuple of texts, be it empty.
    """
    return digest_of(require_cached_namespace(namespace))


def require_cached_namespace(namespace: object) -> Namespace:
    """A namespace of a cache: any texts, or none.

    Raises:
        InvalidInputError: It is none.
    """
    if not isinstance(namespace, (tuple, list)):
        raise InvalidInputTypeError(
            "namespace", f"must be a tuple of strings, got {type(namespace).__name__}"
        )
    return tuple(require_text("namespace", label) for label in namespace)


def entry_of(root: str, path: str) -> EntryRef | None:
    """The entry of a primary key, `None` for the key of something else."""
    found = _ROOT.fullmatch(root)
    if found is None or _DIGEST.fullmatch(path) is None:
        return None
    ref = EntryRef(found[1], path)
    return ref if ref.root == root else None


def is_cached(partition: str) -> bool:
    """Whether a partition is of a cache: its entries, their parts, or its registry."""
    return partition == REGISTRY or partition.startswith(f"{REGISTRY}.")


def registry_key(namespace: str) -> Key:
    """Primary key of the item in the registry of a namespace of that digest."""
    return Key(REGISTRY, namespace)


def partitions_of(namespace: str) -> tuple[str, ...]:
    """The partitions of the namespace of that digest."""
    return tuple(_partition(namespace, share) for share in range(SHARES))


def _partition(namespace: str, share: int) -> str:
    return f"{REGISTRY}.{namespace}.{share}"
