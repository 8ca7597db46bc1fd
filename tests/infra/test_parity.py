"""The package, `setup()`, the Terraform module and the CDK stack define the same tables.

The definitions are read from what each of them generates; nothing is deployed here.
"""

from __future__ import annotations

import copy
import inspect
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore, CheckpointStoreStack

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.format.tables import (
    SAVER_TABLES,
    VectorIndexSpec,
    run_index,
    thread_index,
)
from langgraph_checkpoint_dynamodb.policies import STORE_REGISTER_ACTIONS, VERIFY_ACTIONS
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from tests.infra import shapes
from tests.infra.conftest import CDK_VARIABLES, FULL_VARIABLES, as_context
from tests.infra.filled import Filled
from tests.support.iam import ACCOUNT, REGION
from tests.support.sessions import new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.infra.account import Account
    from tests.infra.shapes import Statement
    from tests.infra.tools import Cdk, Terraform

INDEXES = (
    run_index(FULL_VARIABLES["run_id_index_name"]),
    thread_index(FULL_VARIABLES["thread_index_name"]),
)
VECTORS = VectorIndexSpec(
    FULL_VARIABLES["store_vector_index_name"], CDK_VARIABLES["store_vector_dimensions"]
)
NAMES = {"checkpoints": "full-checkpoints", "writes": "full-writes", "store": "full-store"}
ROLES = ("read", "runtime", "setup", "admin", "tenant")

JsonObject = dict[str, Any]


@pytest.fixture(scope="module")
def requests_of_setup(account: Account) -> list[tuple[str, dict[str, Any]]]:
    """The requests of `setup()` for tables that do not exist yet."""
    session = new_session()
    sent: list[tuple[str, dict[str, Any]]] = []

    def keep(params: dict[str, Any], model: Any, **_: object) -> None:
        sent.append((model.name, params))

    session.events.register("before-parameter-build.dynamodb", keep)
    with DynamoDBSaver(
        checkpoints_table_name="full-checkpoints",
        writes_table_name="full-writes",
        run_id_index=FULL_VARIABLES["run_id_index_name"],
        thread_index={
            "owner": FULL_VARIABLES["thread_index_owner"],
            "index_name": FULL_VARIABLES["thread_index_name"],
        },
        ttl_seconds=FULL_VARIABLES["ttl_seconds"],
        session=session,
        endpoint_url=account.url,
    ) as saver:
        saver.setup()
    with DynamoDBStore(
        store_table_name="full-store",
        vector_index=VECTORS.name,
        index={"dims": VECTORS.dims, "embed": lambda texts: [[0.0] * VECTORS.dims for _ in texts]},
        session=session,
        endpoint_url=account.url,
    ) as store:
        store.setup()
    client = account.client("dynamodb")
    for name in NAMES.values():
        client.delete_table(TableName=name)
    return sent


@pytest.fixture(scope="module")
def filled(full_template: JsonObject) -> Filled:
    return Filled(full_template)


def planned_outputs(plan: JsonObject) -> dict[str, Any]:
    return {name: found.get("value") for name, found in plan["planned_values"]["outputs"].items()}


def templated_outputs(template: JsonObject) -> dict[str, Any]:
    filled = Filled(template)
    return {
        snake_case(name): filled.value(found["Value"])
        for name, found in template["Outputs"].items()
        if name != "CDKMetadata"
    }


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def policies(outputs: Mapping[str, Any]) -> dict[str, frozenset[Statement]]:
    return {role: shapes.statements(outputs[f"{role}_policy_json"]) for role in ROLES}


# The tables.


def test_setup_asks_for_the_tables_as_specified(
    requests_of_setup: list[tuple[str, dict[str, Any]]],
) -> None:
    assert shapes.requested(requests_of_setup, NAMES) == shapes.specified(INDEXES, vectors=VECTORS)


def test_terraform_plans_the_tables_as_specified(full_plan: JsonObject) -> None:
    """Except for the vector index, which the aws provider does not support in 5.x."""
    assert shapes.planned(full_plan) == shapes.specified(INDEXES)


