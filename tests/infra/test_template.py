"""The CloudFormation template: generated from the construct, and equal to it for every setting."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk import aws_dynamodb as dynamodb
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped] # says no types
from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped] # says no types
from langgraph_checkpoint_dynamodb_cdk import CheckpointStoreStack
from langgraph_checkpoint_dynamodb_cdk.schema import object_lifetime_days

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.format.tables import VectorIndexSpec, run_index, thread_index
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from tests.infra import shapes
from tests.infra.filled import Filled, RefusedError
from tests.infra.tools import ROOT
from tests.support.iam import ACCOUNT, REGION
from tests.support.sessions import new_session

FOLDER = ROOT / "cloudformation"
TEMPLATE = FOLDER / "langgraph-checkpoint-dynamodb.yaml"
# By the names that the generator uses.
TEMPLATES = {
    "tables": TEMPLATE,
    "alarms": FOLDER / "langgraph-checkpoint-dynamodb-alarms.yaml",
    "dashboard": FOLDER / "langgraph-checkpoint-dynamodb-dashboard.yaml",
}
# `aws cloudformation deploy` accepts no more without a bucket for templates.
MOST_BYTES = 51_200
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/66666666-7777-8888-9999-000000000000"
TTL = 864_000
ROLES = ("read", "runtime", "setup", "admin", "tenant")

# Equal settings: parameters of the template, arguments of the stack.
ASKED: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "names": (
        {"CheckpointsTableName": "mine", "WritesTableName": "my-writes"},
        {"checkpoints_table_name": "mine", "writes_table_name": "my-writes"},
    ),
    "index by run": ({"RunIdIndexName": "by-run"}, {"run_id_index_name": "by-run"}),
    "index of threads": (
        {"ThreadIndexOwner": "user_id", "ThreadIndexName": "threads"},
        {"thread_index_owner": "user_id", "thread_index_name": "threads"},
    ),
    "both indexes, limited": (
        {
            "RunIdIndexName": "by-run",
            "ThreadIndexOwner": "user_id",
            "MaxReadRequestUnits": "50",
            "MaxWriteRequestUnits": "40",
        },
        {
            "run_id_index_name": "by-run",
            "thread_index_owner": "user_id",
            "max_read_request_units": 50,
            "max_write_request_units": 40,
        },
    ),
    "reads limited": (
        {"MaxReadRequestUnits": "50", "ThreadIndexOwner": "user_id"},
        {"max_read_request_units": 50, "thread_index_owner": "user_id"},
    ),
    "writes limited": ({"MaxWriteRequestUnits": "40"}, {"max_write_request_units": 40}),
    "no protection": (
        {"PointInTimeRecovery": "false", "DeletionProtection": "false"},
        {"point_in_time_recovery": False, "deletion_protection": False},
    ),
    "infrequent access": (
        {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        {"table_class": dynamodb.TableClass.STANDARD_INFREQUENT_ACCESS},
    ),
    "key": ({"KmsKeyArn": KEY}, {"kms_key_arn": KEY}),
    "bucket": ({"Bucket": "create"}, {"create_bucket": True}),
    "bucket with a name, a prefix and no versions": (
        {
            "Bucket": "create",
            "BucketName": "our-bucket",
            "BucketKeyPrefix": "a/b/",
            "BucketVersioning": "false",
            "CreatePolicies": "true",
        },
        {
            "create_bucket": True,
            "bucket_name": "our-bucket",
            "bucket_key_prefix": "a/b/",
            "bucket_versioning": False,
            "create_policies": True,
        },
    ),
    "expiry, bucket and key": (
        {
            "TtlSeconds": str(TTL),
            "Bucket": "create",
            "ObjectExpiryDays": str(object_lifetime_days(TTL)),
            "KmsKeyArn": KEY,
        },
        {"ttl_seconds": TTL, "create_bucket": True, "kms_key_arn": KEY},
    ),
    "expiry alone": ({"TtlSeconds": "60"}, {"ttl_seconds": 60}),
    "a bucket that exists": (
        {"Bucket": "existing", "BucketName": "theirs", "CreatePolicies": "true"},
        {"bucket_name": "theirs", "create_policies": True},
    ),
    "a bucket that exists, with a key of its own": (
        {"Bucket": "existing", "BucketName": "theirs", "BucketKmsKeyArn": OTHER_KEY},
        {"bucket_name": "theirs", "bucket_kms_key_arn": OTHER_KEY},
    ),
    "tables and a bucket that exists with keys of their own": (
        {
            "KmsKeyArn": KEY,
            "Bucket": "existing",
            "BucketName": "theirs",
            "BucketKmsKeyArn": OTHER_KEY,
        },
        {"kms_key_arn": KEY, "bucket_name": "theirs", "bucket_kms_key_arn": OTHER_KEY},
    ),
    "a key of the tables, and a bucket that exists without one": (
        {"KmsKeyArn": KEY, "Bucket": "existing", "BucketName": "theirs"},
        {"kms_key_arn": KEY, "bucket_name": "theirs"},
    ),
    "store": (
        {"StoreTableName": "memories", "CreatePolicies": "true"},
        {"store_table_name": "memories", "create_policies": True},
    ),
    "store, bucket and key": (
        {
            "StoreTableName": "memories",
            "Bucket": "create",
            "StoreBucketKeyPrefix": "memories/",
            "KmsKeyArn": KEY,
            "MaxReadRequestUnits": "50",
        },
        {
            "store_table_name": "memories",
            "create_bucket": True,
            "store_bucket_key_prefix": "memories/",
            "kms_key_arn": KEY,
            "max_read_request_units": 50,
        },
    ),
    "tenants of a store without a bucket": (
        {
            "StoreTableName": "memories",
            "TenantThreadIdPrefix": "acme_",
            "TenantRootLabel": "acme",
        },
        {
            "store_table_name": "memories",
            "tenant_thread_id_prefix": "acme_",
            "tenant_root_label": "acme",
        },
    ),
    "tenants without a store": (
        {"TenantThreadIdPrefix": "acme_", "StoreTableName": "memories", "Bucket": "create"},
        {
            "tenant_thread_id_prefix": "acme_",
            "store_table_name": "memories",
            "create_bucket": True,
        },
    ),
    "contributors": (
        {"ContributorInsights": "true", "ThreadIndexOwner": "user_id"},
        {"contributor_insights": True, "thread_index_owner": "user_id"},
    ),
    "tenants": (
        {"TenantThreadIdPrefix": "${aws:PrincipalTag/tenant}_", "CreatePolicies": "true"},
        {"tenant_thread_id_prefix": "${aws:PrincipalTag/tenant}_", "create_policies": True},
    ),
    "everything": (
        {
            "StoreTableName": "langgraph-store",
            "StoreVectorIndexName": "vectors",
            "StoreVectorDimensions": "256",
            "RunIdIndexName": "by-run",
            "ThreadIndexOwner": "user_id",
            "TtlSeconds": str(TTL),
            "MaxReadRequestUnits": "50",
            "MaxWriteRequestUnits": "40",
            "KmsKeyArn": KEY,
            "PointInTimeRecoveryDays": "7",
            "Bucket": "create",
            "ObjectExpiryDays": str(object_lifetime_days(TTL)),
            "CreatePolicies": "true",
            "PolicyNamePrefix": "ours",
            "TenantThreadIdPrefix": "acme_",
            "TenantOwnerPrefix": "acme-",
            "TenantRootLabel": "${aws:PrincipalTag/tenant}",
            "ContributorInsights": "true",
        },
        {
            "store_table_name": "langgraph-store",
            "store_vector_index_name": "vectors",
            "store_vector_dimensions": 256,
            "run_id_index_name": "by-run",
            "thread_index_owner": "user_id",
            "ttl_seconds": TTL,
            "max_read_request_units": 50,
            "max_write_request_units": 40,
            "kms_key_arn": KEY,
            "point_in_time_recovery_days": 7,
            "create_bucket": True,
            "create_policies": True,
            "policy_name_prefix": "ours",
            "tenant_thread_id_prefix": "acme_",
            "tenant_owner_prefix": "acme-",
            "tenant_root_label": "${aws:PrincipalTag/tenant}",
            "contributor_insights": True,
        },
    ),
}
# Settings that a template cannot have, or has by other means.
STACK_ONLY = {
    "replica_regions",  # in a template, each replica is a separate part of the table
    "replica_kms_key_arns",
    "checkpoints_resource_policy",
    "writes_resource_policy",
    "store_resource_policy",
    "bucket_force_destroy",  # needs a function, and that is an asset
    "removal_policy",  # a deletion policy takes no parameter
    "alarm_topic_arn",  # these have templates of their own: one would be larger than MOST_BYTES
    "dashboard",
    "sweep_schedule",  # needs a package with the saver, and that is an asset
    "sweep_package",
    "sweep_older_than_seconds",
    "warm_read_units",  # for known peaks of large tables, which have the construct
    "warm_write_units",
}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return parsed(TEMPLATE.read_text(encoding="utf-8"))


def parsed(text: str) -> dict[str, Any]:
    """A template with functions in their long form."""
    plain: dict[str, Any] = json.loads(json.dumps(loads(text)))
    return plain


@pytest.fixture(scope="module")
def of_the_stack(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Filled]:
    """The stack's template for each case of `ASKED`."""

    app = App(outdir=str(tmp_path_factory.mktemp("stacks")), analytics_reporting=False)
    environment = Environment(account=ACCOUNT, region=REGION)
    stacks = {
        name: CheckpointStoreStack(app, f"Stack{number}", env=environment, **arguments)
        for number, (name, (_, arguments)) in enumerate(ASKED.items())
    }
    assembly = app.synth()
    return {
        name: filled_stack(assembly.get_stack_by_name(stack.stack_name).template)
        for name, stack in stacks.items()
    }


