"""The table of a LangGraph store: created like the other two, with its own policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import CfnParameter
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore, guard

from tests.support import (
    CHECKPOINTS,
    FULLEST,
    REGION,
    WRITES,
    Synthesized,
    key_arn,
    saying,
    table_arn,
)

if TYPE_CHECKING:
    from tests.support import Synthesizer

STORE = "memories"
WITH_STORE: dict[str, Any] = {
    **FULLEST,
    "store_table_name": STORE,
    "store_vector_index_name": "vectors",
    "store_vector_dimensions": 256,
    "tenant_root_label": "${aws:PrincipalTag/tenant}",
}


@pytest.fixture(scope="module")
def made(synthesizer: Synthesizer, package: str) -> Synthesized:
    return synthesizer.ready_made(
        **WITH_STORE,
        kms_key_arn=key_arn(),
        replica_kms_key_arns={region: key_arn(region) for region in FULLEST["replica_regions"]},
        create_policies=True,
        sweep_schedule="rate(1 day)",
        sweep_package=package,
    )


def test_its_keys_are_the_stores(synthesizer: Synthesizer) -> None:
    properties = synthesizer.ready_made(store_table_name=STORE).table(STORE)["Properties"]
    assert properties["KeySchema"] == [
        {"AttributeName": "root", "KeyType": "HASH"},
        {"AttributeName": "path", "KeyType": "RANGE"},
    ]
    assert [found["AttributeName"] for found in properties["AttributeDefinitions"]] == [
        "root",
        "path",
    ]
    assert "VectorIndexes" not in properties


def test_it_is_billed_protected_encrypted_and_replicated_as_the_table_of_writes(
    made: Synthesized,
) -> None:
    store, writes = made.table(STORE), made.table(WRITES)
    own = ("TableName", "KeySchema", "AttributeDefinitions", "VectorIndexes")
    for table in (store, writes):
        for name in own:
            table["Properties"].pop(name, None)
    assert store == writes


def test_its_vector_index_is_searched_by_labels_and_holds_keys_alone(made: Synthesized) -> None:
    properties = made.table(STORE)["Properties"]
    labels = ["vector_root", "vector_label_2", "vector_label_3", "vector_label_4"]
    assert properties["VectorIndexes"] == [
        {
            "IndexName": "vectors",
            "VectorAttribute": {"AttributeName": "vector"},
            "SearchSchema": [
                {"AttributeName": labels[0], "SearchSchemaElementType": "HASH"},
                *(
                    {"AttributeName": label, "SearchSchemaElementType": "INLINE_FILTER"}
                    for label in labels[1:]
                ),
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
            "Dimensions": 256,
            "DistanceFunction": "COSINE",
        }
    ]
    defined = {
        one["AttributeName"]: one["AttributeType"] for one in properties["AttributeDefinitions"]
    }
    assert defined == dict.fromkeys(["root", "path", *labels], "S")


def test_the_settings_are_an_output(made: Synthesized) -> None:
    settings = json.loads(made.outputs["StoreSettings"])
    bucket = made.outputs["BucketName"]
    assert settings == {
        "store_table_name": STORE,
        "vector_index": "vectors",
        "region_name": REGION,
        "s3_offload_config": {"bucket_name": bucket, "key_prefix": "langgraph-store/"},
    }
    assert made.outputs["StoreTableArn"] == table_arn(STORE)


def test_without_it_there_is_no_right_on_one(fullest: Synthesized, default: Synthesized) -> None:
    for stack in (fullest, default):
        assert "langgraph-store" not in json.dumps(stack.template)
        assert not {name for name in stack.outputs if name.startswith("Store")}


def statement(made: Synthesized, role: str, sid: str) -> dict[str, Any]:
    (found,) = (one for one in made.policy(role) if one["Sid"] == sid)
    return found


@pytest.mark.parametrize("role", ["read", "runtime", "admin"])
def test_roles_may_use_its_table_in_every_region_and_search_its_index(
    made: Synthesized, role: str
) -> None:
    regions = sorted([*FULLEST["replica_regions"], REGION])
    arns = [table_arn(STORE, region) for region in regions]
    found = statement(made, role, "Store")
    assert found["Resource"] == arns
    assert "Condition" not in found
    search = statement(made, role, "StoreVectors")
    assert search["Action"] in ("dynamodb:SearchVectors", ["dynamodb:SearchVectors"])
    assert search["Resource"] == [f"{arn}/index/vectors" for arn in arns]


def test_an_agent_deletes_what_it_has_put_and_scans_nothing(made: Synthesized) -> None:
    actions = statement(made, "runtime", "Store")["Action"]
    assert "dynamodb:DeleteItem" in actions
    assert "dynamodb:Scan" not in actions
    assert statement(made, "runtime", "StoreObjects")["Action"] == [
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:PutObject",
    ]
    assert "s3:DeleteObject" not in statement(made, "runtime", "Objects")["Action"]


def test_a_tenant_has_its_root_label_and_no_search_of_vectors(made: Synthesized) -> None:
    tag = "${aws:PrincipalTag/tenant}"
    sids = {one["Sid"] for one in made.policy("tenant")}
    assert "StoreVectors" not in sids
    assert "SearchVectors" not in json.dumps(made.policy("tenant"))
    assert statement(made, "tenant", "Store")["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [tag, f"{tag}.*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    registry = statement(made, "tenant", "StoreRegistry")
    assert registry["Action"] == ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    assert registry["Condition"]["ForAllValues:StringLike"] == {
        "dynamodb:LeadingKeys": [".namespaces.*"]
    }
    (objects,) = statement(made, "tenant", "StoreObjects")["Resource"]
    assert objects.endswith(f"/langgraph-store/{tag}/*")


def test_a_tenant_without_a_label_may_not_use_the_store(synthesizer: Synthesizer) -> None:
    made = synthesizer.ready_made(store_table_name=STORE, tenant_thread_id_prefix="a_")
    assert STORE not in json.dumps(made.policy("tenant"))


def test_a_tenant_can_be_granted_a_label_of_its_own(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store", store_table_name=STORE)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    store.grant_tenant(role, "acme_", root_label="acme")
    text = json.dumps(Synthesized.of(stack).granted())
    assert '["acme", "acme.*"]' in text
    with pytest.raises(ValueError, match=saying("root_label: got 'a.b'")):
        store.grant_tenant(role, "acme_", root_label="a.b")


def test_the_sweep_has_no_rights_on_it(made: Synthesized) -> None:
    text = json.dumps([made.filled(one) for one in made.all("AWS::IAM::Role")])
    assert CHECKPOINTS in text
    assert STORE not in text


def test_a_table_that_exists_has_the_same_rights_and_settings(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()

    def named(name: str) -> dynamodb.ITableV2:
        return dynamodb.TableV2.from_table_attributes(stack, name, table_name=name)

    store = CheckpointStore.from_existing(
        stack,
        "Store",
        checkpoints_table=named("old-c"),
        writes_table=named("old-w"),
        store_table=named(STORE),
        store_vector_index_name="vectors",
        bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "theirs"),
        store_bucket_key_prefix="m/",
    )
    assert store.store_table_name == STORE
    assert store.store_settings == {
        "store_table_name": STORE,
        "vector_index": "vectors",
        "region_name": REGION,
        "s3_offload_config": {"bucket_name": "theirs", "key_prefix": "m/"},
    }
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    store.grant_read_write(role)
    resources = [one["Resource"] for one in Synthesized.of(stack).granted()]
    assert [table_arn(STORE)] in resources
    assert [f"{table_arn(STORE)}/index/vectors"] in resources
    assert ["arn:aws:s3:::theirs/m/*"] in resources


def test_without_one_there_are_no_settings(synthesizer: Synthesizer) -> None:
    store = CheckpointStore(synthesizer.stack(), "Store")
    assert (store.store_table, store.store_table_name, store.store_settings) == (None, None, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"store_table_name": WRITES}, ["store_table_name", "another name"]),
        ({"store_table_name": "x"}, ["store_table_name", "3 to 255"]),
        ({"store_vector_index_name": "vectors"}, ["store_vector_index_name", "together"]),
        (
            {"store_table_name": STORE, "store_vector_dimensions": 8},
            ["store_vector_index_name: got None", "together"],
        ),
        (
            {
                "store_table_name": STORE,
                "store_vector_index_name": "vectors",
                "store_vector_dimensions": 4097,
            },
            ["store_vector_dimensions: got 4097", "from 1 to 4096"],
        ),
        ({"store_bucket_key_prefix": "m"}, ["store_bucket_key_prefix", "one '/' after each"]),
        (
            {"store_bucket_key_prefix": "langgraph-checkpoints/store/"},
            ["store_bucket_key_prefix", "apart from bucket_key_prefix"],
        ),
        (
            {"bucket_key_prefix": "a/b/", "store_bucket_key_prefix": "a/"},
            ["store_bucket_key_prefix", "apart"],
        ),
        (
            {"store_table_name": STORE, "tenant_root_label": "a"},
            ["tenant_root_label", "tenant_thread_id_prefix and store_table_name"],
        ),
        (
            {"tenant_thread_id_prefix": "a_", "tenant_root_label": "a"},
            ["tenant_root_label", "tenant_thread_id_prefix and store_table_name"],
        ),
        ({"tenant_root_label": "a*"}, ["tenant_root_label: got 'a*'"]),
        ({"store_resource_policy": iam.PolicyDocument()}, ["store_resource_policy"]),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_is_expected(
    synthesizer: Synthesizer, arguments: dict[str, Any], said: list[str]
) -> None:
    with pytest.raises(ValueError, match=saying(*said)):
        synthesizer.store(**arguments)


def test_names_that_are_known_later_pass(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(
        stack,
        "Store",
        store_table_name=CfnParameter(stack, "Name").value_as_string,
        store_bucket_key_prefix=CfnParameter(stack, "Prefix").value_as_string,
    )
    assert store.store_settings is not None
    assert len(Synthesized.of(stack).template["Resources"]) == 3


def test_the_app_does_not_take_table_or_vector_index_away(
    synthesizer: Synthesizer, made: Synthesized
) -> None:
    without = synthesizer.ready_made(**{**FULLEST, "create_bucket": False}).template
    names = {resource.name for resource in guard.removed(made.template, without)}
    assert {f"the table {STORE}", f"the index vectors of {STORE}"} <= names
