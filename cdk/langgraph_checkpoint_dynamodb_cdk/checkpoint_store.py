"""The construct: two tables, and on request that of a LangGraph store, and a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from langgraph_checkpoint_dynamodb_cdk import checks
from langgraph_checkpoint_dynamodb_cdk.base import CheckpointStoreBase, StoreParts, ThreadIndex
from langgraph_checkpoint_dynamodb_cdk.bucket import make_bucket
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
    """The two tables of `DynamoDBSaver`, on request that of `DynamoDBStore` and a bucket.

    Billing is on demand, and items expire by their attribute `ttl`, which only a saver with
    `ttl_seconds` sets. The tables, and a bucket made here, are encrypted.

    Args:
        scope: The construct this is a part of.
        construct_id: Its id, unique in the scope.
        checkpoints_table_name: Name of the table of checkpoints. Default:
            `"langgraph-checkpoints"`.
        writes_table_name: Name of the table of writes. Default: `"langgraph-writes"`.
        store_table_name: Name of the table of a LangGraph store, which is made as the two others
            are. Default: none is made.
        store_vector_index_name: Name of a vector index on that table, for searches by meaning; the
            store's `vector_index`. Default: no index, vectors are compared one by one.
        store_vector_dimensions: How many numbers a vector has, as the store's `index` says it, from
            1 to 4,096; needed with that index, and neither changes later.
        run_id_index_name: Name of the index on run ids, which `delete_for_runs` uses. Default: no
            index.
        thread_index_owner: The key of a run's `configurable` or metadata that names the owner of
            its thread, for `list_threads`; the saver's `thread_index.owner`. Default: no index of
            threads.
        thread_index_name: Name of that index. Default: `"by-owner"`.
        ttl_seconds: The saver's `ttl_seconds`. A bucket made here then deletes objects after the
            items that name them. Default: objects are kept.
        max_read_request_units: Most read units a second, of each table and of each index.
            Default: no maximum.
        max_write_request_units: Most write units a second, the same. Default: no maximum.
        point_in_time_recovery: Whether the tables and their replicas can be restored to any
            moment of the last 35 days. Default: they can.
        point_in_time_recovery_days: How many days back the tables can be restored, and for how
            long a bucket made here keeps deleted objects, from 1 to 35. Default: 35.
        warm_read_units: Read units a second that the tables and their indexes can serve at once,
            from 12,000; billed once. Default: what DynamoDB gives.
        warm_write_units: The same for write units, from 4,000.
        contributor_insights: Whether DynamoDB counts which keys are read and written most, on the
            tables and their indexes. It shows thread ids, owners and labels to whoever may read
            CloudWatch. Default: it does not.
        deletion_protection: Whether DynamoDB refuses to delete the tables. Default: it does.
        table_class: Storage class of the tables. Default: standard.
        encryption_key: KMS key of the tables and of a bucket made here; the stack's region must
            be known. Default: a key that AWS owns, and S3's own.
        replica_regions: Other regions that the tables are replicated to; the stack's region must
            be known. Default: none.
        replica_kms_key_arns: ARN of the KMS key of each replica, by region; needed for all of them
            with `encryption_key`, refused without. Default: none.
        checkpoints_resource_policy: Resource policy of the table of checkpoints in the stack's
            region. Default: none.
        writes_resource_policy: The same of the table of writes. Default: none.
        store_resource_policy: The same of the table of a store. Default: none.
        bucket: A bucket that exists. Nothing of it is changed. Default: none, values stay in the
            tables.
        create_bucket: Whether to make a bucket. Default: none is made.
        bucket_name: Name of the bucket to make. Default: CloudFormation makes one up.
        bucket_key_prefix: What the keys of objects begin with; ends in `/`. Default:
            `"langgraph-checkpoints/"`.
        store_bucket_key_prefix: What the keys of the store's objects begin with; neither begins
            with the other. Default: `"langgraph-store/"`.
        bucket_versioning: Whether the bucket made here keeps deleted objects for as long as the
            tables can be restored, so that a restored table finds them. Default: it does.
        bucket_force_destroy: Whether the bucket made here is emptied before it is deleted, by a
            Lambda function that the CDK adds. Only with the `removal_policy` `DESTROY`. Default: a
            bucket that is not empty stays.
        tenant_thread_id_prefix: What the thread ids of a tenant begin with, such as
            `"${aws:PrincipalTag/tenant}_"`, for the role `tenant`; it ends in a separator. Default:
            none.
        tenant_owner_prefix: What the owners begin with whose threads a tenant may list, in the same
            form. Default: a tenant lists none.
        tenant_root_label: The root label of a tenant's namespaces in the store, such as
            `"${aws:PrincipalTag/tenant}"`. Default: a tenant may not use the store.
        removal_policy: What becomes of the tables and of a bucket made here when they leave the
            stack. Default: they are kept.

    Raises:
        ValueError: An argument cannot be used; the message says which, and what to do.
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
        # Apps without this flag would copy the resource policy of a table to its replicas, whose
        # ARNs it does not name.
        self.node.set_context(_POLICY_PER_REPLICA, True)
        checks.require_table_names(checkpoints_table_name, writes_table_name, store_table_name)
        if store_resource_policy is not None and store_table_name is None:
            checks.refuse("store_resource_policy", store_resource_policy, "store_table_name, too")
        vectors = _vector_index(
            store_vector_index_name, store_vector_dimensions, has_store=store_table_name is not None
        )
        threads = _thread_index(thread_index_owner, thread_index_name, run_id_index_name)
        _check_shared(
            run_id_index_name=run_id_index_name,
            lists_threads=threads is not None,
            has_store=store_table_name is not None,
            ttl_seconds=ttl_seconds,
            bucket_key_prefix=bucket_key_prefix,
            store_bucket_key_prefix=store_bucket_key_prefix,
            has_bucket=create_bucket or bucket is not None,
            tenant_thread_id_prefix=tenant_thread_id_prefix,
            tenant_owner_prefix=tenant_owner_prefix,
            tenant_root_label=tenant_root_label,
        )
        _check_bucket(bucket, bucket_name, create=create_bucket, versioned=bucket_versioning)
        checks.require_bool("bucket_force_destroy", bucket_force_destroy)
        if bucket_force_destroy and removal_policy != RemovalPolicy.DESTROY:
            checks.refuse(
                "bucket_force_destroy",
                bucket_force_destroy,
                "removal_policy=RemovalPolicy.DESTROY with it; what is kept is not emptied",
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
        self._parts = StoreParts(
            checkpoints_table=make_table(
                self,
                "Checkpoints",
                name=checkpoints_table_name,
                schema=CHECKPOINTS,
                settings=tables,
                run_id_index_name=run_id_index_name,
                thread_index_name=None if threads is None else threads.name,
                resource_policy=checkpoints_resource_policy,
            ),
            writes_table=make_table(
                self,
                "Writes",
                name=writes_table_name,
                schema=WRITES,
                settings=tables,
                resource_policy=writes_resource_policy,
            ),
            given_names=(checkpoints_table_name, writes_table_name),
            store_table=(
                None
                if store_table_name is None
                else self._make_store(store_table_name, tables, store_resource_policy, vectors)
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
            tenant_thread_id_prefix=tenant_thread_id_prefix,
            tenant_owner_prefix=tenant_owner_prefix,
            tenant_root_label=tenant_root_label,
        )

    def _make_store(
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
        """Tables that were made elsewhere, with the same attributes and grants.

        Nothing of them is changed. The keys that policies name are those the tables and the bucket
        were imported with (`encryption_key`).

        Args:
            scope: The construct this is a part of.
            construct_id: Its id, unique in the scope.
            checkpoints_table: The table of checkpoints.
            writes_table: The table of writes.
            store_table: The table of a LangGraph store. Default: there is none.
            store_vector_index_name: Name of its vector index. Default: it has none.
            run_id_index_name: Name of its index on run ids. Default: it has none.
            thread_index_owner: The key that names the owner of a thread, where it has an index of
                them. Default: it has none.
            thread_index_name: Name of that index. Default: `"by-owner"`.
            ttl_seconds: The saver's `ttl_seconds`, for `saver_settings`. Default: items are kept.
            replica_regions: Other regions the tables are replicated to. Default: none.
            replica_kms_key_arns: ARN of the KMS key of each replica, by region; needed for all of
                them where the tables have a key, refused otherwise. Default: none.
            bucket: The bucket for large values. Default: there is none.
            bucket_key_prefix: What the keys of objects begin with; ends in `/`. Default:
                `"langgraph-checkpoints/"`.
            store_bucket_key_prefix: The same of the store's objects. Default:
                `"langgraph-store/"`.
            tenant_thread_id_prefix: What the thread ids of a tenant begin with. Default: none.
            tenant_owner_prefix: What the owners begin with whose threads a tenant may list.
                Default: it lists none.
            tenant_root_label: The root label of a tenant's namespaces in the store. Default: it may
                not use the store.

        Raises:
            ValueError: An argument cannot be used; the message says which, and what to do.
        """
        threads = _thread_index(thread_index_owner, thread_index_name, run_id_index_name)
        _check_shared(
            run_id_index_name=run_id_index_name,
            lists_threads=threads is not None,
            has_store=store_table is not None,
            ttl_seconds=ttl_seconds,
            bucket_key_prefix=bucket_key_prefix,
            store_bucket_key_prefix=store_bucket_key_prefix,
            has_bucket=bucket is not None,
            tenant_thread_id_prefix=tenant_thread_id_prefix,
            tenant_owner_prefix=tenant_owner_prefix,
            tenant_root_label=tenant_root_label,
        )
        if store_vector_index_name is not None:
            checks.require_dynamodb_name("store_vector_index_name", store_vector_index_name)
            if store_table is None:
                checks.refuse(
                    "store_vector_index_name", store_vector_index_name, "store_table with it"
                )
        imported = [
            checkpoints_table,
            writes_table,
            *([] if store_table is None else [store_table]),
        ]
        found = [table.encryption_key for table in imported]
        keys = tuple(key for key in found if key is not None)
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
            tenant_thread_id_prefix=tenant_thread_id_prefix,
            tenant_owner_prefix=tenant_owner_prefix,
            tenant_root_label=tenant_root_label,
        )
        return _ExistingCheckpointStore(scope, construct_id, parts)


class _ExistingCheckpointStore(CheckpointStoreBase):
    """Tables that were made elsewhere."""

    def __init__(self, scope: Construct, construct_id: str, parts: StoreParts) -> None:
        super().__init__(scope, construct_id)
        self._parts = parts


def _check_shared(
    *,
    run_id_index_name: str | None,
    lists_threads: bool,
    has_store: bool,
    ttl_seconds: int | None,
    bucket_key_prefix: str,
    store_bucket_key_prefix: str,
    has_bucket: bool,
    tenant_thread_id_prefix: str | None,
    tenant_owner_prefix: str | None,
    tenant_root_label: str | None,
) -> None:
    if run_id_index_name is not None:
        checks.require_dynamodb_name("run_id_index_name", run_id_index_name)
    if ttl_seconds is not None:
        checks.require_ttl_seconds("ttl_seconds", ttl_seconds)
    checks.require_bucket_key_prefix("bucket_key_prefix", bucket_key_prefix)
    checks.require_bucket_key_prefix("store_bucket_key_prefix", store_bucket_key_prefix)
    checks.require_other_key_prefix(
        "store_bucket_key_prefix", store_bucket_key_prefix, bucket_key_prefix
    )
    if tenant_thread_id_prefix is not None:
        checks.require_thread_id_prefix(
            "tenant_thread_id_prefix", tenant_thread_id_prefix, in_object_keys=has_bucket
        )
    if tenant_root_label is not None:
        checks.require_root_label("tenant_root_label", tenant_root_label)
        if tenant_thread_id_prefix is None or not has_store:
            checks.refuse(
                "tenant_root_label",
                tenant_root_label,
                "tenant_thread_id_prefix and store_table_name with it: it is for the role tenant, "
                "on the table of a store",
            )
    if tenant_owner_prefix is None:
        return
    checks.require_owner_prefix("tenant_owner_prefix", tenant_owner_prefix)
    if tenant_thread_id_prefix is None or not lists_threads:
        checks.refuse(
            "tenant_owner_prefix",
            tenant_owner_prefix,
            "tenant_thread_id_prefix and thread_index_owner with it: it is for the role tenant, on "
            "the index of threads",
        )


def _vector_index(
    name: str | None, dimensions: int | None, *, has_store: bool
) -> VectorIndex | None:
    if name is None and dimensions is None:
        return None
    if name is None or dimensions is None or not has_store:
        checks.refuse(
            "store_vector_index_name",
            name,
            "store_table_name, store_vector_index_name and store_vector_dimensions together",
        )
    return VectorIndex(name, dimensions)


def _thread_index(
    owner: str | None, name: str, run_id_index_name: str | None
) -> ThreadIndex | None:
    checks.require_dynamodb_name("thread_index_name", name)
    if owner is None:
        return None
    checks.require_text("thread_index_owner", owner, "the name of a key, such as 'user_id'")
    if name == run_id_index_name:
        checks.refuse(
            "thread_index_name",
            name,
            "another name than run_id_index_name: the indexes have different keys",
        )
    return ThreadIndex(owner, name)


def _check_bucket(
    bucket: s3.IBucket | None, name: str | None, *, create: bool, versioned: bool
) -> None:
    checks.require_bool("create_bucket", create)
    checks.require_bool("bucket_versioning", versioned)
    if bucket is not None and create:
        checks.refuse(
            "create_bucket", create, "False with bucket, which exists; pass one of the two"
        )
    if name is None:
        return
    if not create:
        checks.refuse(
            "bucket_name",
            name,
            "create_bucket=True with it; for a bucket that exists pass "
            "bucket=Bucket.from_bucket_name(...)",
        )
    checks.require_bucket_name("bucket_name", name)
