"""Keys of a cache, in a store's table or in a table of its own. A public format.

No root label begins with a period, so keys of a cache and a store never collide. Namespaces and
keys of a cache may be any text of any length, so their digests are stored.

An entry: `root` is `.cache.<digest of the namespace>.<share>`, `path` the digest of the key
    The key selects the share. The four shares of a namespace take 4,000 writes of a kilobyte and
    12,000 reads of up to four kilobytes a second. Clearing a namespace queries each share.

The registry: `root` is `.cache`, `path` the digest of a namespace
    One item for each namespace, so that clearing the whole cache needs no scan.

Parts of large values: `root` is `<root of the entry>.<path of the entry>`, `path` as in a store
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.key_text import digest_of, require_text
from langgraph_checkpoint_dynamodb.format.tables import Key

REGISTRY = ".cache"
"""Partition key of the registry."""
SHARES = 4
"""Number of partitions of a namespace."""
_DIGEST = re.compile(r"[0-9a-f]{32}")
_ROOT = re.compile(rf"\.cache\.({_DIGEST.pattern})\.[0-9]")


@dataclass(frozen=True, slots=True)
class EntryRef:
    """Digests of the namespace and the key of an entry.

    Attributes:
        namespace: Digest of its namespace.
        path: Digest of its key, which is the sort key.
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
        """The names in the keys of its S3 objects. The first is no root label, as a store's is."""
        return (REGISTRY, "", self.namespace, self.path)

    @property
    def chunk_overhead_bytes(self) -> int:
        """No extra bytes: all keys are of fixed length."""
        return 0

    def __str__(self) -> str:
        return f"cache entry {self.path!r} in partition {self.root!r}"


def require_entry(namespace: object, key: object) -> EntryRef:
    """The entry of a namespace and a key.

    Raises:
        InvalidInputError: The namespace is not a tuple of strings, the key is not a string, or one
            of them has a lone surrogate.
    """
    return EntryRef(namespace_digest(namespace), digest_of((require_text("key", key),)))


def namespace_digest(namespace: object) -> str:
    """The digest of a namespace, which may be empty.

    Raises:
        InvalidInputError: It is not a tuple of strings.
    """
    if not isinstance(namespace, (tuple, list)):
        raise InvalidInputTypeError(
            "namespace", f"must be a tuple of strings, got {type(namespace).__name__}"
        )
    return digest_of(tuple(require_text("namespace", label) for label in namespace))


def entry_of(root: str, path: str) -> EntryRef | None:
    """The entry of a primary key; `None` if the key is not that of an entry."""
    found = _ROOT.fullmatch(root)
    if found is None or _DIGEST.fullmatch(path) is None:
        return None
    ref = EntryRef(found[1], path)
    return ref if ref.root == root else None


def is_cached(partition: str) -> bool:
    """Whether a partition belongs to a cache: to entries, parts of values or the registry."""
    return partition == REGISTRY or partition.startswith(f"{REGISTRY}.")


def registry_key(namespace: str) -> Key:
    """Primary key of the registration of a namespace, by its digest."""
    return Key(REGISTRY, namespace)


def partitions_of(namespace: str) -> tuple[str, ...]:
    """The partitions of a namespace, by its digest."""
    return tuple(_partition(namespace, share) for share in range(SHARES))


def _partition(namespace: str, share: int) -> str:
    return f"{REGISTRY}.{namespace}.{share}"
