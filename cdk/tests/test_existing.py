from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore, CheckpointStoreBase, Role

from tests.support import FULLEST, REGION, Synthesized, key_arn, saying, table_arn

if TYPE_CHECKING:
    from tests.support import Synthesizer

REPLICAS = ["ap-south-1", "eu-west-1"]


def test_existing_tables_make_nothing(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    _existing(stack, bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "theirs"))
    assert "Resources" not in Synthesized.of(stack).template


def test_existing_tables_have_the_attributes_of_new_ones(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "theirs")
    store = _existing(
        stack,
        bucket=bucket,
        bucket_key_prefix="p/",
        run_id_index_name="runs",
        thread_index_owner="user_id",
        thread_index_name="threads",
        ttl_seconds=60,
    )
    assert store.checkpoints_table_name == "old-c"
    assert store.writes_table_name == "old-w"
    assert store.checkpoints_table.table_arn == table_arn("old-c")
    assert store.bucket is bucket
    assert store.saver_settings == {
        "checkpoints_table_name": "old-c",
        "writes_table_name": "old-w",
        "region_name": REGION,
        "run_id_index": "runs",
        "thread_index": {"owner": "user_id", "index_name": "threads"},
        "ttl_seconds": 60,
        "s3_offload_config": {"bucket_name": "theirs", "key_prefix": "p/"},
    }


def test_both_are_the_same_kind_of_store(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    assert isinstance(_existing(stack), CheckpointStoreBase)
    assert issubclass(CheckpointStore, CheckpointStoreBase)


@pytest.mark.parametrize("role", list(Role))
def test_policies_of_existing_tables_are_those_of_new_ones(
    synthesizer: Synthesizer, role: Role
) -> None:
    stack = synthesizer.stack()
    keys = {region: key_arn(region) for region in FULLEST["replica_regions"]}
    made = CheckpointStore(
        stack,
        "Made",
        **FULLEST,
        encryption_key=kms.Key.from_key_arn(stack, "Key", key_arn()),
        replica_kms_key_arns=keys,
    )
    shared = {name: FULLEST[name] for name in FULLEST if name in _parameters()}
    found = CheckpointStore.from_existing(
        stack,
        "Found",
        checkpoints_table=made.checkpoints_table,
        writes_table=made.writes_table,
        bucket=made.bucket,
        replica_kms_key_arns=keys,
        **shared,
    )
    assert _resolved(stack, found, role) == _resolved(stack, made, role)
    assert shared.keys() >= {"run_id_index_name", "replica_regions", "tenant_thread_id_prefix"}


def test_keys_come_from_the_imported_tables(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    key = kms.Key.from_key_arn(stack, "Key", key_arn())
    store = _existing(stack, key=key)
    statement = _resolved(stack, store, Role.READ)["Statement"][-1]
    assert statement["Sid"] == "Key"
    assert statement["Resource"] == key_arn()


def test_the_region_of_an_existing_table_is_its_own(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack(env=None)
    key = kms.Key.from_key_arn(stack, "Key", key_arn())
    store = _existing(stack, key=key, replica_regions=REPLICAS, replica_kms_key_arns=_keys())
    store.grant_read(iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal()))
    tables, keys = Synthesized.of(stack).granted()
    assert tables["Resource"] == [
        table_arn(name, region) for region in [*REPLICAS, REGION] for name in ("old-c", "old-w")
    ]
    assert keys["Condition"]["StringEquals"]["kms:ViaService"] == [
        f"dynamodb.{region}.amazonaws.com" for region in (REGION, *REPLICAS)
    ]


def test_tables_found_by_name_are_in_the_region_of_the_stack(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack(env=None)
    store = CheckpointStore.from_existing(
        stack,
        "Store",
        checkpoints_table=dynamodb.TableV2.from_table_name(stack, "C", "old-c"),
        writes_table=dynamodb.TableV2.from_table_name(stack, "W", "old-w"),
    )
    store.grant_read_write(iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal()))
    (statement,) = Synthesized.of(stack).granted()
    assert statement["Resource"] == [table_arn("old-c"), table_arn("old-w")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"run_id_index_name": "x"}, saying("run_id_index_name: got 'x'", "3 to 255")),
        ({"thread_index_owner": ""}, saying("thread_index_owner: got ''")),
        ({"ttl_seconds": 0}, saying("ttl_seconds: got 0")),
        ({"bucket_key_prefix": "p"}, saying("bucket_key_prefix: got 'p'")),
        ({"tenant_thread_id_prefix": "a*_"}, saying("tenant_thread_id_prefix: got 'a*_'")),
        ({"replica_regions": "eu-west-1"}, saying("replica_regions: got 'eu-west-1'")),
        (
            {"replica_regions": REPLICAS, "replica_kms_key_arns": {"eu-west-1": "x"}},
            saying("replica_kms_key_arns: got", "no keys"),
        ),
    ],
)
def test_existing_tables_are_checked_like_new_ones(
    synthesizer: Synthesizer, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _existing(synthesizer.stack(), **arguments)


def test_replicas_of_encrypted_existing_tables_need_their_keys(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    key = kms.Key.from_key_arn(stack, "Key", key_arn())
    with pytest.raises(ValueError, match=saying("replica_kms_key_arns: got {}", "eu-west-1")):
        _existing(stack, key=key, replica_regions=["eu-west-1"])


def _existing(stack: Stack, key: kms.IKey | None = None, **arguments: Any) -> CheckpointStoreBase:
    return CheckpointStore.from_existing(
        stack,
        "Store",
        checkpoints_table=dynamodb.TableV2.from_table_attributes(
            stack, "C", table_arn=table_arn("old-c"), encryption_key=key
        ),
        writes_table=dynamodb.TableV2.from_table_attributes(
            stack, "W", table_arn=table_arn("old-w"), encryption_key=key
        ),
        **arguments,
    )


def _keys() -> dict[str, str]:
    return {region: key_arn(region) for region in REPLICAS}


def _parameters() -> set[str]:
    return set(inspect.signature(CheckpointStore.from_existing).parameters)


def _resolved(stack: Stack, store: CheckpointStoreBase, role: Role) -> Any:
    document = stack.resolve(store.policy_document(role))
    # Through JSON, as in the template.
    return json.loads(json.dumps(document))