def test_the_stack_has_the_tables_as_specified(full_template: JsonObject) -> None:
    assert shapes.templated(full_template, NAMES) == shapes.specified(INDEXES, vectors=VECTORS)


def test_without_an_index_all_tools_define_the_keys_alone(
    default_plan: JsonObject, default_template: JsonObject
) -> None:
    names = {"checkpoints": "langgraph-checkpoints", "writes": "langgraph-writes"}
    planned = shapes.planned(default_plan)
    assert planned == shapes.templated(default_template, names)
    assert planned.keys() == names.keys()
    for role, shape in shapes.specified(INDEXES, SAVER_TABLES).items():
        assert planned[role].keys == shape.keys
        assert planned[role].ttl == shape.ttl
        assert planned[role].indexes == frozenset()
        assert {name for name, _ in planned[role].types} == {name for _, name in shape.keys}


def in_plan(*path: str) -> Callable[[JsonObject], tuple[JsonObject, str]]:
    def find(plan: JsonObject) -> tuple[JsonObject, str]:
        return descend(shapes.planned_tables(plan)["checkpoints"], path)

    return find


def in_template(
    *path: str, table: str = "full-checkpoints"
) -> Callable[[JsonObject], tuple[JsonObject, str]]:
    def find(template: JsonObject) -> tuple[JsonObject, str]:
        (properties,) = (
            found["Properties"]
            for found in shapes.of_type(template, "AWS::DynamoDB::GlobalTable")
            if found["Properties"]["TableName"] == table
        )
        return descend(properties, path)

    return find


def descend(found: Any, path: Iterable[str]) -> tuple[JsonObject, str]:
    *steps, last = path
    for step in steps:
        found = found[int(step)] if step.isdecimal() else found[step]
    return found, last


@pytest.mark.parametrize(
    "find",
    [
        in_plan("hash_key"),
        in_plan("range_key"),
        in_plan("attribute", "0", "name"),
        in_plan("attribute", "1", "type"),
        in_plan("ttl", "0", "attribute_name"),
        in_plan("global_secondary_index", "0", "name"),
        in_plan("global_secondary_index", "0", "hash_key"),
        in_plan("global_secondary_index", "0", "range_key"),
        in_plan("global_secondary_index", "0", "projection_type"),
        in_plan("global_secondary_index", "1", "range_key"),
        in_plan("global_secondary_index", "1", "projection_type"),
    ],
)
def test_anything_else_in_a_plan_is_noticed(
    full_plan: JsonObject, find: Callable[[JsonObject], tuple[JsonObject, str]]
) -> None:
    changed = copy.deepcopy(full_plan)
    found, key = find(changed)
    found[key] = "other"
    assert shapes.planned(changed) != shapes.specified(INDEXES)


@pytest.mark.parametrize(
    "find",
    [
        in_template("KeySchema", "0", "AttributeName"),
        in_template("KeySchema", "1", "KeyType"),
        in_template("AttributeDefinitions", "0", "AttributeType"),
        in_template("TimeToLiveSpecification", "AttributeName"),
        in_template("GlobalSecondaryIndexes", "0", "IndexName"),
        in_template("GlobalSecondaryIndexes", "0", "KeySchema", "0", "AttributeName"),
        in_template("GlobalSecondaryIndexes", "0", "Projection", "ProjectionType"),
        in_template("GlobalSecondaryIndexes", "1", "KeySchema", "1", "AttributeName"),
        in_template("GlobalSecondaryIndexes", "1", "Projection", "ProjectionType"),
    ],
)
def test_anything_else_in_a_template_is_noticed(
    full_template: JsonObject, find: Callable[[JsonObject], tuple[JsonObject, str]]
) -> None:
    changed = copy.deepcopy(full_template)
    found, key = find(changed)
    found[key] = "other"
    assert shapes.templated(changed, NAMES) != shapes.specified(INDEXES, vectors=VECTORS)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("VectorIndexes", "0", "Dimensions"), 255),
        (("VectorIndexes", "0", "DistanceFunction"), "EUCLIDEAN"),
        (("VectorIndexes", "0", "SearchSchema", "1", "AttributeName"), "vector_label_3"),
        (("VectorIndexes", "0", "SearchSchema", "0", "SearchSchemaElementType"), "INLINE_FILTER"),
        (("VectorIndexes", "0", "VectorAttribute", "AttributeName"), "vectors"),
        (("VectorIndexes", "0", "Projection", "ProjectionType"), "ALL"),
        (("AttributeDefinitions", "5", "AttributeType"), "N"),
    ],
    ids=lambda path: ".".join(map(str, path)) if isinstance(path, tuple) else "",
)
def test_anything_else_in_the_vector_index_of_a_template_is_noticed(
    full_template: JsonObject, path: tuple[str, ...], value: object
) -> None:
    changed = copy.deepcopy(full_template)
    found, key = in_template(*path, table="full-store")(changed)
    found[key] = value
    assert shapes.templated(changed, NAMES) != shapes.specified(INDEXES, vectors=VECTORS)