def filled_stack(template: dict[str, Any]) -> Filled:
    # Leave out what the synthesizer adds.
    kept = {section: template[section] for section in ("Resources", "Outputs")}
    return Filled(kept, {})


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_committed_template_is_the_one_that_the_construct_makes(name: str) -> None:
    made = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "langgraph_checkpoint_dynamodb_cdk.template", name],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert made.stdout == TEMPLATES[name].read_text(encoding="utf-8"), "run `make template`"


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_can_be_deployed_without_a_bucket_for_templates(name: str) -> None:
    assert len(TEMPLATES[name].read_bytes()) < MOST_BYTES


def test_it_needs_no_bootstrap_and_no_assets(template: dict[str, Any]) -> None:
    text = json.dumps(template)
    assert not re.search("BootstrapVersion|AssetParameters|cdk-hnb|AWS::SSM|Transform", text)
    assert {found["Type"] for found in template["Resources"].values()} == {
        "AWS::DynamoDB::GlobalTable",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::IAM::ManagedPolicy",
    }


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    text = TEMPLATES[name].read_text(encoding="utf-8")
    matches = lint(text, config=ManualArgs(regions=[REGION]))
    assert [(match.rule.id, match.message) for match in matches] == []


@pytest.mark.parametrize("asked", ASKED)
def test_it_makes_what_the_stack_makes(
    template: dict[str, Any], of_the_stack: dict[str, Filled], asked: str
) -> None:
    assert made(Filled(template, ASKED[asked][0])) == made(of_the_stack[asked])


