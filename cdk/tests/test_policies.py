from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore, CheckpointStoreBase, Role

from tests.support import (
    CHECKPOINTS,
    ENVIRONMENT,
    FULLEST,
    KEY_ID,
    REGION,
    WRITES,
    Synthesized,
    key_arn,
    listed,
    saying,
    table_arn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support import Synthesizer

# Sorted, as policies list them.
REGIONS = ["ap-south-1", "eu-west-1", REGION]
TABLES = [table_arn(name, region) for region in REGIONS for name in (CHECKPOINTS, WRITES)]
INDEXES = [f"{table_arn(CHECKPOINTS, region)}/index/by-run" for region in REGIONS]
THREADS = [f"{table_arn(CHECKPOINTS, region)}/index/by-owner" for region in REGIONS]
BUCKET = "arn:aws:s3:::generated-name"
TENANT = "${aws:PrincipalTag/tenant}_"

READ_KEY = ["kms:Decrypt", "kms:DescribeKey"]
WRITE_KEY = [
    *READ_KEY,
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]
READ_TABLES = ["dynamodb:GetItem", "dynamodb:Query"]
TENANT_TABLES = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
RUN_TABLES = ["dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", *TENANT_TABLES]
LEADING_KEYS = {
    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{TENANT}*"]},
    "Null": {"dynamodb:LeadingKeys": "false"},
}

LEADING_OWNERS = {
    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["${aws:PrincipalTag/tenant}-*"]},
    "Null": {"dynamodb:LeadingKeys": "false"},
}
LIST_OWN = ["dynamodb:Query"]
LIST_ALL = ["dynamodb:Query", "dynamodb:Scan"]


def _statement(
    sid: str, actions: list[str], resources: list[str], condition: Any = None
) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement if condition is None else {**statement, "Condition": condition}


def _objects(*actions: str, prefix: str = "") -> dict[str, Any]:
    return _statement("Objects", list(actions), [f"{BUCKET}/langgraph-checkpoints/{prefix}*"])


def _key(actions: list[str]) -> dict[str, Any]:
    services = [
        f"dynamodb.{REGION}.amazonaws.com",
        "dynamodb.eu-west-1.amazonaws.com",
        "dynamodb.ap-south-1.amazonaws.com",
        f"s3.{REGION}.amazonaws.com",
    ]
    return _statement(
        "Key",
        actions,
        [key_arn(region) for region in REGIONS],
        {"StringEquals": {"kms:ViaService": services}},
    )


LIST_BUCKET = _statement("Bucket", ["s3:ListBucket"], [BUCKET])