# Policies and outputs.


def test_the_actions_of_every_role_are_those_of_the_package(full_plan: JsonObject) -> None:
    found = policies(planned_outputs(full_plan))
    specified = shapes.specified_actions()
    assert {role: shapes.actions_of(found[role]) for role in specified} == specified
    # A tenant must not see the thread ids of other tenants (by listing the bucket) or their
    # memories (by searching the vector index), and may not describe tables.
    not_of_a_tenant = ("Bucket", "StoreVectors")
    of_a_tenant = {
        sid: found for sid, found in specified["runtime"].items() if sid not in not_of_a_tenant
    }
    of_a_tenant["Tables"] -= VERIFY_ACTIONS
    of_a_tenant["Store"] -= VERIFY_ACTIONS
    of_a_tenant["StoreRegistry"] = STORE_REGISTER_ACTIONS
    assert shapes.actions_of(found["tenant"]) == of_a_tenant


def test_the_policies_of_both_tools_are_the_same_to_the_letter(
    full_plan: JsonObject, full_template: JsonObject
) -> None:
    assert policies(planned_outputs(full_plan)) == policies(templated_outputs(full_template))


def test_the_managed_policies_of_both_tools_are_those_of_the_outputs(
    full_plan: JsonObject, full_template: JsonObject, filled: Filled
) -> None:
    planned = {
        found["values"]["name"]: shapes.statements(found["values"]["policy"])
        for found in shapes.planned_resources(full_plan, "aws_iam_policy")
    }
    templated = {
        found["Properties"]["ManagedPolicyName"]: shapes.statements(
            json.dumps(filled.value(found["Properties"]["PolicyDocument"]))
        )
        for found in shapes.of_type(full_template, "AWS::IAM::ManagedPolicy")
    }
    expected = policies(planned_outputs(full_plan))
    assert planned == templated == {f"full-{role}": expected[role] for role in ROLES}


OWN_BUCKET = {
    "bucket_name": "theirs",
    "bucket_kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/1111-2222",
}


def test_the_policies_for_a_bucket_that_exists_are_the_same_and_use_its_key(
    new_terraform: Callable[[str, Account], Terraform],
    new_cdk: Callable[[Account], Cdk],
    account: Account,
) -> None:
    plan = new_terraform(".", account).plan(**OWN_BUCKET, tenant_thread_id_prefix="t_")
    context = {"bucket": "theirs", "bucket_kms_key_arn": OWN_BUCKET["bucket_kms_key_arn"]}
    template = new_cdk(account).template(**context, tenant_thread_id_prefix="t_")
    found = policies(planned_outputs(plan))
    assert found == policies(templated_outputs(template))
    (key,) = (statement for statement in found["runtime"] if statement.sid == "Key")
    assert key.resources == {OWN_BUCKET["bucket_kms_key_arn"]}
    assert "s3.eu-west-1.amazonaws.com" in key.condition


@pytest.mark.parametrize("role", ROLES)
def test_one_action_more_or_less_is_noticed(full_plan: JsonObject, role: str) -> None:
    text = planned_outputs(full_plan)[f"{role}_policy_json"]
    more = json.loads(text)
    more["Statement"][0]["Action"].append("dynamodb:DeleteTable")
    less = json.loads(text)
    less["Statement"][0]["Action"].pop()
    specified = shapes.specified_actions()["runtime" if role == "tenant" else role]
    for changed in (more, less):
        found = shapes.actions_of(shapes.statements(json.dumps(changed)))
        assert found["Tables"] != specified["Tables"]