def made(filled: Filled) -> dict[str, Any]:
    """The resources and outputs, without logical ids, and with unordered lists sorted."""
    resources = [without_order(found) for found in filled.resources.values()]
    return {
        "resources": sorted(resources, key=lambda found: json.dumps(found, sort_keys=True)),
        "outputs": {name: output(name, value) for name, value in filled.outputs.items()},
    }


def without_order(resource: dict[str, Any]) -> dict[str, Any]:
    kept = {key: resource.get(key) for key in ("Type", "DeletionPolicy", "UpdateReplacePolicy")}
    properties = resource["Properties"]
    if resource["Type"] != "AWS::IAM::ManagedPolicy":
        return {**kept, "Properties": properties}
    statements = shapes.statements(json.dumps(properties["PolicyDocument"]))
    return {
        **kept,
        "Properties": {
            "Name": properties["ManagedPolicyName"],
            "Statements": sorted(repr(flat(statement)) for statement in statements),
        },
    }


def output(name: str, value: Any) -> Any:
    if name.endswith("PolicyJson"):
        return shapes.statements(value)
    return json.loads(value) if name in ("SaverSettings", "StoreSettings", "PolicyArns") else value


def flat(statement: shapes.Statement) -> tuple[Any, ...]:
    sid, actions, resources, condition = statement
    return (sid, sorted(actions), sorted(resources), condition)


