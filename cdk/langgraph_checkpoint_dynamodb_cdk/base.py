"""Attributes, policies and grants of every store, created here or imported."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from langgraph_checkpoint_dynamodb_cdk import checks
from langgraph_checkpoint_dynamodb_cdk.access import (
    NO_LIMITS,
    Role,
    TenantLimits,
    document,
    statements,
)
from langgraph_checkpoint_dynamodb_cdk.alarms import AlarmTargets, make_alarms, make_dashboard
from langgraph_checkpoint_dynamodb_cdk.policy_resources import policy_resources
from langgraph_checkpoint_dynamodb_cdk.sweep import SweepSettings, make_sweep

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb_cdk.access import Statement
    from langgraph_checkpoint_dynamodb_cdk.parts import StoreParts


class CheckpointStoreBase(Construct):
    """A store, created by `CheckpointStore` or imported.

    Make one with `CheckpointStore(...)` or `CheckpointStore.from_existing(...)`.
    """

    _parts: StoreParts

    @property
    def checkpoints_table(self) -> dynamodb.ITableV2:
        """The table of checkpoints."""
        return self._parts.checkpoints_table

    @property
    def writes_table(self) -> dynamodb.ITableV2:
        """The table of pending writes and of the parts of large values."""
        return self._parts.writes_table

    @property
    def checkpoints_table_name(self) -> str:
        """Name of the table of checkpoints."""
        return self.checkpoints_table.table_name

    @property
    def writes_table_name(self) -> str:
        """Name of the table of writes."""
        return self.writes_table.table_name

    @property
    def store_table(self) -> dynamodb.ITableV2 | None:
        """The table of a LangGraph store, `None` without one."""
        return self._parts.store_table

    @property
    def store_table_name(self) -> str | None:
        """Name of the table of a LangGraph store, `None` without one."""
        return None if self.store_table is None else self.store_table.table_name

    @property
    def bucket(self) -> s3.IBucket | None:
        """The bucket for large values, `None` without one."""
        return self._parts.bucket

    @property
    def bucket_name(self) -> str | None:
        """Name of the bucket, `None` without one."""
        return None if self.bucket is None else self.bucket.bucket_name

    @property
    def bucket_key_prefix(self) -> str:
        """Key prefix of the saver's objects."""
        return self._parts.bucket_key_prefix

    @property
    def store_bucket_key_prefix(self) -> str:
        """Key prefix of the objects of a LangGraph store."""
        return self._parts.store_bucket_key_prefix

    @property
    def run_id_index_name(self) -> str | None:
        """Name of the index on run ids, `None` without one."""
        return self._parts.run_id_index_name

    @property
    def thread_index_name(self) -> str | None:
        """Name of the index of threads by owner, `None` without one."""
        return self._parts.thread_index_name

    @property
    def saver_settings(self) -> dict[str, Any]:
        """Keyword arguments for `DynamoDBSaver`.

        Some values are tokens, resolved at deployment: serialize them with
        `Stack.of(self).to_json_string(store.saver_settings)`.
        """
        parts = self._parts
        index = parts.thread_index
        settings = {
            "checkpoints_table_name": self.checkpoints_table_name,
            "writes_table_name": self.writes_table_name,
            "run_id_index": parts.run_id_index_name,
            "thread_index": (
                None if index is None else {"owner": index.owner, "index_name": index.name}
            ),
            "region_name": self.checkpoints_table.env.region,
            "ttl_seconds": parts.ttl_seconds,
            "s3_offload_config": self._offload_settings(self.bucket_key_prefix),
        }
        return _without_none(settings)

    @property
    def store_settings(self) -> dict[str, Any] | None:
        """Keyword arguments for `DynamoDBStore`, `None` without its table.

        A store with a vector index also needs the argument `index`, which names the embeddings.
        Serialize the settings with `Stack.to_json_string`, as `saver_settings`.
        """
        table = self.store_table
        if table is None:
            return None
        settings = {
            "store_table_name": table.table_name,
            "vector_index": self._parts.vector_index_name,
            "region_name": table.env.region,
            "s3_offload_config": self._offload_settings(self.store_bucket_key_prefix),
        }
        return _without_none(settings)

    def _offload_settings(self, key_prefix: str) -> dict[str, Any] | None:
        if self.bucket is None:
            return None
        return {"bucket_name": self.bucket_name, "key_prefix": key_prefix}

    def schedule_sweep(
        self,
        *,
        schedule: str,
        package: str,
        older_than_seconds: int = 86_400,
        name: str | None = None,
    ) -> lambda_.Function:
        """Sweep the saver's tables (`sweep_orphans`) on a schedule, with a Lambda function.

        Args:
            schedule: The EventBridge schedule expression, such as `"rate(1 day)"`.
            package: Path of a zip file with the saver and its dependencies, for Python 3.13 on
                Linux.
            older_than_seconds: Minimum age of orphans in seconds, at least 3,600. It must be longer
                than the longest run. Default: a day.
            name: Name of the function, its role, its rule and its log group. Default: generated
                names.

        Returns:
            The function.

        Raises:
            ValueError: An argument is invalid; the message names it and says what is expected.
        """
        settings = SweepSettings(
            schedule=schedule, package=package, older_than_seconds=older_than_seconds, name=name
        )
        return make_sweep(
            self,
            settings,
            saver_settings=Stack.of(self).to_json_string(self.saver_settings),
            # The function sweeps the saver's tables only.
            statements=tuple(
                statement
                for statement in self._statements(Role.ADMIN)
                if not statement["Sid"].startswith("Store")
            ),
        )

    def policy_document(self, role: Role) -> iam.PolicyDocument:
        """Make the policy of a role, for managed policies and roles of your own.

        Args:
            role: The role. `Role.TENANT` needs the store's `tenant_thread_id_prefix`.

        Raises:
            ValueError: The role is unknown, or is `tenant` without a `tenant_thread_id_prefix`.
        """
        return iam.PolicyDocument.from_json(document(self._statements(role)))

    def policy_json(self, role: Role) -> str:
        """Make the policy of a role as JSON text, with tokens; see `policy_document`."""
        return Stack.of(self).to_json_string(document(self._statements(role)))

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant the right to read threads, and to read the store if there is one.

        Args:
            grantee: The principal.
        """
        return _grant(grantee, self._statements(Role.READ))

    def grant_read_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant the rights of an agent: to run graphs and to use the store.

        Args:
            grantee: The principal.
        """
        return _grant(grantee, self._statements(Role.RUNTIME))

    def grant_admin(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant the right to run graphs, delete, prune, copy, list all threads and sweep.

        Args:
            grantee: The principal.
        """
        return _grant(grantee, self._statements(Role.ADMIN))

    def grant_setup(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant the right to call `setup()`, which creates or verifies the tables.

        Args:
            grantee: The principal.
        """
        return _grant(grantee, self._statements(Role.SETUP))

    def grant_tenant(
        self,
        grantee: iam.IGrantable,
        thread_id_prefix: str | None = None,
        owner_prefix: str | None = None,
        root_label: str | None = None,
    ) -> iam.Grant:
        """Grant the right to run graphs, only on threads whose id has a prefix.

        Args:
            grantee: The principal.
            thread_id_prefix: Prefix of the thread ids, such as `"acme_"`. Default: the
                `tenant_thread_id_prefix` of the construct.
            owner_prefix: Prefix of the owners whose threads the principal may list. Default: the
                `tenant_owner_prefix` of the construct; without it, it may list no threads.
            root_label: Root label of its namespaces in a LangGraph store. Default: the
                `tenant_root_label` of the construct; without it, it may not use the store.

        Raises:
            ValueError: There is no thread id prefix, or a value is invalid in a policy.
        """
        limits = TenantLimits(
            thread_id_prefix=thread_id_prefix, owner_prefix=owner_prefix, root_label=root_label
        )
        return _grant(grantee, self._statements(Role.TENANT, limits))

    def add_alarms(self, topic_arn: str) -> None:
        """Make alarms for the tables and their indexes; docs/runbook.md explains each.

        Args:
            topic_arn: ARN of the SNS topic that the alarms notify when they start and when they
                end.

        Raises:
            ValueError: `topic_arn` is not the ARN of an SNS topic.
        """
        checks.require_topic_arn("topic_arn", topic_arn)
        make_alarms(self, self._alarm_targets, topic_arn)

    def add_dashboard(self) -> None:
        """Make a CloudWatch dashboard for the tables, named after the checkpoints table."""
        make_dashboard(self, self._alarm_targets)

    @property
    def _alarm_targets(self) -> AlarmTargets:
        parts = self._parts
        checkpoints, writes = parts.given_names
        indexes = (parts.run_id_index_name, parts.thread_index_name)
        return AlarmTargets(
            checkpoints=checkpoints,
            writes=writes,
            store=parts.given_store_name,
            indexes=tuple(name for name in indexes if name is not None),
            replica_regions=tuple(sorted(parts.replica_regions)),
            expires=parts.ttl_seconds is not None,
            limits_reads=parts.limits_reads,
            limits_writes=parts.limits_writes,
        )

    def _statements(self, role: Role, limits: TenantLimits = NO_LIMITS) -> tuple[Statement, ...]:
        if role not in tuple(Role):
            checks.refuse("role", role, f"one of {', '.join(known.value for known in Role)}")
        resources = policy_resources(Stack.of(self), self._parts)
        if role != Role.TENANT:
            return statements(Role(role), resources)
        return statements(Role.TENANT, resources, self._tenant_limits(limits))

    def _tenant_limits(self, limits: TenantLimits) -> TenantLimits:
        """Fill unset limits with those of the construct, and check them."""
        default = self._parts.tenant
        prefix = _first_set(limits.thread_id_prefix, default.thread_id_prefix)
        if prefix is None:
            checks.refuse(
                "thread_id_prefix",
                prefix,
                "the prefix of the tenant's thread ids; pass it here, or pass "
                "tenant_thread_id_prefix to the construct",
            )
        checks.require_thread_id_prefix(
            "thread_id_prefix", prefix, in_object_keys=self.bucket is not None
        )
        owner_prefix = _first_set(limits.owner_prefix, default.owner_prefix)
        if owner_prefix is not None:
            checks.require_owner_prefix("owner_prefix", owner_prefix)
        root_label = _first_set(limits.root_label, default.root_label)
        if root_label is not None:
            checks.require_root_label("root_label", root_label)
        return TenantLimits(
            thread_id_prefix=prefix, owner_prefix=owner_prefix, root_label=root_label
        )


def _first_set(value: str | None, default: str | None) -> str | None:
    return default if value is None else value


def _without_none(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _grant(grantee: iam.IGrantable, granted: tuple[Statement, ...]) -> iam.Grant:
    # Without Sids: a principal may get rights on several stores, and IAM rejects a policy with
    # duplicate Sids.
    grants = [
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=statement["Action"],
            resource_arns=statement["Resource"],
            conditions=statement.get("Condition"),
        )
        for statement in granted
    ]
    return reduce(lambda first, second: first.combine(second), grants)
