from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore

from tests.support import CHECKPOINTS, REGION, WRITES, Synthesized, key_arn

if TYPE_CHECKING:
    from tests.support import Synthesizer

BOTH = pytest.mark.parametrize("name", [CHECKPOINTS, WRITES])
REPLICAS = ["eu-west-1", "ap-south-1"]


def test_by_default_there_are_two_tables_and_nothing_else(default: Synthesized) -> None:
    kinds = [resource["Type"] for resource in default.template["Resources"].values()]
    assert kinds == ["AWS::DynamoDB::GlobalTable"] * 2


@pytest.mark.parametrize(
    ("name", "partition_key", "sort_key"),
    [
        (CHECKPOINTS, "thread_id", "checkpoint_id"),
        (WRITES, "thread_id_checkpoint_id_checkpoint_ns", "task_id_idx"),
    ],
)
def test_the_keys_are_the_savers(
    default: Synthesized, name: str, partition_key: str, sort_key: str
) -> None:
    properties = default.table(name)["Properties"]
    assert properties["KeySchema"] == [
        {"AttributeName": partition_key, "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]
    assert properties["AttributeDefinitions"] == [
        {"AttributeName": partition_key, "AttributeType": "S"},
        {"AttributeName": sort_key, "AttributeType": "S"},
    ]


@BOTH
def test_items_expire_by_ttl_whether_or_not_the_saver_sets_it(
    default: Synthesized, name: str
) -> None:
    assert default.table(name)["Properties"]["TimeToLiveSpecification"] == {
        "AttributeName": "ttl",
        "Enabled": True,
    }


@BOTH
def test_billing_is_on_demand_without_a_maximum(default: Synthesized, name: str) -> None:
    properties = default.table(name)["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert "OnDemandThroughput" not in json.dumps(properties)
    assert "Provisioned" not in json.dumps(properties)


@BOTH
def test_the_only_replica_is_the_table_itself_protected_and_recoverable(
    default: Synthesized, name: str
) -> None:
    assert default.table(name)["Properties"]["Replicas"] == [
        {
            "Region": REGION,
            "DeletionProtectionEnabled": True,
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "TableClass": "STANDARD",
        }
    ]


@BOTH
def test_without_a_key_of_yours_the_table_has_one_that_aws_owns(
    default: Synthesized, name: str
) -> None:
    assert default.table(name)["Properties"]["SSESpecification"] == {"SSEEnabled": False}


@BOTH
def test_the_tables_are_kept_when_they_leave_the_stack(default: Synthesized, name: str) -> None:
    table = default.table(name)
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


@BOTH
def test_there_is_no_index_by_default(default: Synthesized, name: str) -> None:
    assert "GlobalSecondaryIndexes" not in default.table(name)["Properties"]


def test_tables_can_have_other_names(synthesizer: Synthesizer) -> None:
    result = synthesizer.store(checkpoints_table_name="a.b", writes_table_name="c_d")
    assert result.table("a.b")["Properties"]["KeySchema"][0]["AttributeName"] == "thread_id"
    assert result.table("c_d")["Properties"]["KeySchema"][1]["AttributeName"] == "task_id_idx"


def test_the_run_index_is_sparse_keys_only_and_on_the_checkpoints_alone(
    synthesizer: Synthesizer,
) -> None:
    result = synthesizer.store(run_id_index_name="by-run")
    properties = result.table(CHECKPOINTS)["Properties"]
    assert properties["GlobalSecondaryIndexes"] == [
        {
            "IndexName": "by-run",
            "KeySchema": [{"AttributeName": "run_id", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ]
    assert {"AttributeName": "run_id", "AttributeType": "S"} in properties["AttributeDefinitions"]
    assert "GlobalSecondaryIndexes" not in result.table(WRITES)["Properties"]


def test_the_index_of_threads_is_by_owner_and_moment_with_whole_items(
    synthesizer: Synthesizer,
) -> None:
    result = synthesizer.store(thread_index_owner="user_id", thread_index_name="threads")
    properties = result.table(CHECKPOINTS)["Properties"]
    assert properties["GlobalSecondaryIndexes"] == [
        {
            "IndexName": "threads",
            "KeySchema": [
                {"AttributeName": "owner", "KeyType": "HASH"},
                {"AttributeName": "updated", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ]
    for name in ("owner", "updated"):
        definition = {"AttributeName": name, "AttributeType": "S"}
        assert definition in properties["AttributeDefinitions"]
    assert "GlobalSecondaryIndexes" not in result.table(WRITES)["Properties"]


def test_tables_and_indexes_are_warm_for_what_is_asked(synthesizer: Synthesizer) -> None:
    result = synthesizer.store(
        run_id_index_name="by-run", warm_read_units=20_000, warm_write_units=8_000
    )
    warm = {"ReadUnitsPerSecond": 20_000, "WriteUnitsPerSecond": 8_000}
    for name in (CHECKPOINTS, WRITES):
        assert result.table(name)["Properties"]["WarmThroughput"] == warm
    (index,) = result.table(CHECKPOINTS)["Properties"]["GlobalSecondaryIndexes"]
    assert index["WarmThroughput"] == warm
    assert "Warm" not in json.dumps(synthesizer.store().template)


@BOTH
def test_maximum_units_hold_for_each_table(fullest: Synthesized, name: str) -> None:
    properties = fullest.table(name)["Properties"]
    assert properties["WriteOnDemandThroughputSettings"] == {"MaxWriteRequestUnits": 500}
    for replica in fullest.replicas(name).values():
        assert replica["ReadOnDemandThroughputSettings"] == {"MaxReadRequestUnits": 1000}


def test_maximum_units_hold_for_each_index(fullest: Synthesized) -> None:
    indexes = fullest.table(CHECKPOINTS)["Properties"]["GlobalSecondaryIndexes"]
    assert [index["IndexName"] for index in indexes] == ["by-run", "by-owner"]
    for index in indexes:
        assert index["WriteOnDemandThroughputSettings"] == {"MaxWriteRequestUnits": 500}
    for replica in fullest.replicas(CHECKPOINTS).values():
        assert sorted(replica["GlobalSecondaryIndexes"], key=lambda one: one["IndexName"]) == [
            {
                "IndexName": name,
                "ReadOnDemandThroughputSettings": {"MaxReadRequestUnits": 1000},
            }
            for name in ("by-owner", "by-run")
        ]


@pytest.mark.parametrize(
    ("arguments", "written", "left_out"),
    [
        ({"max_read_request_units": 7}, '"MaxReadRequestUnits": 7', "MaxWriteRequestUnits"),
        ({"max_write_request_units": 8}, '"MaxWriteRequestUnits": 8', "MaxReadRequestUnits"),
    ],
)
def test_one_maximum_sets_no_other(
    synthesizer: Synthesizer, arguments: dict[str, int], written: str, left_out: str
) -> None:
    text = json.dumps(synthesizer.store(**arguments).template)
    assert text.count(written) == 2
    assert left_out not in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"deletion_protection": False}, {"DeletionProtectionEnabled": False}),
        (
            {"point_in_time_recovery": False},
            {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}},
        ),
        (
            {"point_in_time_recovery_days": 7},
            {
                "PointInTimeRecoverySpecification": {
                    "PointInTimeRecoveryEnabled": True,
                    "RecoveryPeriodInDays": 7,
                }
            },
        ),
        (
            {"table_class": dynamodb.TableClass.STANDARD_INFREQUENT_ACCESS},
            {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        ),
    ],
)
def test_protection_recovery_and_class_hold_for_both_tables_and_their_replicas(
    synthesizer: Synthesizer, arguments: dict[str, Any], expected: dict[str, Any]
) -> None:
    result = synthesizer.store(**arguments, replica_regions=REPLICAS)
    for name in (CHECKPOINTS, WRITES):
        assert result.replicas(name).keys() == {REGION, *REPLICAS}
        for replica in result.replicas(name).values():
            assert expected.items() <= replica.items()


@BOTH
def test_replicas_are_protected_and_recoverable_too(fullest: Synthesized, name: str) -> None:
    replicas = fullest.replicas(name)
    assert replicas.keys() == {REGION, *REPLICAS}
    for replica in replicas.values():
        assert replica["DeletionProtectionEnabled"] is True
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@BOTH
def test_each_replica_is_encrypted_with_the_key_of_its_region(
    fullest: Synthesized, name: str
) -> None:
    assert fullest.table(name)["Properties"]["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
    }
    for region, replica in fullest.replicas(name).items():
        assert replica["SSESpecification"] == {"KMSMasterKeyId": key_arn(region)}


def test_a_key_of_the_same_stack_encrypts_both_tables(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store", encryption_key=kms.Key(stack, "Key"))
    store.grant_read(iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal()))
    result = Synthesized.of(stack)
    (logical_id,) = [
        name
        for name, resource in result.template["Resources"].items()
        if resource["Type"] == "AWS::KMS::Key"
    ]
    for name in (CHECKPOINTS, WRITES):
        assert result.replicas(name)[REGION]["SSESpecification"] == {
            "KMSMasterKeyId": f"arn of {logical_id}"
        }
    assert result.granted()[-1]["Resource"] == [f"arn of {logical_id}"]


@pytest.mark.parametrize("flag", [True, False])
def test_a_resource_policy_is_of_the_stacks_region_alone(
    synthesizer: Synthesizer, *, flag: bool
) -> None:
    stack = synthesizer.stack(context={"@aws-cdk/aws-dynamodb:resourcePolicyPerReplica": flag})
    CheckpointStore(
        stack,
        "Store",
        replica_regions=REPLICAS,
        checkpoints_resource_policy=_denying("dynamodb:Scan"),
        writes_resource_policy=_denying("dynamodb:DeleteTable"),
    )
    result = Synthesized.of(stack)
    for name, action in ((CHECKPOINTS, "dynamodb:Scan"), (WRITES, "dynamodb:DeleteTable")):
        replicas = result.replicas(name)
        (statement,) = replicas[REGION]["ResourcePolicy"]["PolicyDocument"]["Statement"]
        assert statement["Action"] == action
        for region in REPLICAS:
            assert not replicas[region].get("ResourcePolicy", {}).get("PolicyDocument")


def test_one_resource_policy_leaves_the_other_table_without(synthesizer: Synthesizer) -> None:
    result = synthesizer.store(writes_resource_policy=_denying("dynamodb:Scan"))
    assert "ResourcePolicy" in result.replicas(WRITES)[REGION]
    assert "ResourcePolicy" not in result.replicas(CHECKPOINTS)[REGION]


@pytest.mark.parametrize(
    ("policy", "written"),
    [(RemovalPolicy.DESTROY, "Delete"), (RemovalPolicy.RETAIN, "Retain")],
)
def test_the_removal_policy_holds_for_both_tables(
    synthesizer: Synthesizer, policy: RemovalPolicy, written: str
) -> None:
    result = synthesizer.store(removal_policy=policy)
    for name in (CHECKPOINTS, WRITES):
        table = result.table(name)
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == (written, written)


def test_a_store_needs_no_known_region(synthesizer: Synthesizer) -> None:
    result = synthesizer.ready_made(env=None, create_bucket=True)
    known = synthesizer.ready_made(create_bucket=True)
    assert result.template["Resources"].keys() == known.template["Resources"].keys()
    assert result.outputs == known.outputs
    assert result.replicas(CHECKPOINTS).keys() == {REGION}


def test_two_stores_fit_in_one_stack(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    for name in ("a", "b"):
        CheckpointStore(
            stack,
            name,
            checkpoints_table_name=f"{name}-checkpoints",
            writes_table_name=f"{name}-writes",
        ).grant_read(role)
    granted = Synthesized.of(stack).granted()
    assert sum(len(statement["Resource"]) for statement in granted) == 4
    assert not any("Sid" in statement for statement in granted)


def test_the_attributes_are_what_was_made(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store", run_id_index_name="by-run", bucket_key_prefix="p/q/")
    assert stack.resolve(store.checkpoints_table_name) == stack.resolve(
        store.checkpoints_table.table_name
    )
    assert stack.resolve(store.writes_table_name) == stack.resolve(store.writes_table.table_name)
    assert store.checkpoints_table_name != store.writes_table_name
    assert store.run_id_index_name == "by-run"
    assert store.bucket_key_prefix == "p/q/"
    assert store.bucket is None
    assert store.bucket_name is None


def test_a_store_can_be_of_another_stack_than_its_users(synthesizer: Synthesizer) -> None:
    app: App = synthesizer.app()
    store = CheckpointStore(Stack(app, "Tables"), "Store")
    users = Stack(app, "Users")
    store.grant_read_write(iam.Role(users, "Role", assumed_by=iam.AccountRootPrincipal()))
    (policy,) = Synthesized.of(users).all("AWS::IAM::Policy")
    assert "Tables" in json.dumps(policy)


def _denying(action: str) -> iam.PolicyDocument:
    statement = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=[action],
        principals=[iam.AnyPrincipal()],
        resources=["*"],
    )
    return iam.PolicyDocument(statements=[statement])