def test_the_outputs_of_both_tools_have_the_same_names_and_values(
    full_plan: JsonObject, full_template: JsonObject
) -> None:
    planned, templated = planned_outputs(full_plan), templated_outputs(full_template)
    assert planned.keys() == templated.keys()
    # The ARN of a resource that is not created yet is known only after the apply.
    known = {"checkpoints_table_name", "writes_table_name", "store_table_name"}
    known |= {"run_id_index_name", "thread_index_name"}
    known |= {"bucket_name", "bucket_arn", "bucket_key_prefix", "sweep_function_name"}
    assert {name: planned[name] for name in known} == {name: templated[name] for name in known}
    for settings in ("saver_settings", "store_settings"):
        assert planned[settings] == json.loads(templated[settings])
    arns = {role: f"arn:aws:iam::{ACCOUNT}:policy/full-{role}" for role in ROLES}
    assert json.loads(templated["policy_arns"]) == arns


def test_the_saver_takes_the_settings_that_the_tools_put_out(full_plan: JsonObject) -> None:
    settings = planned_outputs(full_plan)["saver_settings"]
    assert settings["region_name"] == REGION
    with DynamoDBSaver(**settings, session=new_session()) as saver:
        assert saver is not None
    assert settings["thread_index"] == {"owner": "user_id", "index_name": "threads"}
    assert settings.keys() <= inspect.signature(DynamoDBSaver.__init__).parameters.keys()


def test_the_store_takes_the_settings_that_the_tools_put_out(full_plan: JsonObject) -> None:
    settings = planned_outputs(full_plan)["store_settings"]
    index: Any = {"dims": VECTORS.dims, "embed": lambda texts: [[0.0] for _ in texts]}
    with DynamoDBStore(**settings, index=index, session=new_session()) as store:
        assert store is not None
    assert settings == {
        "store_table_name": "full-store",
        "vector_index": "vectors",
        "region_name": REGION,
        "s3_offload_config": {"bucket_name": "full-bucket", "key_prefix": "memories/"},
    }


def test_without_a_store_there_are_neither_settings_of_one_nor_rights_on_one(
    default_plan: JsonObject, default_template: JsonObject
) -> None:
    planned, templated = planned_outputs(default_plan), templated_outputs(default_template)
    assert planned["store_settings"] is planned["store_table_name"] is None
    assert not {name for name in templated if name.startswith("store")}
    for role in ("read", "runtime", "setup", "admin"):
        for outputs in (planned, templated):
            found = shapes.statements(outputs[f"{role}_policy_json"])
            assert not {one.sid for one in found if one.sid.startswith("Store")}


def test_a_tenant_is_held_to_its_root_label_in_the_table_and_in_the_bucket(
    full_plan: JsonObject,
) -> None:
    found = policies(planned_outputs(full_plan))
    (statement,) = (one for one in found["tenant"] if one.sid == "Store")
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/full-store"
    assert statement.resources == {table, table.replace(REGION, "eu-west-1")}
    assert json.loads(statement.condition)["ForAllValues:StringLike"] == {
        "dynamodb:LeadingKeys": [
            "${aws:PrincipalTag/tenant}",
            "${aws:PrincipalTag/tenant}.*",
        ]
    }
    (objects,) = (one for one in found["tenant"] if one.sid == "StoreObjects")
    assert objects.resources == {"arn:aws:s3:::full-bucket/memories/${aws:PrincipalTag/tenant}/*"}


# What is configured, and the result.


# Settings of one tool for which the other has its own means.
TERRAFORM_ONLY = {
    "tags",  # the CDK uses Tags.of(...) or `cdk deploy --tags`
    "policy_role_names",  # the CDK uses grants
}
CDK_ONLY = {
    *CDK_VARIABLES,  # the provider has no vector indexes
    "removal_policy",  # Terraform removes a module from the state
    "warm_read_units",  # the provider has them from 6.x on
    "warm_write_units",
}


