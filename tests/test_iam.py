"""The permissions that clients under test are limited to: of requests, and of policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.iam import Ask, Policy, asks

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/writes"


def policy(**changes: Any) -> str:
    statement = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE, **changes}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def of_tenant(pattern: str) -> str:
    return policy(
        Condition={
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [pattern]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }
    )


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (policy(), True),
        (policy(Action=["dynamodb:PutItem", "dynamodb:*"]), True),
        (policy(Action="dynamodb:PutItem"), False),
        (policy(Resource="arn:aws:dynamodb:*:123456789012:table/w?ites"), True),
        (policy(Resource=f"{TABLE}/index/*"), False),
        (policy(Resource=TABLE.replace("us-east-1", "eu-west-1")), False),
        (of_tenant("blue_*"), True),
        (of_tenant("${aws:PrincipalTag/tenant}_*"), True),
        (of_tenant("red_*"), False),
        (of_tenant("blue_"), False),
    ],
)
def test_a_policy_allows_what_iam_would(text: str, allowed: bool) -> None:
    held = Policy.parse(text, tenant="blue")
    assert held.allows(Ask("dynamodb:GetItem", TABLE, ("blue_1",))) is allowed


def test_a_condition_on_keys_holds_for_all_of_them_and_for_no_request_without() -> None:
    held = Policy.parse(of_tenant("blue_*"))
    assert not held.allows(Ask("dynamodb:GetItem", TABLE, ("blue_1", "red_1")))
    assert not held.allows(Ask("dynamodb:GetItem", TABLE))


def test_a_tag_is_text_and_no_pattern() -> None:
    held = Policy.parse(of_tenant("${aws:PrincipalTag/tenant}_*"), tenant="*")
    assert not held.allows(Ask("dynamodb:GetItem", TABLE, ("red_1",)))


@pytest.mark.parametrize(
    "text",
    [
        policy(Effect="Deny"),
        policy(NotAction="s3:*"),
        policy(Condition={"StringNotLike": {"dynamodb:LeadingKeys": ["red_*"]}}),
    ],
)
def test_a_policy_that_cannot_be_evaluated_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="evaluated"):
        Policy.parse(text).allows(Ask("dynamodb:GetItem", TABLE, ("blue_1",)))


WRITES_KEY = {"thread_id_checkpoint_id_checkpoint_ns": {"S": "t:::c:::"}, "task_id_idx": {"S": "a"}}


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("GetItem", {"Key": WRITES_KEY}, [Ask("dynamodb:GetItem", TABLE, ("t:::c:::",))]),
        ("Scan", {}, [Ask("dynamodb:Scan", TABLE)]),
        (
            "Query",
            {
                "IndexName": "i",
                "KeyConditionExpression": "#r = :p",
                "ExpressionAttributeNames": {"#r": "run_id"},
                "ExpressionAttributeValues": {":p": {"S": "run"}},
            },
            [Ask("dynamodb:Query", f"{TABLE}/index/i", ("run",))],
        ),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": TABLE, "Item": WRITES_KEY}}]},
            [Ask("dynamodb:PutItem", TABLE, ("t:::c:::",))],
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {"writes": [{"DeleteRequest": {"Key": WRITES_KEY}}]}},
            [Ask("dynamodb:BatchWriteItem", TABLE, ("t:::c:::",))],
        ),
        (
            "BatchGetItem",
            {"RequestItems": {"writes": {"Keys": [WRITES_KEY]}}},
            [Ask("dynamodb:BatchGetItem", TABLE, ("t:::c:::",))],
        ),
        (
            "CopyObject",
            {"CopySource": "of/a%20b", "Bucket": "to", "Key": "k"},
            [Ask("s3:GetObject", "arn:aws:s3:::of/a b"), Ask("s3:PutObject", "arn:aws:s3:::to/k")],
        ),
    ],
)
def test_a_request_asks_for_what_iam_documents(
    operation: str, params: dict[str, Any], expected: list[Ask]
) -> None:
    assert list(asks(operation, {"TableName": "writes", **params})) == expected
