"""What every store has, whoever made its tables: attributes, policies and grants."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from aws_cdk import Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from langgraph_checkpoint_dynamodb_cdk import checks
from langgraph_checkpoint_dynamodb_cdk.access import (
    Resources,
    Role,
    Statement,
    document,
    statements,
)
from langgraph_checkpoint_dynamodb_cdk.alarms import Watched, make_alarms, make_dashboard
from langgraph_checkpoint_dynamodb_cdk.sweep import SweepSettings, make_sweep

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    """What a store consists of, whoever made it.

    Attributes:
        given_names: Names of the saver's two tables as far as they are known, to order ARNs by.
        given_store_name: The same of the table of a LangGraph store.
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
    tenant_thread_id_prefix: str | None
    tenant_owner_prefix: str | None
    tenant_root_label: str | None
    limits_reads: bool = False
    limits_writes: bool = False


class CheckpointStoreBase(Construct):
    """What stores made here and stores made elsewhere have in common.

    Make one with `CheckpointStore(...)` or `CheckpointStore.from_existing(...)`.
    """

    _parts: StoreParts

    @property
    def checkpoints_table(self) -> dynamodb.ITableV2:
        """The table of checkpoints."""
        return self._parts.checkpoints_table

    @property
    def writes_table(self) -> dynamodb.ITableV2:
        """The table of pending writes and of parts of large values."""
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
        """What the key of every object of the saver begins with."""
        return self._parts.bucket_key_prefix

    @property
    def store_bucket_key_prefix(self) -> str:
        """What the key of every object of a LangGraph store begins with."""
        return self._parts.store_bucket_key_prefix

    @property
    def run_id_index_name(self) -> str | None:
        """Name of the index on run ids, `None` without one."""
        return self._parts.run_id_index_name

    @property
    def thread_index_name(self) -> str | None:
        """Name of the index of threads by owner, `None` without one."""
        index = self._parts.thread_index
        return None if index is None else index.name

    @property
    def saver_settings(self) -> dict[str, Any]:
        """Keyword arguments for `DynamoDBSaver`.

        They hold values that are known at deployment only: hand them on with
        `Stack.of(self).to_json_string(store.saver_settings)`.
        """
        parts = self._parts
        offload = {"bucket_name": self.bucket_name, "key_prefix": self.bucket_key_prefix}
        index = parts.thread_index
        settings = {
            "checkpoints_table_name": self.checkpoints_table_name,
            "writes_table_name": self.writes_table_name,
            "run_id_index": parts.run_id_index_name,
            "thread_index": (
                None if index is None else {"owner": index.owner, "index_name": index.name}
            ),
            # Where it is known at synthesis, else CloudFormation fills it in.
            "region_name": self.checkpoints_table.env.region,
            "ttl_seconds": parts.ttl_seconds,
            "s3_offload_config": None if self.bucket is None else offload,
        }
        return {name: value for name, value in settings.items() if value is not None}

    @property
    def store_settings(self) -> dict[str, Any] | None:
        """Keyword arguments for `DynamoDBStore`, `None` without its table.

        With a vector index, the store needs `index` besides, which says what is embedded.
        As `saver_settings`, they are handed on with `Stack.to_json_string`.
        """
        table = self.store_table
        if table is None:
            return None
        offload = {"bucket_name": self.bucket_name, "key_prefix": self.store_bucket_key_prefix}
        settings = {
            "store_table_name": table.table_name,
            "vector_index": self._parts.vector_index_name,
            "region_name": table.env.region,
            "s3_offload_config": None if self.bucket is None else offload,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def schedule_sweep(
        self,
        *,
        schedule: str,
        package: str,
        older_than_seconds: int = 86_400,
        name: str | None = None,
    ) -> lambda_.Function:
        """Have the saver's tables swept (`sweep_orphans`) by a Lambda function.

        Args:
            schedule: When, as EventBridge has it: `"rate(1 day)"`.
            package: Path of a zip file with the saver and what it needs, for Python 3.13 on Linux.
            older_than_seconds: What is younger is left alone: longer than any run takes, and at
                least an hour. Default: a day.
            name: Name of the function, its role, its rule and its log. Default: CloudFormation
                makes them up.

        Raises:
            ValueError: An argument cannot be used; the message says which, and what to do.
        """
        settings = SweepSettings(
            schedule=schedule, package=package, older_than_seconds=older_than_seconds, name=name
        )
        return make_sweep(
            self,
            settings,
            saver_settings=Stack.of(self).to_json_string(self.saver_settings),
            # What a store leaves behind, its own `sweep_orphans` removes.
            statements=tuple(
                one for one in self._statements(Role.ADMIN) if not one["Sid"].startswith("Store")
            ),
        )

    def policy_document(self, role: Role) -> iam.PolicyDocument:
        """The policy of a role, for managed policies and roles of your own.

        Args:
            role: The role. `Role.TENANT` needs `tenant_thread_id_prefix`.

        Raises:
            ValueError: There is no such role, or no prefix for the tenants.
        """
        return iam.PolicyDocument.from_json(document(self._statements(role)))

    def policy_json(self, role: Role) -> str:
        """The same policy as JSON text."""
        return Stack.of(self).to_json_string(document(self._statements(role)))

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read threads, and a store where there is one.

        Args:
            grantee: Who.
        """
        return _grant(grantee, self._statements(Role.READ))

    def grant_read_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody run graphs and use a store: what an agent needs.

        Args:
            grantee: Who.
        """
        return _grant(grantee, self._statements(Role.RUNTIME))

    def grant_admin(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody run graphs, and delete, prune, copy, list everything and sweep.

        Args:
            grantee: Who.
        """
        return _grant(grantee, self._statements(Role.ADMIN))

    def grant_setup(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody call `setup()`, which verifies the tables.

        Args:
            grantee: Who.
        """
        return _grant(grantee, self._statements(Role.SETUP))

    def grant_tenant(
        self,
        grantee: iam.IGrantable,
        thread_id_prefix: str | None = None,
        owner_prefix: str | None = None,
        root_label: str | None = None,
    ) -> iam.Grant:
        """Let somebody run graphs on threads whose id has a prefix, and no others.

        Args:
            grantee: Who.
            thread_id_prefix: The prefix, such as `"acme_"`. Default: the store's
                `tenant_thread_id_prefix`.
            owner_prefix: The prefix of the owners whose threads may be listed. Default: the store's
                `tenant_owner_prefix`, and without that none may.
            root_label: The root label of its namespaces in a LangGraph store. Default: the
                `tenant_root_label`, and without that it may not use the store.

        Raises:
            ValueError: There is no prefix, or a policy cannot hold it.
        """
        return _grant(
            grantee, self._statements(Role.TENANT, thread_id_prefix, owner_prefix, root_label)
        )

    def add_alarms(self, topic_arn: str) -> None:
        """Make alarms of the tables and their indexes; docs/runbook.md says what each means.

        Args:
            topic_arn: ARN of the SNS topic that is told when an alarm begins and when it ends.

        Raises:
            ValueError: It is no ARN of a topic.
        """
        checks.require_topic_arn("topic_arn", topic_arn)
        make_alarms(self, self._watched, topic_arn)

    def add_dashboard(self) -> None:
        """Make a CloudWatch dashboard of the tables, named as the table of checkpoints."""
        make_dashboard(self, self._watched)

    @property
    def _watched(self) -> Watched:
        parts = self._parts
        checkpoints, writes = parts.given_names
        indexes = (parts.run_id_index_name, self.thread_index_name)
        return Watched(
            checkpoints=checkpoints,
            writes=writes,
            store=parts.given_store_name,
            indexes=tuple(name for name in indexes if name is not None),
            replica_regions=tuple(sorted(parts.replica_regions)),
            expires=parts.ttl_seconds is not None,
            limits_reads=parts.limits_reads,
            limits_writes=parts.limits_writes,
        )

    def _statements(
        self,
        role: Role,
        thread_id_prefix: str | None = None,
        owner_prefix: str | None = None,
        root_label: str | None = None,
    ) -> tuple[Statement, ...]:
        if role not in tuple(Role):
            checks.refuse("role", role, f"one of {', '.join(known.value for known in Role)}")
        if role != Role.TENANT:
            return statements(Role(role), self._resources)
        prefix = (
            self._parts.tenant_thread_id_prefix if thread_id_prefix is None else thread_id_prefix
        )
        if prefix is None:
            checks.refuse(
                "thread_id_prefix",
                prefix,
                "what the ids of the tenant's threads begin with; pass it here, or "
                "tenant_thread_id_prefix to the store",
            )
        checks.require_thread_id_prefix(
            "thread_id_prefix", prefix, in_object_keys=self.bucket is not None
        )
        owners = self._parts.tenant_owner_prefix if owner_prefix is None else owner_prefix
        if owners is not None:
            checks.require_owner_prefix("owner_prefix", owners)
        label = self._parts.tenant_root_label if root_label is None else root_label
        if label is not None:
            checks.require_root_label("root_label", label)
        return statements(
            Role.TENANT,
            self._resources,
            thread_id_prefix=prefix,
            owner_prefix=owners,
            root_label=label,
        )

    @property
    def _resources(self) -> Resources:
        parts = self._parts
        bucket = parts.bucket
        checkpoints_name, writes_name = parts.given_names
        checkpoints = self._arns_by_place(parts.checkpoints_table, checkpoints_name)
        writes = self._arns_by_place(parts.writes_table, writes_name)
        store = (
            []
            if parts.store_table is None
            else self._arns_by_place(parts.store_table, parts.given_store_name or "")
        )
        return Resources(
            tables=_ordered([*checkpoints, *writes]),
            indexes=_of_index(parts.run_id_index_name, checkpoints),
            thread_indexes=_of_index(self.thread_index_name, checkpoints),
            objects=_objects(bucket, parts.bucket_key_prefix),
            store=_ordered(store),
            vectors=_of_index(parts.vector_index_name, store),
            store_objects=_objects(bucket, parts.store_bucket_key_prefix) if store else (),
            bucket=() if bucket is None else (bucket.bucket_arn,),
            keys=self._key_arns,
            key_services=self._key_services,
        )

    def _arns_by_place(
        self, table: dynamodb.ITableV2, name: str
    ) -> list[tuple[tuple[str, ...], str]]:
        """ARNs of a table and its replicas, each with its region and name, to order them by."""
        stack = Stack.of(self)
        replicas = {
            region: stack.format_arn(
                service="dynamodb",
                region=region,
                account=table.env.account,
                resource="table",
                resource_name=table.table_name,
            )
            for region in self._parts.replica_regions
        }
        arns = {**replicas, table.env.region: table.table_arn}
        return [((_known(region), _known(name)), arn) for region, arn in arns.items()]

    @property
    def _key_arns(self) -> tuple[str, ...]:
        parts = self._parts
        keys = [key.key_arn for key in parts.encryption_keys]
        if parts.bucket is not None and parts.bucket.encryption_key is not None:
            keys.append(parts.bucket.encryption_key.key_arn)
        # Both tables and the bucket usually share one.
        arns = dict.fromkeys([*keys, *parts.replica_kms_key_arns.values()])
        return _ordered([((_known(arn),), arn) for arn in arns])

    @property
    def _key_services(self) -> tuple[str, ...]:
        parts = self._parts
        region = self.checkpoints_table.env.region
        suffix = Stack.of(self).url_suffix
        services = []
        if parts.encryption_keys:
            services += [f"dynamodb.{where}.{suffix}" for where in (region, *parts.replica_regions)]
        if parts.bucket is not None:
            key = parts.bucket.encryption_key
            # A bucket and its key are in one region.
            services.append(f"s3.{region if key is None else key.env.region}.{suffix}")
        return tuple(services)


def _objects(bucket: s3.IBucket | None, key_prefix: str) -> tuple[str, ...]:
    return () if bucket is None else (bucket.arn_for_objects(key_prefix),)


def _of_index(name: str | None, arns: list[tuple[tuple[str, ...], str]]) -> tuple[str, ...]:
    return () if name is None else tuple(f"{arn}/index/{name}" for arn in _ordered(arns))


def _known(text: str) -> str:
    # What a token looks like depends on the rest of the app: to order by it would reorder policies
    # that did not change.
    return "" if Token.is_unresolved(text) else text


def _ordered(arns: list[tuple[tuple[str, ...], str]]) -> tuple[str, ...]:
    return tuple(arn for _, arn in sorted(arns, key=lambda placed: placed[0]))


def _grant(grantee: iam.IGrantable, parts: tuple[Statement, ...]) -> iam.Grant:
    # Without the Sids: one principal may be given rights on several stores, and a policy that
    # names a Sid twice is refused.
    grants = [
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=part["Action"],
            resource_arns=part["Resource"],
            conditions=part.get("Condition"),
        )
        for part in parts
    ]
    return reduce(lambda first, second: first.combine(second), grants)
