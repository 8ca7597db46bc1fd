"""The tables and their indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from langgraph_checkpoint_dynamodb_cdk import checks
from langgraph_checkpoint_dynamodb_cdk.schema import (
    RUN_ID_INDEX_KEY,
    THREAD_INDEX_KEYS,
    TTL_ATTRIBUTE,
    VECTOR_ATTRIBUTE,
    VECTOR_FILTERS,
    TableSchema,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
_MAX_RECOVERY_DAYS = 35
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
_MIN_WARM_READS = 12_000
_MIN_WARM_WRITES = 4_000
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-globaltable-vectorindex.html
_MAX_DIMENSIONS = 4096


@dataclass(frozen=True)
class VectorIndex:
    """The vector index on the store table.

    Attributes:
        name: Name of the index.
        dimensions: Dimensions of the vectors.

    Raises:
        ValueError: A value is invalid; the message names it.
    """

    name: str
    dimensions: int

    def __post_init__(self) -> None:
        checks.require_dynamodb_name("store_vector_index_name", self.name)
        checks.require_between("store_vector_dimensions", self.dimensions, 1, _MAX_DIMENSIONS)


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """Settings of all tables; `CheckpointStore` documents each.

    Raises:
        ValueError: A value is invalid; the message names it.
    """

    max_read_request_units: int | None
    max_write_request_units: int | None
    point_in_time_recovery: bool
    point_in_time_recovery_days: int | None
    warm_read_units: int | None
    warm_write_units: int | None
    contributor_insights: bool
    deletion_protection: bool
    table_class: dynamodb.TableClass
    encryption_key: kms.IKey | None
    replica_regions: Sequence[str]
    replica_kms_key_arns: Mapping[str, str]
    own_region: str
    removal_policy: RemovalPolicy

    def __post_init__(self) -> None:
        if self.max_read_request_units is not None:
            checks.require_positive("max_read_request_units", self.max_read_request_units)
        if self.max_write_request_units is not None:
            checks.require_positive("max_write_request_units", self.max_write_request_units)
        checks.require_bool("point_in_time_recovery", self.point_in_time_recovery)
        self._check_recovery_days()
        if self.warm_read_units is not None:
            checks.require_between("warm_read_units", self.warm_read_units, _MIN_WARM_READS)
        if self.warm_write_units is not None:
            checks.require_between("warm_write_units", self.warm_write_units, _MIN_WARM_WRITES)
        checks.require_bool("contributor_insights", self.contributor_insights)
        checks.require_bool("deletion_protection", self.deletion_protection)
        checks.require_replica_regions("replica_regions", self.replica_regions, self.own_region)
        if self.encryption_key is not None:
            checks.require_known_region(
                "encryption_key", self.encryption_key.key_arn, self.own_region
            )
        checks.require_replica_keys(
            "replica_kms_key_arns",
            self.replica_kms_key_arns,
            self.replica_regions,
            encrypted=self.encryption_key is not None,
        )

    def _check_recovery_days(self) -> None:
        days = self.point_in_time_recovery_days
        if days is None:
            return
        checks.require_between("point_in_time_recovery_days", days, 1, _MAX_RECOVERY_DAYS)
        if not self.point_in_time_recovery:
            checks.refuse(
                "point_in_time_recovery_days", days, "point_in_time_recovery=True with it, or None"
            )

    @property
    def recovery_days(self) -> int:
        """For how many days back the tables can be restored, if they can."""
        return self.point_in_time_recovery_days or _MAX_RECOVERY_DAYS

    @property
    def warm_throughput(self) -> dynamodb.WarmThroughput | None:
        """Warm throughput of a table or an index, `None` for the default."""
        if self.warm_read_units is None and self.warm_write_units is None:
            return None
        return dynamodb.WarmThroughput(
            read_units_per_second=self.warm_read_units,
            write_units_per_second=self.warm_write_units,
        )

    @property
    def insights(self) -> dynamodb.ContributorInsightsSpecification | None:
        """Contributor insights of a table, `None` without."""
        if not self.contributor_insights:
            return None
        return dynamodb.ContributorInsightsSpecification(enabled=True)

    @property
    def encryption(self) -> dynamodb.TableEncryptionV2:
        """The KMS keys of a table and its replicas."""
        if self.encryption_key is None:
            return dynamodb.TableEncryptionV2.dynamo_owned_key()
        return dynamodb.TableEncryptionV2.customer_managed_key(
            self.encryption_key, self.replica_kms_key_arns
        )


def make_table(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    schema: TableSchema,
    settings: TableSettings,
    run_id_index_name: str | None = None,
    thread_index_name: str | None = None,
    resource_policy: iam.PolicyDocument | None = None,
) -> dynamodb.TableV2:
    """Make a table.

    Args:
        scope: The scope of the table.
        construct_id: Its id.
        name: Name of the table.
        schema: Its keys.
        settings: The settings of all tables.
        run_id_index_name: Name of its run id index, `None` for no index.
        thread_index_name: Name of its thread index, `None` for no index.
        resource_policy: Its resource policy, in the stack's region only.
    """
    indexes = [
        *([] if run_id_index_name is None else [_run_id_index(run_id_index_name, settings)]),
        *([] if thread_index_name is None else [_thread_index(thread_index_name, settings)]),
    ]
    return dynamodb.TableV2(
        scope,
        construct_id,
        table_name=name,
        partition_key=_string(schema.partition_key),
        sort_key=_string(schema.sort_key),
        time_to_live_attribute=TTL_ATTRIBUTE,
        billing=dynamodb.Billing.on_demand(
            max_read_request_units=settings.max_read_request_units,
            max_write_request_units=settings.max_write_request_units,
        ),
        global_secondary_indexes=indexes,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=settings.point_in_time_recovery,
            recovery_period_in_days=settings.point_in_time_recovery_days,
        ),
        warm_throughput=settings.warm_throughput,
        # Indexes and replicas inherit it.
        contributor_insights_specification=settings.insights,
        deletion_protection=settings.deletion_protection,
        table_class=settings.table_class,
        encryption=settings.encryption,
        replicas=[dynamodb.ReplicaTableProps(region=region) for region in settings.replica_regions],
        resource_policy=resource_policy,
        removal_policy=settings.removal_policy,
    )


def add_vector_index(table: dynamodb.TableV2, schema: TableSchema, index: VectorIndex) -> None:
    """Add a vector index to the store table; `TableV2` has no property for it."""
    resource = table.node.default_child
    if not isinstance(resource, dynamodb.CfnGlobalTable):
        raise TypeError(f"the CDK made {resource!r} of a TableV2, expected a CfnGlobalTable")
    partition_key, *filters = VECTOR_FILTERS
    search_schema = [
        {"AttributeName": partition_key, "SearchSchemaElementType": "HASH"},
        *({"AttributeName": name, "SearchSchemaElementType": "INLINE_FILTER"} for name in filters),
    ]
    vector_index = {
        "IndexName": index.name,
        "VectorAttribute": {"AttributeName": VECTOR_ATTRIBUTE},
        "SearchSchema": search_schema,
        "Projection": {"ProjectionType": "KEYS_ONLY"},
        "Dimensions": index.dimensions,
        "DistanceFunction": "COSINE",
    }
    attributes = [
        {"AttributeName": name, "AttributeType": "S"} for name in (*schema, *VECTOR_FILTERS)
    ]
    resource.add_property_override("AttributeDefinitions", attributes)
    resource.add_property_override("VectorIndexes", [vector_index])


def _run_id_index(name: str, settings: TableSettings) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return _index(
        name,
        settings,
        partition_key=_string(RUN_ID_INDEX_KEY),
        projection_type=dynamodb.ProjectionType.KEYS_ONLY,
    )


def _thread_index(name: str, settings: TableSettings) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return _index(
        name,
        settings,
        partition_key=_string(THREAD_INDEX_KEYS.partition_key),
        sort_key=_string(THREAD_INDEX_KEYS.sort_key),
        projection_type=dynamodb.ProjectionType.ALL,
    )


def _index(
    name: str,
    settings: TableSettings,
    *,
    partition_key: dynamodb.Attribute,
    sort_key: dynamodb.Attribute | None = None,
    projection_type: dynamodb.ProjectionType,
) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=partition_key,
        sort_key=sort_key,
        projection_type=projection_type,
        max_read_request_units=settings.max_read_request_units,
        max_write_request_units=settings.max_write_request_units,
        warm_throughput=settings.warm_throughput,
    )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