FULLEST_POLICIES = {
    "read": [
        _statement("Tables", READ_TABLES, TABLES),
        _statement("ThreadIndex", LIST_ALL, THREADS),
        _objects("s3:GetObject"),
        LIST_BUCKET,
        _key(READ_KEY),
    ],
    "runtime": [
        _statement("Tables", RUN_TABLES, TABLES),
        _statement("ThreadIndex", LIST_OWN, THREADS),
        _objects("s3:GetObject", "s3:PutObject"),
        LIST_BUCKET,
        _key(WRITE_KEY),
    ],
    "setup": [
        _statement(
            "Tables",
            [
                "dynamodb:CreateTable",
                "dynamodb:DescribeTable",
                "dynamodb:DescribeTimeToLive",
                "dynamodb:UpdateTable",
                "dynamodb:UpdateTimeToLive",
            ],
            TABLES,
        )
    ],
    "admin": [
        _statement(
            "Tables",
            [
                "dynamodb:BatchWriteItem",
                "dynamodb:DeleteItem",
                "dynamodb:DescribeTable",
                "dynamodb:DescribeTimeToLive",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:Scan",
                "dynamodb:UpdateItem",
            ],
            TABLES,
        ),
        _statement("Index", ["dynamodb:Query"], INDEXES),
        _statement("ThreadIndex", LIST_ALL, THREADS),
        _objects("s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
        LIST_BUCKET,
        _key(WRITE_KEY),
    ],
    "tenant": [
        _statement("Tables", TENANT_TABLES, TABLES, LEADING_KEYS),
        _statement("ThreadIndex", LIST_OWN, THREADS, LEADING_OWNERS),
        _objects("s3:GetObject", "s3:PutObject", prefix=TENANT),
        _key(WRITE_KEY),
    ],
}
"""A copy, so that this test shows a change of the table of roles."""

ROLES = pytest.mark.parametrize("role", FULLEST_POLICIES)


@ROLES
def test_a_policy_allows_exactly_this(fullest: Synthesized, role: str) -> None:
    assert fullest.policy(role) == FULLEST_POLICIES[role]


@ROLES
def test_a_managed_policy_says_the_same(fullest: Synthesized, role: str) -> None:
    (policy,) = [
        policy["Properties"]
        for policy in fullest.all("AWS::IAM::ManagedPolicy")
        if policy["Properties"]["ManagedPolicyName"] == f"{CHECKPOINTS}-{role}"
    ]
    assert _with_lists(policy["PolicyDocument"]["Statement"]) == FULLEST_POLICIES[role]
    assert "Roles" not in policy


@pytest.mark.parametrize("role", ["read", "runtime", "setup", "admin"])
def test_without_bucket_key_and_index_only_the_tables_are_left(
    default: Synthesized, role: str
) -> None:
    (statement,) = default.policy(role)
    assert statement == {
        **FULLEST_POLICIES[role][0],
        "Resource": [table_arn(CHECKPOINTS), table_arn(WRITES)],
    }


def test_no_policy_names_everything(fullest: Synthesized) -> None:
    for role in FULLEST_POLICIES:
        for statement in fullest.policy(role):
            assert not [action for action in statement["Action"] if "*" in action]
            wide = [arn for arn in statement["Resource"] if "*" in arn]
            assert wide == (statement["Resource"] if statement["Sid"] == "Objects" else [])


def test_resources_are_listed_in_the_order_of_their_text(synthesizer: Synthesizer) -> None:
    result = synthesizer.ready_made(
        checkpoints_table_name="bbb",
        writes_table_name="aaa",
        replica_regions=["us-west-2", "eu-west-1"],
    )
    (statement,) = result.policy("runtime")
    assert statement["Resource"] == [
        table_arn(name, region)
        for region in ("eu-west-1", REGION, "us-west-2")
        for name in ("aaa", "bbb")
    ]


def test_the_key_of_a_new_bucket_is_named_once(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(
        stack, "Store", encryption_key=kms.Key(stack, "Key"), create_bucket=True
    )
    statement = stack.resolve(store.policy_document(Role.READ))["Statement"][-1]
    assert statement["Sid"] == "Key"
    assert statement["Resource"].keys() == {"Fn::GetAtt"}


def test_a_key_without_a_bucket_is_used_through_dynamodb_only(synthesizer: Synthesizer) -> None:
    result = synthesizer.ready_made(kms_key_arn=key_arn())
    assert result.policy("runtime")[1:] == [
        _statement(
            "Key",
            WRITE_KEY,
            [key_arn()],
            {"StringEquals": {"kms:ViaService": [f"dynamodb.{REGION}.amazonaws.com"]}},
        )
    ]


def test_an_existing_bucket_is_named_in_policies(synthesizer: Synthesizer) -> None:
    result = synthesizer.ready_made(bucket_name="theirs", bucket_key_prefix="a/b/")
    assert result.policy("read")[1:] == [
        _statement("Objects", ["s3:GetObject"], ["arn:aws:s3:::theirs/a/b/*"]),
        _statement("Bucket", ["s3:ListBucket"], ["arn:aws:s3:::theirs"]),
    ]


def test_the_key_of_an_existing_bucket_is_named_beside_that_of_the_tables(
    synthesizer: Synthesizer,
) -> None:
    stack = synthesizer.stack()
    other = key_arn().replace(KEY_ID, "99999999-2222-3333-4444-555555555555")
    store = CheckpointStore(
        stack,
        "Store",
        encryption_key=kms.Key.from_key_arn(stack, "Key", key_arn()),
        bucket=s3.Bucket.from_bucket_attributes(
            stack,
            "Existing",
            bucket_name="theirs",
            encryption_key=kms.Key.from_key_arn(stack, "Theirs", other),
        ),
    )
    statement = stack.resolve(store.policy_document(Role.READ))["Statement"][-1]
    assert statement["Resource"] == [key_arn(), other]


GRANTS: dict[str, Callable[[CheckpointStoreBase, iam.IGrantable], iam.Grant]] = {
    "read": lambda store, grantee: store.grant_read(grantee),
    "runtime": lambda store, grantee: store.grant_read_write(grantee),
    "setup": lambda store, grantee: store.grant_setup(grantee),
    "admin": lambda store, grantee: store.grant_admin(grantee),
    "tenant": lambda store, grantee: store.grant_tenant(grantee),
}


@ROLES
def test_a_grant_gives_what_the_policy_allows(synthesizer: Synthesizer, role: str) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(
        stack,
        "Store",
        **FULLEST,
        encryption_key=kms.Key.from_key_arn(stack, "Key", key_arn()),
        replica_kms_key_arns={region: key_arn(region) for region in REGIONS[:2]},
    )
    grantee = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    grant = GRANTS[role](store, grantee)
    assert grant.success
    assert len(grant.principal_statements) == len(FULLEST_POLICIES[role])
    # Without Sids: permissions on two stores may be in one policy.
    expected = [
        {name: value for name, value in statement.items() if name != "Sid"}
        for statement in FULLEST_POLICIES[role]
    ]
    assert Synthesized.of(stack).granted() == expected


def test_a_grant_to_a_role_that_cannot_be_changed_says_so(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    role = iam.Role.from_role_arn(
        stack, "Role", "arn:aws:iam::123456789012:role/theirs", mutable=False
    )
    grant = CheckpointStore(stack, "Store").grant_read(role)
    assert grant.success is False or Synthesized.of(stack).all("AWS::IAM::Policy") == []


def test_a_tenant_can_be_granted_a_prefix_of_its_own(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store", create_bucket=True)
    grantee = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    store.grant_tenant(grantee, "acme_")
    tables, objects = Synthesized.of(stack).granted()
    assert tables["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["acme_*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    assert objects["Resource"] == [f"{BUCKET}/langgraph-checkpoints/acme_*"]


def test_a_tenant_lists_no_threads_unless_owners_carry_a_prefix(synthesizer: Synthesizer) -> None:
    """The index is keyed by owner: no other condition could limit a query of it to a tenant."""
    without = synthesizer.ready_made(thread_index_owner="user_id", tenant_thread_id_prefix="acme_")
    (tables,) = without.policy("tenant")
    assert tables["Sid"] == "Tables"
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store", thread_index_owner="user_id")
    grantee = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    store.grant_tenant(grantee, "acme_", "acme-")
    _, listing = Synthesized.of(stack).granted()
    assert listing["Action"] == LIST_OWN
    assert listing["Condition"]["ForAllValues:StringLike"] == {"dynamodb:LeadingKeys": ["acme-*"]}


def test_a_tenant_without_a_prefix_is_refused(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store")
    grantee = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    for attempt in (
        lambda: store.grant_tenant(grantee),
        lambda: store.policy_document(Role.TENANT),
        lambda: store.policy_json(Role.TENANT),
    ):
        with pytest.raises(ValueError, match=saying("thread_id_prefix", "None", "pass it here")):
            attempt()


@pytest.mark.parametrize(
    "prefix", ["", "a*", "a?b_", "a/b_", "${saml:sub}_", "${aws:a", "é_", "acme"]
)
def test_a_tenants_prefix_that_is_no_plain_prefix_is_refused(
    synthesizer: Synthesizer, prefix: str
) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store")
    grantee = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    with pytest.raises(ValueError, match=saying("thread_id_prefix: got", "expected")):
        store.grant_tenant(grantee, prefix)


def test_a_tenant_of_a_store_with_a_bucket_has_no_colon_in_its_prefix(
    synthesizer: Synthesizer,
) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store", create_bucket=True)
    grantee = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    with pytest.raises(ValueError, match=saying("thread_id_prefix: got 'acme:'", "with a bucket")):
        store.grant_tenant(grantee, "acme:")


def test_a_role_can_be_given_by_its_name(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store")
    named = store.policy_document("admin")  # type: ignore[arg-type] # as configuration has it
    assert stack.resolve(named) == stack.resolve(store.policy_document(Role.ADMIN))
    assert "dynamodb:Scan" in json.dumps(stack.resolve(named))


def test_an_unknown_role_is_refused(synthesizer: Synthesizer) -> None:
    store = CheckpointStore(synthesizer.stack(), "Store")
    with pytest.raises(ValueError, match=saying("role: got 'owner'", "read, runtime, setup")):
        store.policy_document("owner")  # type: ignore[arg-type] # what is to be refused


def test_policies_have_the_prefix_they_are_given(synthesizer: Synthesizer) -> None:
    result = synthesizer.ready_made(create_policies=True, policy_name_prefix="team")
    policies = result.all("AWS::IAM::ManagedPolicy")
    names = [policy["Properties"]["ManagedPolicyName"] for policy in policies]
    assert names == ["team-read", "team-runtime", "team-setup", "team-admin"]


def test_policies_are_made_on_request_only(synthesizer: Synthesizer) -> None:
    result = synthesizer.ready_made(tenant_thread_id_prefix="t_", env=ENVIRONMENT)
    assert result.all("AWS::IAM::ManagedPolicy") == []
    assert "TenantPolicyJson" in result.outputs


def _with_lists(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**part, "Action": listed(part["Action"]), "Resource": listed(part["Resource"])}
        for part in statements
    ]