def test_both_tools_take_the_same_settings_with_the_same_defaults() -> None:
    keywords = shapes.stack_settings()
    module = shapes.defaults()
    assert module.keys() - TERRAFORM_ONLY == keywords.keys() - CDK_ONLY
    empty: tuple[object, ...] = ((), None)
    for name in module.keys() - TERRAFORM_ONLY:
        default = module[name]
        match default:
            case "[]" | "{}":
                assert keywords[name] in empty, name
            case "null":
                assert keywords[name] is None, name
            case _:
                written = keywords[name]
                assert json.loads(default) == getattr(written, "name", written), name


def test_the_construct_takes_what_the_stack_takes() -> None:
    stack = inspect.signature(CheckpointStoreStack.__init__).parameters.keys()
    construct = inspect.signature(CheckpointStore.__init__).parameters.keys()
    of_the_stack = {"create_policies", "policy_name_prefix", "kms_key_arn", "kwargs"}
    # The construct has methods for these: schedule_sweep, add_alarms, add_dashboard.
    of_the_stack |= {"sweep_schedule", "sweep_package", "sweep_older_than_seconds"}
    of_the_stack |= {"alarm_topic_arn", "dashboard"}
    assert stack - construct == of_the_stack | {"bucket_kms_key_arn"}
    assert construct - stack == {"encryption_key", "bucket"}


def protection_in_plan(plan: JsonObject) -> dict[str, Any]:
    def settings(table: Mapping[str, Any]) -> JsonObject:
        def one(block: str, key: str) -> Any:
            found = table.get(block)
            return found[0].get(key) if found else None

        return {
            "billing": table["billing_mode"],
            # The provider leaves the default out of a plan.
            "class": table["table_class"] or "STANDARD",
            "recovery": one("point_in_time_recovery", "enabled"),
            "days": one("point_in_time_recovery", "recovery_period_in_days"),
            "protected": table["deletion_protection_enabled"],
            "key": one("server_side_encryption", "kms_key_arn"),
            "reads": one("on_demand_throughput", "max_read_request_units"),
            "writes": one("on_demand_throughput", "max_write_request_units"),
            "indexes": {
                (
                    found["name"],
                    *(
                        (limits["max_read_request_units"], limits["max_write_request_units"])
                        for limits in found["on_demand_throughput"]
                    ),
                )
                for found in table["global_secondary_index"]
            },
            "replicas": {
                (found["region_name"], found["kms_key_arn"], found["point_in_time_recovery"])
                for found in table["replica"]
            },
        }

    return {table["name"]: settings(table) for table in shapes.planned_tables(plan).values()}


def protection_in_template(template: JsonObject) -> dict[str, Any]:
    def settings(table: JsonObject) -> JsonObject:
        (here,) = (
            found
            for found in table["Replicas"]
            if found["Region"] in (REGION, {"Ref": "AWS::Region"})
        )
        elsewhere = [found for found in table["Replicas"] if found is not here]
        return {
            "billing": table["BillingMode"],
            "class": here.get("TableClass", "STANDARD"),
            "recovery": recovery(here),
            "days": here["PointInTimeRecoverySpecification"].get("RecoveryPeriodInDays"),
            "protected": here["DeletionProtectionEnabled"],
            "key": key_of(here),
            "reads": here.get("ReadOnDemandThroughputSettings", {}).get("MaxReadRequestUnits"),
            "writes": table.get("WriteOnDemandThroughputSettings", {}).get("MaxWriteRequestUnits"),
            "indexes": {
                (
                    found["IndexName"],
                    (
                        reads_of_index(here, found["IndexName"]),
                        found["WriteOnDemandThroughputSettings"]["MaxWriteRequestUnits"],
                    ),
                )
                for found in table.get("GlobalSecondaryIndexes", [])
            },
            "replicas": {(found["Region"], key_of(found), recovery(found)) for found in elsewhere},
        }

    def reads_of_index(replica: JsonObject, name: str) -> Any:
        (found,) = (i for i in replica["GlobalSecondaryIndexes"] if i["IndexName"] == name)
        return found["ReadOnDemandThroughputSettings"]["MaxReadRequestUnits"]

    def recovery(replica: JsonObject) -> Any:
        return replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]

    def key_of(replica: JsonObject) -> Any:
        return replica.get("SSESpecification", {}).get("KMSMasterKeyId")

    return {
        found["Properties"]["TableName"]: settings(found["Properties"])
        for found in shapes.of_type(template, "AWS::DynamoDB::GlobalTable")
    }


