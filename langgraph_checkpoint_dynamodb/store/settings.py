"""A store's settings: frozen, checked when made."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import botocore
from langgraph.store.base import TTLConfig

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.tables import Table, VectorIndexSpec
from langgraph_checkpoint_dynamodb.settings.checks import (
    LONGEST_LIFE,
    TABLE_NAME,
    require_bool,
    require_known_names,
    require_name,
    require_number,
    require_positive,
)
from langgraph_checkpoint_dynamodb.settings.connection import ConnectionSettings
from langgraph_checkpoint_dynamodb.settings.values import INCREMENTAL, payload_policy
from langgraph_checkpoint_dynamodb.store.errors import UnsupportedIndexError
from langgraph_checkpoint_dynamodb.store.keys import MOST_SPREAD

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.store.embedding import Indexing

_TTL_NAMES = ("refresh_on_read", "omit_expired", "default_ttl", "sweep_interval_minutes")
KEY_PREFIX = "langgraph-store/"
"""Default prefix of the keys of S3 objects."""
EXACT_SEARCH_WARNING = 10_000
"""Default number of vectors that an exact search compares without a warning."""
_SEARCHES_VECTORS = (1, 43, 64)
"""First release of the SDK with SearchVectors."""
_LONGEST_MINUTES = LONGEST_LIFE // 60
"""Minutes of a thousand years."""
_SHORTEST_MINUTES = 1e-6


@dataclass(frozen=True, kw_only=True)
class StoreSettings(ConnectionSettings):
    """Everything a store is configured with, beside `ConnectionSettings`.

    Attributes:
        store_table_name: Name or ARN of the table.
        ttl: LangGraph's `TTLConfig`; `None` for its defaults.
        filter_paths: Fields of values that searches often filter by.
        spread: Number of partitions of a root label.
        indexing: How values are embedded; `None` if they are not.
        vector_index: Name of the vector index that `setup()` creates and searches use; `None` for
            exact searches only.
        exact_search_warning: Number of vectors above which an exact search logs a warning.

    Raises:
        InvalidInputError: A value is invalid; the message names it.
    """

    store_table_name: str
    ttl: TTLConfig | None = None
    filter_paths: tuple[str, ...] = ()
    spread: int = 1
    indexing: Indexing | None = None
    vector_index: str | None = None
    exact_search_warning: int = EXACT_SEARCH_WARNING

    def __post_init__(self) -> None:
        super().__post_init__()
        require_name("store_table_name", self.store_table_name, TABLE_NAME)
        require_positive("spread", self.spread)
        if self.spread > MOST_SPREAD:
            raise InvalidInputError("spread", f"must be at most {MOST_SPREAD}, got {self.spread}")
        require_number("exact_search_warning", self.exact_search_warning, at_least=0)
        if self.vector_index is not None:
            _require_vector_index(self.vector_index, self.indexing)
        if self.ttl is not None:
            _require_ttl(self.ttl)
            # A copy, so that later changes by the caller have no effect.
            object.__setattr__(self, "ttl", TTLConfig(**self.ttl))

    @property
    def table_names(self) -> dict[Table, str]:
        """Name of each table."""
        return {Table.STORE: self.store_table_name}

    @property
    def vectors(self) -> VectorIndexSpec | None:
        """The vector index; `None` if none is used."""
        if self.vector_index is None or self.indexing is None:
            return None
        return VectorIndexSpec(self.vector_index, self.indexing.dims)

    @property
    def omits_expired(self) -> bool:
        """Whether reads omit expired items; by default they do.

        Other stores delete expired items every few minutes, DynamoDB within days.
        """
        return self.ttl is None or self.ttl.get("omit_expired", True)


def store_payloads(
    *,
    compression: str | None,
    s3_offload_config: object,
    max_value_bytes: int,
    key_prefix: str = KEY_PREFIX,
) -> PayloadPolicy:
    """The payload policy of a store or cache, from the user's settings.

    Raises:
        InvalidInputError: A setting is invalid; the message names it.
    """
    if compression == INCREMENTAL:
        raise InvalidInputError(
            "compression",
            'must be None, "gzip" or "zstd"; "incremental" is for checkpoints only',
        )
    return payload_policy(
        compression=compression,
        s3_offload_config=s3_offload_config,
        max_value_bytes=max_value_bytes,
        key_prefix=key_prefix,
    )


def require_filter_paths(paths: object) -> tuple[str, ...]:
    """The names of the fields to copy, in the order given, without duplicates.

    Raises:
        InvalidInputError: They are not names of fields.
    """
    if isinstance(paths, str) or not isinstance(paths, Sequence):
        raise InvalidInputTypeError("filter_paths", f"must be names, got {type(paths).__name__}")
    for name in paths:
        if not isinstance(name, str) or not name:
            raise InvalidInputError("filter_paths", f"must be names of fields, got {name!r}")
    return tuple(dict.fromkeys(paths))


def _require_vector_index(name: object, indexing: Indexing | None) -> None:
    require_name("vector_index", name, TABLE_NAME)
    if indexing is None:
        raise InvalidInputError("vector_index", "needs index, which defines what is embedded")
    # Looking for the API call itself would load the SDK's model, which is slow.
    found = tuple(int(part) for part in re.findall(r"\d+", botocore.__version__)[:3])
    if found < _SEARCHES_VECTORS:
        wanted = ".".join(map(str, _SEARCHES_VECTORS))
        raise UnsupportedIndexError(
            "vector_index",
            f"needs boto3 {wanted} or later, and botocore {botocore.__version__} is installed; "
            "upgrade boto3, or leave vector_index out: exact searches need no index",
        )


def require_minutes(name: str, minutes: object) -> float:
    """Check a time to live in minutes.

    Raises:
        InvalidInputError: It is not a number of minutes, or out of range.
    """
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)):
        raise InvalidInputTypeError(
            name, f"must be a number of minutes, got {type(minutes).__name__}"
        )
    if not math.isfinite(minutes) or not _SHORTEST_MINUTES <= minutes <= _LONGEST_MINUTES:
        raise InvalidInputError(
            name, f"must be above 0 and at most {_LONGEST_MINUTES} minutes, got {minutes}"
        )
    return minutes


def _require_ttl(ttl: object) -> None:
    if not isinstance(ttl, Mapping):
        raise InvalidInputTypeError("ttl", f"must be a TTLConfig, got {type(ttl).__name__}")
    require_known_names("ttl", ttl, _TTL_NAMES)
    for name in ("refresh_on_read", "omit_expired"):
        if name in ttl:
            require_bool(f"ttl.{name}", ttl[name])
    if ttl.get("default_ttl") is not None:
        require_minutes("ttl.default_ttl", ttl["default_ttl"])
    if ttl.get("sweep_interval_minutes") is not None:
        # Accepted but unused, as DynamoDB deletes expired items itself: the same config may serve
        # another store.
        require_number("ttl.sweep_interval_minutes", ttl["sweep_interval_minutes"], at_least=0)
