"""The parts of a store: tables, indexes, bucket and keys, with the settings they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3

    from langgraph_checkpoint_dynamodb_cdk.access import TenantLimits


@dataclass(frozen=True)
class ThreadIndex:
    """The index of threads by owner.

    Attributes:
        owner: The key of a run's `configurable` or metadata that names the owner.
        name: Name of the index.
    """

    owner: str
    name: str


@dataclass(frozen=True, kw_only=True)
class StoreParts:
    """The parts of a store, created by the construct or imported.

    Attributes:
        given_names: Names of the checkpoints and writes tables as the user passed them. Unlike
            `ITableV2.table_name` they are no tokens, so ARNs can be sorted by them.
        given_store_name: The same for the store table.
        tenant: Default limits of the role `tenant`.
    """

    checkpoints_table: dynamodb.ITableV2
    writes_table: dynamodb.ITableV2
    given_names: tuple[str, str]
    store_table: dynamodb.ITableV2 | None
    given_store_name: str | None
    vector_index_name: str | None
    bucket: s3.IBucket | None
    bucket_key_prefix: str
    store_bucket_key_prefix: str
    run_id_index_name: str | None
    thread_index: ThreadIndex | None
    ttl_seconds: int | None
    encryption_keys: tuple[kms.IKey, ...]
    replica_regions: tuple[str, ...]
    replica_kms_key_arns: Mapping[str, str]
    tenant: TenantLimits
    limits_reads: bool = False
    limits_writes: bool = False

    @property
    def thread_index_name(self) -> str | None:
        """Name of the thread index, `None` without one."""
        return None if self.thread_index is None else self.thread_index.name