@pytest.mark.parametrize("which", ["default", "full"])
def test_both_tools_bill_and_protect_the_tables_alike(
    request: pytest.FixtureRequest, which: str
) -> None:
    """Except for the deletion protection of replicas: the aws provider cannot set it in 5.x."""
    plan = protection_in_plan(request.getfixturevalue(f"{which}_plan"))
    assert plan == protection_in_template(request.getfixturevalue(f"{which}_template"))
    assert all(table["protected"] and table["recovery"] for table in plan.values())


def bucket_in_plan(plan: JsonObject) -> dict[str, Any]:
    def one(kind: str) -> JsonObject:
        (found,) = shapes.planned_resources(plan, kind)
        values: JsonObject = found["values"]
        return values

    (encryption,) = one("aws_s3_bucket_server_side_encryption_configuration")["rule"]
    (by_default,) = encryption["apply_server_side_encryption_by_default"]
    blocked = one("aws_s3_bucket_public_access_block")
    rules = one("aws_s3_bucket_lifecycle_configuration")["rule"]
    return {
        "name": one("aws_s3_bucket")["bucket"],
        "blocked": {name for name, value in blocked.items() if value is True},
        "ownership": one("aws_s3_bucket_ownership_controls")["rule"][0]["object_ownership"],
        "encryption": (by_default["sse_algorithm"], by_default["kms_master_key_id"]),
        "bucket key": encryption["bucket_key_enabled"],
        "versioning": one("aws_s3_bucket_versioning")["versioning_configuration"][0]["status"],
        "denied": denied(json.loads(one("aws_s3_bucket_policy")["policy"])),
        "rules": {rule["id"]: planned_rule(rule) for rule in rules},
    }


def planned_rule(rule: JsonObject) -> JsonObject:
    def one(block: str, key: str) -> Any:
        return rule[block][0].get(key) if rule.get(block) else None

    return {
        "enabled": rule["status"],
        "prefix": one("filter", "prefix") or None,
        "abort": one("abort_incomplete_multipart_upload", "days_after_initiation"),
        "days": one("expiration", "days") or None,
        "markers": one("expiration", "expired_object_delete_marker") or None,
        "noncurrent": one("noncurrent_version_expiration", "noncurrent_days"),
    }


def bucket_in_template(template: JsonObject, filled: Filled) -> dict[str, Any]:
    (bucket,) = (found["Properties"] for found in shapes.of_type(template, "AWS::S3::Bucket"))
    (policy,) = (found["Properties"] for found in shapes.of_type(template, "AWS::S3::BucketPolicy"))
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    by_default = encryption["ServerSideEncryptionByDefault"]
    blocked = bucket["PublicAccessBlockConfiguration"]
    return {
        "name": bucket["BucketName"],
        "blocked": {snake_case(name) for name, value in blocked.items() if value is True},
        "ownership": bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"],
        "encryption": (by_default["SSEAlgorithm"], by_default.get("KMSMasterKeyID")),
        "bucket key": encryption.get("BucketKeyEnabled", False),
        "versioning": bucket["VersioningConfiguration"]["Status"],
        "denied": denied(filled.value(policy["PolicyDocument"])),
        "rules": {
            rule["Id"]: templated_rule(rule) for rule in bucket["LifecycleConfiguration"]["Rules"]
        },
    }


def templated_rule(rule: JsonObject) -> JsonObject:
    return {
        "enabled": rule["Status"],
        "prefix": rule.get("Prefix"),
        "abort": rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
        "days": rule.get("ExpirationInDays"),
        "markers": rule.get("ExpiredObjectDeleteMarker"),
        "noncurrent": rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
    }