def test_every_parameter_is_compared_and_every_setting_of_the_stack(
    template: dict[str, Any],
) -> None:
    parameters = {name for given, _ in ASKED.values() for name in given}
    assert parameters == template["Parameters"].keys()
    arguments = {name for _, given in ASKED.values() for name in given}
    assert arguments | STACK_ONLY == shapes.stack_settings().keys()


@pytest.mark.parametrize(
    "spoil",
    [
        ("CheckpointsTable", "KeySchema", 0, "AttributeName"),
        ("CheckpointsTable", "TimeToLiveSpecification", "AttributeName"),
        ("WritesTable", "BillingMode"),
        ("LargeValuesBucket", "OwnershipControls", "Rules", 0, "ObjectOwnership"),
        ("AdminPolicy", "PolicyDocument", "Statement", 0, "Action", 0),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_anything_else_in_the_template_is_noticed(
    template: dict[str, Any], of_the_stack: dict[str, Filled], spoil: tuple[Any, ...]
) -> None:
    changed = json.loads(json.dumps(template))
    resource, *steps, last = spoil
    found = changed["Resources"][resource]["Properties"]
    for step in steps:
        found = found[step]
    found[last] = "other"
    assert made(Filled(changed, ASKED["everything"][0])) != made(of_the_stack["everything"])


def test_the_tables_are_those_of_the_package_and_the_roles_too(template: dict[str, Any]) -> None:
    filled = Filled(template, ASKED["everything"][0])
    names = {role: f"langgraph-{role}" for role in ("checkpoints", "writes", "store")}
    indexes = (run_index("by-run"), thread_index("by-owner"))
    specified = shapes.specified(indexes, vectors=VectorIndexSpec("vectors", 256))
    assert shapes.templated({"Resources": filled.resources}, names) == specified
    for role, actions in shapes.specified_actions().items():
        policy = shapes.statements(filled.outputs[f"{role.capitalize()}PolicyJson"])
        assert shapes.actions_of(policy) == actions


def test_the_saver_takes_its_settings(template: dict[str, Any]) -> None:
    filled = Filled(template, ASKED["everything"][0])
    settings = json.loads(filled.outputs["SaverSettings"])
    with DynamoDBSaver(**settings, session=new_session()) as saver:
        assert saver is not None
    assert settings["ttl_seconds"] == TTL
    of_a_store = json.loads(filled.outputs["StoreSettings"])
    index: Any = {"dims": 256, "embed": lambda texts: [[0.0] for _ in texts]}
    with DynamoDBStore(**of_a_store, index=index, session=new_session()) as store:
        assert store is not None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"WritesTableName": "langgraph-checkpoints"}, "StoreTableName must differ"),
        ({"StoreTableName": "langgraph-writes"}, "StoreTableName must differ"),
        ({"StoreTableName": "x"}, "StoreTableName must be 3 to 255"),
        (
            {"StoreTableName": "memories", "StoreVectorIndexName": "vectors"},
            "StoreVectorIndexName needs StoreTableName",
        ),
        ({"StoreVectorDimensions": "4097"}, "StoreVectorDimensions must be at most 4096"),
        (
            {"StoreBucketKeyPrefix": "a/", "BucketKeyPrefix": "a/"},
            "StoreBucketKeyPrefix must differ",
        ),
        ({"CheckpointsTableName": "a b"}, "CheckpointsTableName must be 3 to 255"),
        ({"CheckpointsTableName": ""}, "CheckpointsTableName must be 3 to 255"),
        ({"RunIdIndexName": "x"}, "RunIdIndexName must be 3 to 255"),
        ({"ThreadIndexOwner": 'a"b'}, "without quotes"),
        (
            {"ThreadIndexOwner": "user_id", "RunIdIndexName": "by-owner"},
            "ThreadIndexName must differ",
        ),
        ({"TtlSeconds": "-1"}, "TtlSeconds must be a number"),
        ({"TableClass": "CHEAP"}, "TableClass must be one of"),
        ({"KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/mine"}, "not of an alias"),
        ({"Bucket": "existing"}, "BucketName must name the bucket"),
        ({"BucketName": "theirs"}, "BucketName needs Bucket=create"),
        ({"Bucket": "create", "BucketName": "Upper"}, "BucketName must be 3 to 63"),
        ({"Bucket": "create", "BucketKmsKeyArn": KEY}, "BucketKmsKeyArn needs Bucket=existing"),
        ({"Bucket": "create", "BucketKeyPrefix": "a/../"}, "BucketKeyPrefix must be names"),
        ({"Bucket": "create", "BucketKeyPrefix": "a/" * 257}, "at most 512"),
        ({"TtlSeconds": "60", "ObjectExpiryDays": "4"}, "ObjectExpiryDays needs Bucket=create"),
        ({"Bucket": "create", "ObjectExpiryDays": "4"}, "ObjectExpiryDays needs TtlSeconds"),
        ({"PolicyNamePrefix": "a/b"}, "PolicyNamePrefix must be 1 to 120"),
        (
            {"PointInTimeRecovery": "false", "PointInTimeRecoveryDays": "7"},
            "PointInTimeRecoveryDays needs",
        ),
        ({"PointInTimeRecoveryDays": "36"}, "PointInTimeRecoveryDays must be at most 35"),
        ({"TenantThreadIdPrefix": "acme"}, "TenantThreadIdPrefix must be characters"),
        ({"TenantThreadIdPrefix": "acme:"}, "TenantThreadIdPrefix must be characters"),
        ({"TenantThreadIdPrefix": "*"}, "TenantThreadIdPrefix must be characters"),
        ({"TenantOwnerPrefix": "a_"}, "TenantOwnerPrefix needs TenantThreadIdPrefix"),
        (
            {"TenantRootLabel": "acme", "TenantThreadIdPrefix": "acme_"},
            "TenantRootLabel needs TenantThreadIdPrefix",
        ),
        ({"TenantRootLabel": "acme.eu"}, "TenantRootLabel must be characters"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_is_expected(
    template: dict[str, Any], given: dict[str, str], said: str
) -> None:
    with pytest.raises(RefusedError, match=re.escape(said)):
        Filled(template, given)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_console_shows_every_parameter_once(name: str) -> None:
    template = parsed(TEMPLATES[name].read_text(encoding="utf-8"))
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(template["Parameters"])


def test_the_readme_has_every_parameter_with_its_default_and_every_output(
    template: dict[str, Any],
) -> None:
    parameters = {row[0]: row[1] for row in documented("Parameters")}
    defaults = {name: str(found["Default"]) for name, found in template["Parameters"].items()}
    assert parameters == defaults
    outputs = [name for row in documented("Outputs") for name in row[0].split("`, `")]
    assert outputs == list(template["Outputs"])


def test_the_readme_says_how_long_objects_are_needed() -> None:
    days = {int(row[0]) * 86_400: int(row[1]) for row in documented("Expiry of objects", "| ")[1:]}
    assert days == {seconds: object_lifetime_days(seconds) for seconds in days}
    assert len(days) > 2


def test_the_role_of_the_readme_waits_for_the_stack_that_makes_its_policy() -> None:
    """SAM does not pass the `DependsOn` of a function to the role that it creates for it."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(Transform:.*?)```", readme, flags=re.DOTALL)
    resources = loads(block)["Resources"]
    assert "my-agent-runtime" in json.dumps(resources["AgentRole"]["Properties"])
    assert resources["AgentRole"]["DependsOn"] == "Checkpoints"
    assert resources["Agent"]["Properties"]["Role"] == {"Fn::GetAtt": ["AgentRole", "Arn"]}
    assert "Policies" not in resources["Agent"]["Properties"]


def documented(section: str, begins: str = "| `") -> list[list[str]]:
    """The rows of the README's table in a section."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    text = readme.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [
        [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
        if line.startswith(begins) and not line.startswith("| ---")
    ]
