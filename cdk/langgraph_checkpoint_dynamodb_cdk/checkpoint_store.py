"""The construct that creates the tables, or imports existing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from langgraph_checkpoint_dynamodb_cdk import arguments, checks
from langgraph_checkpoint_dynamodb_cdk.base import CheckpointStoreBase
from langgraph_checkpoint_dynamodb_cdk.bucket import make_bucket
from langgraph_checkpoint_dynamodb_cdk.parts import StoreParts
from langgraph_checkpoint_dynamodb_cdk.schema import (
    CHECKPOINTS,
    DEFAULT_BUCKET_KEY_PREFIX,
    DEFAULT_CHECKPOINTS_TABLE_NAME,
    DEFAULT_STORE_BUCKET_KEY_PREFIX,
    DEFAULT_THREAD_INDEX_NAME,
    DEFAULT_WRITES_TABLE_NAME,
    STORE,
    WRITES,
)
from langgraph_checkpoint_dynamodb_cdk.tables import (
    TableSettings,
    VectorIndex,
    add_vector_index,
    make_table,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

_POLICY_PER_REPLICA = "@aws-cdk/aws-dynamodb:resourcePolicyPerReplica"


class CheckpointStore(CheckpointStoreBase):
    """The two tables of `DynamoDBSaver`, with an optional table of `DynamoDBStore` and a bucket.

    Billing is on demand. Items expire by their attribute `ttl`, which the saver sets only with
    `ttl_seconds`. The tables, and a bucket created here, are encrypted.

    Args:
        scope: The scope of this construct.
        construct_id: Its id, unique in the scope.
        checkpoints_table_name: Name of the checkpoints table. Default: `"langgraph-checkpoints"`.
        writes_table_name: Name of the writes table. Default: `"langgraph-writes"`.
        store_table_name: Name of the table of a LangGraph store, with the settings of the two other
            tables. Default: no such table.
        store_vector_index_name: Name of a vector index on the store table, for semantic search; the
            store's `vector_index`. Default: no index, the store compares vectors itself.
        store_vector_dimensions: Dimensions of the vectors, equal to those of the store's `index`,
            from 1 to 4,096. Required with `store_vector_index_name`. Neither can be changed later.
        run_id_index_name: Name of the index on run ids, which `delete_for_runs` uses. Default: no
            index.
        thread_index_owner: The key of a run's `configurable` or metadata that names the owner of
            its thread, for `list_threads`; the saver's `thread_index.owner`. Default: no thread
            index.
        thread_index_name: Name of the thread index. Default: `"by-owner"`.
        ttl_seconds: The saver's `ttl_seconds`. A bucket created here then deletes objects after the
            items that refer to them. Default: objects are kept.
        max_read_request_units: Maximum read request units per second, of each table and each index.
            Default: no maximum.
        max_write_request_units: Maximum write request units per second, of each table and each
            index. Default: no maximum.
        point_in_time_recovery: Whether the tables and their replicas can be restored to any
            point in time of the last 35 days. Default: `True`.
        point_in_time_recovery_days: For how many days back the tables can be restored, and for how
            many days a bucket created here keeps deleted objects, from 1 to 35. Default: 35.
        warm_read_units: Warm throughput in read units per second, of the tables and their indexes,
            from 12,000; billed once. Default: DynamoDB's default.
        warm_write_units: Warm throughput in write units per second, from 4,000; billed once.
            Default: DynamoDB's default.
        contributor_insights: Whether DynamoDB reports the most accessed keys of the tables and
            their indexes. They contain thread ids, owners and labels, readable with access to
            CloudWatch. Default: `False`.
        deletion_protection: Whether DynamoDB rejects a deletion of the tables. Default: `True`.
        table_class: Table class. Default: standard.
        encryption_key: KMS key of the tables and of a bucket created here; the stack's region must
            be known. Default: an AWS owned key, and for the bucket an S3 managed key.
        replica_regions: Other regions to replicate the tables to; the stack's region must be known.
            Default: none.
        replica_kms_key_arns: ARN of the KMS key of each replica, by region. Required for every
            replica with `encryption_key`, rejected without. Default: none.
        checkpoints_resource_policy: Resource policy of the checkpoints table in the stack's region.
            Default: none.
        writes_resource_policy: Resource policy of the writes table in the stack's region. Default:
            none.
        store_resource_policy: Resource policy of the store table in the stack's region. Default:
            none.
        bucket: An existing bucket, which is not changed. Default: none, large values stay in the
            tables.
        create_bucket: Whether to create a bucket. Default: `False`.
        bucket_name: Name of the bucket to create. Default: CloudFormation generates one.
        bucket_key_prefix: Key prefix of the saver's objects; ends in `/`. Default:
            `"langgraph-checkpoints/"`.
        store_bucket_key_prefix: Key prefix of the store's objects. Neither key prefix may start
            with the other. Default: `"langgraph-store/"`.
        bucket_versioning: Whether a bucket created here keeps deleted objects as long as the tables
            can be restored, so that a restored table finds its objects. Default: `True`.
        bucket_force_destroy: Whether a bucket created here is emptied before it is deleted, by a
            Lambda function that the CDK adds. Requires the `removal_policy` `DESTROY`. Default:
            `False`, a bucket with objects is not deleted.
        tenant_thread_id_prefix: Prefix of a tenant's thread ids, for the role `tenant`, such as
            `"${aws:PrincipalTag/tenant}_"`; it ends in a separator. Default: none.
        tenant_owner_prefix: Prefix of the owners whose threads a tenant may list, in the same form.
            Default: a tenant may list no threads.
        tenant_root_label: Root label of a tenant's namespaces in the store, such as
            `"${aws:PrincipalTag/tenant}"`. Default: a tenant may not use the store.
        removal_policy: What CloudFormation does with the tables and a bucket created here when they
            are removed from the stack. Default: retain.

    Raises:
        ValueError: An argument is invalid; the message names it and says what is expected.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        checkpoints_table_name: str = DEFAULT_CHECKPOINTS_TABLE_NAME,
        writes_table_name: str = DEFAULT_WRITES_TABLE_NAME,
        store_table_name: str | None = None,
        store_vector_index_name: str | None = None,
        store_vector_dimensions: int | None = None,
        run_id_index_name: str | None = None,
        thread_index_owner: str | None = None,
        thread_index_name: str = DEFAULT_THREAD_INDEX_NAME,
        ttl_seconds: int | None = None,
        max_read_request_units: int | None = None,
        max_write_request_units: int | None = None,
        point_in_time_recovery: bool = True,
        point_in_time_recovery_days: int | None = None,
        warm_read_units: int | None = None,
        warm_write_units: int | None = None,
        contributor_insights: bool = False,
        deletion_protection: bool = True,
        table_class: dynamodb.TableClass = dynamodb.TableClass.STANDARD,
        encryption_key: kms.IKey | None = None,
        replica_regions: Sequence[str] = (),
        replica_kms_key_arns: Mapping[str, str] | None = None,
        checkpoints_resource_policy: iam.PolicyDocument | None = None,
        writes_resource_policy: iam.PolicyDocument | None = None,
        store_resource_policy: iam.PolicyDocument | None = None,
        bucket: s3.IBucket | None = None,
        create_bucket: bool = False,
        bucket_name: str | None = None,
        bucket_key_prefix: str = DEFAULT_BUCKET_KEY_PREFIX,
        store_bucket_key_prefix: str = DEFAULT_STORE_BUCKET_KEY_PREFIX,
        bucket_versioning: bool = True,
        bucket_force_destroy: bool = False,
        tenant_thread_id_prefix: str | None = None,
        tenant_owner_prefix: str | None = None,
        tenant_root_label: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        # Without this feature flag, the CDK copies the resource policy of a table to its replicas,
        # whose ARNs the policy does not name.
        self.node.set_context(_POLICY_PER_REPLICA, True)
        checks.require_table_names(checkpoints_table_name, writes_table_name, store_table_name)
        has_store = store_table_name is not None
        if store_resource_policy is not None and not has_store:
            checks.refuse("store_resource_policy", store_resource_policy, "store_table_name, too")
        vectors = arguments.vector_index(
            store_vector_index_name, store_vector_dimensions, has_store=has_store
        )
        threads = arguments.thread_index(thread_index_owner, thread_index_name, run_id_index_name)
        arguments.check_shared(
            run_id_index_name=run_id_index_name,
            ttl_seconds=ttl_seconds,
            bucket_key_prefix=bucket_key_prefix,
            store_bucket_key_prefix=store_bucket_key_prefix,
        )
        tenant = arguments.tenant_limits(
            tenant_thread_id_prefix,
            tenant_owner_prefix,
            tenant_root_label,
            has_bucket=create_bucket or bucket is not None,
            has_store=has_store,
            has_thread_index=threads is not None,
        )
        arguments.check_bucket(
            bucket,
            bucket_name,
            create=create_bucket,
            versioned=bucket_versioning,
            force_destroy=bucket_force_destroy,
            removal_policy=removal_policy,
        )
        tables = TableSettings(
            max_read_request_units=max_read_request_units,
            max_write_request_units=max_write_request_units,
            point_in_time_recovery=point_in_time_recovery,
            point_in_time_recovery_days=point_in_time_recovery_days,
            warm_read_units=warm_read_units,
            warm_write_units=warm_write_units,
            contributor_insights=contributor_insights,
            deletion_protection=deletion_protection,
            table_class=table_class,
            encryption_key=encryption_key,
            replica_regions=replica_regions,
            replica_kms_key_arns=replica_kms_key_arns or {},
            own_region=Stack.of(self).region,
            removal_policy=removal_policy,
        )
        if create_bucket:
            bucket = make_bucket(
                self,
                "Bucket",
                name=bucket_name,
                key_prefix=bucket_key_prefix,
                ttl_seconds=ttl_seconds,
                versioned=bucket_versioning,
                noncurrent_days=tables.recovery_days,
                encryption_key=encryption_key,
                removal_policy=removal_policy,
                force_destroy=bucket_force_destroy,
            )
        checkpoints_table = make_table(
            self,
            "Checkpoints",
            name=checkpoints_table_name,
            schema=CHECKPOINTS,
            settings=tables,
            run_id_index_name=run_id_index_name,
            thread_index_name=None if threads is None else threads.name,
            resource_policy=checkpoints_resource_policy,
        )
        writes_table = make_table(
            self,
            "Writes",
            name=writes_table_name,
            schema=WRITES,
            settings=tables,
            resource_policy=writes_resource_policy,
        )
        self._parts = StoreParts(
            checkpoints_table=checkpoints_table,
            writes_table=writes_table,
            given_names=(checkpoints_table_name, writes_table_name),
            store_table=(
                None
                if store_table_name is None
                else self._make_store_table(
                    store_table_name, tables, store_resource_policy, vectors
                )
            ),
            given_store_name=store_table_name,
            vector_index_name=store_vector_index_name,
            bucket=bucket,
            bucket_key_prefix=bucket_key_prefix,
            store_bucket_key_prefix=store_bucket_key_prefix,
            run_id_index_name=run_id_index_name,
            thread_index=threads,
            ttl_seconds=ttl_seconds,
            encryption_keys=() if encryption_key is None else (encryption_key,),
            replica_regions=tuple(replica_regions),
            replica_kms_key_arns=tables.replica_kms_key_arns,
            limits_reads=max_read_request_units is not None,
            limits_writes=max_write_request_units is not None,
            tenant=tenant,
        )

    def _make_store_table(
        self,
        name: str,
        settings: TableSettings,
        resource_policy: iam.PolicyDocument | None,
        vectors: VectorIndex | None,
    ) -> dynamodb.TableV2:
        table = make_table(
            self,
            "LangGraphStore",
            name=name,
            schema=STORE,
            settings=settings,
            resource_policy=resource_policy,
        )
        if vectors is not None:
            add_vector_index(table, STORE, vectors)
        return table

    @staticmethod
    def from_existing(
        scope: Construct,
        construct_id: str,
        *,
        checkpoints_table: dynamodb.ITableV2,
        writes_table: dynamodb.ITableV2,
        store_table: dynamodb.ITableV2 | None = None,
        store_vector_index_name: str | None = None,
        run_id_index_name: str | None = None,
        thread_index_owner: str | None = None,
        thread_index_name: str = DEFAULT_THREAD_INDEX_NAME,
        ttl_seconds: int | None = None,
        replica_regions: Sequence[str] = (),
        replica_kms_key_arns: Mapping[str, str] | None = None,
        bucket: s3.IBucket | None = None,
        bucket_key_prefix: str = DEFAULT_BUCKET_KEY_PREFIX,
        store_bucket_key_prefix: str = DEFAULT_STORE_BUCKET_KEY_PREFIX,
        tenant_thread_id_prefix: str | None = None,
        tenant_owner_prefix: str | None = None,
        tenant_root_label: str | None = None,
    ) -> CheckpointStoreBase:
        """Import existing tables, with the same attributes and grants.

        The tables are not changed. Policies name the keys that the tables and the bucket were
        imported with (`encryption_key`).

        Args:
            scope: The scope of this construct.
            construct_id: Its id, unique in the scope.
            checkpoints_table: The checkpoints table.
            writes_table: The writes table.
            store_table: The table of a LangGraph store. Default: none.
            store_vector_index_name: Name of the vector index of the store table. Default: no index.
            run_id_index_name: Name of the index on run ids. Default: no index.
            thread_index_owner: The key of a run's `configurable` or metadata that names the owner
                of its thread, for the thread index. Default: no thread index.
            thread_index_name: Name of the thread index. Default: `"by-owner"`.
            ttl_seconds: The saver's `ttl_seconds`, for `saver_settings`. Default: items are kept.
            replica_regions: Other regions the tables are replicated to. Default: none.
            replica_kms_key_arns: ARN of the KMS key of each replica, by region. Required for every
                replica if the tables have a key, rejected otherwise. Default: none.
            bucket: The bucket for large values. Default: none.
            bucket_key_prefix: Key prefix of the saver's objects; ends in `/`. Default:
                `"langgraph-checkpoints/"`.
            store_bucket_key_prefix: Key prefix of the store's objects. Default:
                `"langgraph-store/"`.
            tenant_thread_id_prefix: Prefix of a tenant's thread ids. Default: none.
            tenant_owner_prefix: Prefix of the owners whose threads a tenant may list. Default: a
                tenant may list no threads.
            tenant_root_label: Root label of a tenant's namespaces in the store. Default: a tenant
                may not use the store.

        Returns:
            The store.

        Raises:
            ValueError: An argument is invalid; the message names it and says what is expected.
        """
        threads = arguments.thread_index(thread_index_owner, thread_index_name, run_id_index_name)
        arguments.check_shared(
            run_id_index_name=run_id_index_name,
            ttl_seconds=ttl_seconds,
            bucket_key_prefix=bucket_key_prefix,
            store_bucket_key_prefix=store_bucket_key_prefix,
        )
        tenant = arguments.tenant_limits(
            tenant_thread_id_prefix,
            tenant_owner_prefix,
            tenant_root_label,
            has_bucket=bucket is not None,
            has_store=store_table is not None,
            has_thread_index=threads is not None,
        )
        if store_vector_index_name is not None:
            checks.require_dynamodb_name("store_vector_index_name", store_vector_index_name)
            if store_table is None:
                checks.refuse(
                    "store_vector_index_name", store_vector_index_name, "store_table with it"
                )
        tables = (checkpoints_table, writes_table, store_table)
        keys = tuple(
            table.encryption_key
            for table in tables
            if table is not None and table.encryption_key is not None
        )
        replica_keys = dict(replica_kms_key_arns or {})
        checks.require_replica_regions("replica_regions", replica_regions)
        checks.require_replica_keys(
            "replica_kms_key_arns", replica_keys, replica_regions, encrypted=bool(keys)
        )
        parts = StoreParts(
            checkpoints_table=checkpoints_table,
            writes_table=writes_table,
            given_names=(checkpoints_table.table_name, writes_table.table_name),
            store_table=store_table,
            given_store_name=None if store_table is None else store_table.table_name,
            vector_index_name=store_vector_index_name,
            bucket=bucket,
            bucket_key_prefix=bucket_key_prefix,
            store_bucket_key_prefix=store_bucket_key_prefix,
            run_id_index_name=run_id_index_name,
            thread_index=threads,
            ttl_seconds=ttl_seconds,
            encryption_keys=keys,
            replica_regions=tuple(replica_regions),
            replica_kms_key_arns=replica_keys,
            tenant=tenant,
        )
        return _ExistingCheckpointStore(scope, construct_id, parts)


class _ExistingCheckpointStore(CheckpointStoreBase):
    """A store of existing tables."""

    def __init__(self, scope: Construct, construct_id: str, parts: StoreParts) -> None:
        super().__init__(scope, construct_id)
        self._parts = parts