def denied(policy: JsonObject) -> list[tuple[Any, ...]]:
    return [
        (s["Action"], sorted(s["Resource"]), s["Principal"], s["Condition"])
        for s in policy["Statement"]
        if s["Effect"] == "Deny"
    ]


def test_both_tools_make_the_same_bucket(
    full_plan: JsonObject, full_template: JsonObject, filled: Filled
) -> None:
    planned = bucket_in_plan(full_plan)
    assert planned == bucket_in_template(full_template, filled)
    # Ten days plus half of ten, an hour, rounded up, and two days.
    assert planned["rules"]["expire-objects"]["days"] == 18
    assert len(planned["blocked"]) == 4


def sweep_in_plan(plan: JsonObject) -> dict[str, Any]:
    def one(kind: str) -> JsonObject:
        (found,) = shapes.planned_resources(plan, kind)
        values: JsonObject = found["values"]
        return values

    function, log = one("aws_lambda_function"), one("aws_cloudwatch_log_group")
    return {
        "name": function["function_name"],
        "code": (function["runtime"], function["handler"]),
        "bounds": (function["timeout"], function["memory_size"]),
        "environment": read_environment(function["environment"][0]["variables"]),
        "loops": one("aws_lambda_function_recursion_config")["recursive_loop"],
        "log": (log["name"], function["logging_config"][0]["log_format"]),
        "days": log["retention_in_days"],
        "schedule": one("aws_cloudwatch_event_rule")["schedule_expression"],
        "caller": one("aws_lambda_permission")["principal"],
    }


def sweep_in_template(template: JsonObject, filled: Filled) -> dict[str, Any]:
    def one(kind: str) -> JsonObject:
        (found,) = (found["Properties"] for found in shapes.of_type(template, kind))
        properties: JsonObject = found
        return properties

    function, log = one("AWS::Lambda::Function"), one("AWS::Logs::LogGroup")
    return {
        "name": function["FunctionName"],
        "code": (function["Runtime"], function["Handler"]),
        "bounds": (function["Timeout"], function["MemorySize"]),
        "environment": read_environment(filled.value(function["Environment"]["Variables"])),
        "loops": function["RecursiveLoop"],
        "log": (log["LogGroupName"], function["LoggingConfig"]["LogFormat"]),
        "days": log["RetentionInDays"],
        "schedule": one("AWS::Events::Rule")["ScheduleExpression"],
        "caller": one("AWS::Lambda::Permission")["Principal"],
    }


def read_environment(variables: Mapping[str, str]) -> JsonObject:
    return {**variables, "SAVER_SETTINGS": json.loads(variables["SAVER_SETTINGS"])}


def test_both_tools_sweep_alike(
    full_plan: JsonObject, full_template: JsonObject, filled: Filled
) -> None:
    planned = sweep_in_plan(full_plan)
    assert planned == sweep_in_template(full_template, filled)
    assert planned["environment"] == {
        "SAVER_SETTINGS": planned_outputs(full_plan)["saver_settings"],
        "SWEEP_OLDER_THAN_SECONDS": "7200",
    }


def test_by_default_neither_tool_makes_anything_but_the_tables(
    default_plan: JsonObject, default_template: JsonObject
) -> None:
    planned = default_plan["planned_values"]["root_module"]["resources"]
    assert {found["type"] for found in planned} == {"aws_dynamodb_table"}
    templated = {found["Type"] for found in default_template["Resources"].values()}
    assert templated - {"AWS::CDK::Metadata"} == {"AWS::DynamoDB::GlobalTable"}


def test_every_setting_was_asked_for() -> None:
    """Otherwise the comparisons above would leave it out."""
    # The stack has no context for resource policies, and empties only what it destroys.
    left_out = {"checkpoints_resource_policy", "writes_resource_policy", "store_resource_policy"}
    left_out |= {"bucket_force_destroy"}
    asked_for = FULL_VARIABLES.keys() | OWN_BUCKET.keys()
    assert asked_for == shapes.declared().keys() - left_out - TERRAFORM_ONLY
    assert len(as_context(FULL_VARIABLES)) == len(FULL_VARIABLES)
