"""A ready-made stack: the store, its outputs and, optionally, its policies, sweep and alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from langgraph_checkpoint_dynamodb_cdk import checks
from langgraph_checkpoint_dynamodb_cdk.access import Role
from langgraph_checkpoint_dynamodb_cdk.acknowledged import acknowledge_policy
from langgraph_checkpoint_dynamodb_cdk.checkpoint_store import CheckpointStore
from langgraph_checkpoint_dynamodb_cdk.schema import (
    DEFAULT_BUCKET_KEY_PREFIX,
    DEFAULT_CHECKPOINTS_TABLE_NAME,
    DEFAULT_STORE_BUCKET_KEY_PREFIX,
    DEFAULT_THREAD_INDEX_NAME,
    DEFAULT_WRITES_TABLE_NAME,
)
from langgraph_checkpoint_dynamodb_cdk.sweep import MIN_AGE_SECONDS, sweep_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct


class CheckpointStoreStack(Stack):
    """A stack with the store, its outputs and, optionally, managed policies.

    `CheckpointStore` documents the arguments that are not listed here. All arguments are plain
    values, for stacks that are configured from outside; to pass constructs, use `CheckpointStore`
    in a stack of your own.

    Args:
        scope: The app or stage.
        construct_id: Id of the stack, and its name unless `stack_name` is passed.
        kms_key_arn: ARN of the KMS key of the tables and of a bucket created here; the region
            (`env`) must be known. Default: an AWS owned key, and for the bucket an S3 managed key.
        create_bucket: Whether to create a bucket. Default: `False`.
        bucket_name: With `create_bucket` the name of the bucket to create, otherwise the name of an
            existing bucket. Default: with `create_bucket` CloudFormation generates a name,
            otherwise there is no bucket.
        bucket_kms_key_arn: ARN of the KMS key of an existing bucket, for the policies. Default:
            policies name no key of the bucket.
        sweep_schedule: EventBridge schedule expression of the sweep (`sweep_orphans`), such as
            `"rate(1 day)"`; makes a Lambda function. Default: no sweep.
        sweep_package: Path of a zip file with the function's code: the saver and its dependencies,
            for Python 3.13 on Linux. Required with `sweep_schedule`.
        sweep_older_than_seconds: Minimum age of orphans in seconds, at least 3,600. Default: a day.
        alarm_topic_arn: ARN of the SNS topic that alarms notify when they start and when they end.
            Default: no alarms.
        dashboard: Whether to make a CloudWatch dashboard of the tables. Default: `False`.
        create_policies: Whether to make a managed policy for each role, named
            `<policy_name_prefix>-<role>`. Default: `False`.
        policy_name_prefix: Prefix of the policy names, which are unique in an account across
            regions. Default: the name of the checkpoints table.
        **kwargs: Arguments of `aws_cdk.Stack`.

    Attributes:
        store: The store.

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
        kms_key_arn: str | None = None,
        replica_regions: Sequence[str] = (),
        replica_kms_key_arns: Mapping[str, str] | None = None,
        checkpoints_resource_policy: iam.PolicyDocument | None = None,
        writes_resource_policy: iam.PolicyDocument | None = None,
        store_resource_policy: iam.PolicyDocument | None = None,
        create_bucket: bool = False,
        bucket_name: str | None = None,
        bucket_kms_key_arn: str | None = None,
        bucket_key_prefix: str = DEFAULT_BUCKET_KEY_PREFIX,
        store_bucket_key_prefix: str = DEFAULT_STORE_BUCKET_KEY_PREFIX,
        bucket_versioning: bool = True,
        bucket_force_destroy: bool = False,
        tenant_thread_id_prefix: str | None = None,
        tenant_owner_prefix: str | None = None,
        tenant_root_label: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        sweep_schedule: str | None = None,
        sweep_package: str | None = None,
        sweep_older_than_seconds: int = 86_400,
        alarm_topic_arn: str | None = None,
        dashboard: bool = False,
        create_policies: bool = False,
        policy_name_prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        if bucket_kms_key_arn is not None and (create_bucket or bucket_name is None):
            checks.refuse(
                "bucket_kms_key_arn",
                bucket_kms_key_arn,
                "the name of a bucket that exists with it; a bucket created here has kms_key_arn",
            )
        existing = None if create_bucket else self._existing_bucket(bucket_name, bucket_kms_key_arn)
        self.store = CheckpointStore(
            self,
            "Store",
            checkpoints_table_name=checkpoints_table_name,
            writes_table_name=writes_table_name,
            store_table_name=store_table_name,
            store_vector_index_name=store_vector_index_name,
            store_vector_dimensions=store_vector_dimensions,
            run_id_index_name=run_id_index_name,
            thread_index_owner=thread_index_owner,
            thread_index_name=thread_index_name,
            ttl_seconds=ttl_seconds,
            max_read_request_units=max_read_request_units,
            max_write_request_units=max_write_request_units,
            point_in_time_recovery=point_in_time_recovery,
            point_in_time_recovery_days=point_in_time_recovery_days,
            warm_read_units=warm_read_units,
            warm_write_units=warm_write_units,
            contributor_insights=contributor_insights,
            deletion_protection=deletion_protection,
            table_class=table_class,
            encryption_key=self._key("Key", "kms_key_arn", kms_key_arn),
            replica_regions=replica_regions,
            replica_kms_key_arns=replica_kms_key_arns,
            checkpoints_resource_policy=checkpoints_resource_policy,
            writes_resource_policy=writes_resource_policy,
            store_resource_policy=store_resource_policy,
            bucket=existing,
            create_bucket=create_bucket,
            bucket_name=bucket_name if create_bucket else None,
            bucket_key_prefix=bucket_key_prefix,
            store_bucket_key_prefix=store_bucket_key_prefix,
            bucket_versioning=bucket_versioning,
            bucket_force_destroy=bucket_force_destroy,
            tenant_thread_id_prefix=tenant_thread_id_prefix,
            tenant_owner_prefix=tenant_owner_prefix,
            tenant_root_label=tenant_root_label,
            removal_policy=removal_policy,
        )
        name_prefix = policy_name_prefix or checkpoints_table_name
        sweep = self._make_sweep(
            sweep_schedule, sweep_package, sweep_older_than_seconds, name_prefix
        )
        if alarm_topic_arn is not None:
            checks.require_topic_arn("alarm_topic_arn", alarm_topic_arn)
            self.store.add_alarms(alarm_topic_arn)
        checks.require_bool("dashboard", dashboard)
        if dashboard:
            self.store.add_dashboard()
        has_tenants = tenant_thread_id_prefix is not None
        roles = tuple(role for role in Role if has_tenants or role is not Role.TENANT)
        checks.require_bool("create_policies", create_policies)
        policies = self._make_policies(roles, name_prefix) if create_policies else {}
        self._make_outputs(roles, policies, sweep)

    def _key(self, construct_id: str, argument: str, arn: str | None) -> kms.IKey | None:
        if arn is None:
            return None
        checks.require_key_arn(argument, arn)
        return kms.Key.from_key_arn(self, construct_id, arn)

    def _existing_bucket(self, name: str | None, key_arn: str | None) -> s3.IBucket | None:
        if name is None:
            return None
        checks.require_bucket_name("bucket_name", name)
        return s3.Bucket.from_bucket_attributes(
            self,
            "ExistingBucket",
            bucket_name=name,
            encryption_key=self._key("BucketKey", "bucket_kms_key_arn", key_arn),
        )

    def _make_sweep(
        self, schedule: str | None, package: str | None, older_than_seconds: int, name_prefix: str
    ) -> lambda_.Function | None:
        checks.require_between("sweep_older_than_seconds", older_than_seconds, MIN_AGE_SECONDS)
        if schedule is None:
            return None
        if package is None:
            checks.refuse("sweep_package", package, "the path of a zip file with sweep_schedule")
        checks.require_policy_name_prefix("policy_name_prefix", name_prefix)
        return self.store.schedule_sweep(
            schedule=schedule,
            package=package,
            older_than_seconds=older_than_seconds,
            name=sweep_name(name_prefix),
        )

    def _make_policies(
        self, roles: Sequence[Role], name_prefix: str
    ) -> dict[Role, iam.ManagedPolicy]:
        checks.require_policy_name_prefix("policy_name_prefix", name_prefix)
        return {role: self._make_policy(role, f"{name_prefix}-{role.value}") for role in roles}

    def _make_policy(self, role: Role, name: str) -> iam.ManagedPolicy:
        policy = iam.ManagedPolicy(
            self,
            f"{role.value.capitalize()}Policy",
            managed_policy_name=name,
            document=self.store.policy_document(role),
        )
        acknowledge_policy(policy)
        return policy

    def _make_outputs(
        self,
        roles: Sequence[Role],
        policies: Mapping[Role, iam.ManagedPolicy],
        sweep: lambda_.Function | None,
    ) -> None:
        store = self.store
        bucket, table = store.bucket, store.store_table
        settings = store.store_settings
        arns = {role.value: policy.managed_policy_arn for role, policy in policies.items()}
        outputs = {
            "CheckpointsTableName": store.checkpoints_table_name,
            "CheckpointsTableArn": store.checkpoints_table.table_arn,
            "WritesTableName": store.writes_table_name,
            "WritesTableArn": store.writes_table.table_arn,
            "StoreTableName": store.store_table_name,
            "StoreTableArn": None if table is None else table.table_arn,
            "RunIdIndexName": store.run_id_index_name,
            "ThreadIndexName": store.thread_index_name,
            "BucketName": store.bucket_name,
            "BucketArn": None if bucket is None else bucket.bucket_arn,
            "BucketKeyPrefix": None if bucket is None else store.bucket_key_prefix,
            "SaverSettings": self.to_json_string(store.saver_settings),
            "StoreSettings": None if settings is None else self.to_json_string(settings),
            **{f"{role.value.capitalize()}PolicyJson": store.policy_json(role) for role in roles},
            "SweepFunctionName": None if sweep is None else sweep.function_name,
            "PolicyArns": self.to_json_string(arns) if arns else None,
        }
        for name, value in outputs.items():
            if value is not None:
                CfnOutput(self, name, value=value)
