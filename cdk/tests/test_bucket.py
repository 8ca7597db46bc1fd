from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore
from langgraph_checkpoint_dynamodb_cdk.schema import object_lifetime_days

from tests.support import CHECKPOINTS, Synthesized, key_arn

if TYPE_CHECKING:
    from tests.support import Synthesizer

DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def plain(synthesizer: Synthesizer) -> Synthesized:
    return synthesizer.store(create_bucket=True)


def test_a_new_bucket_is_closed_to_the_public(plain: Synthesized) -> None:
    assert _bucket(plain)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert _bucket(plain)["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
    }


def test_a_new_bucket_refuses_requests_without_tls(plain: Synthesized) -> None:
    (statement,) = plain.only("AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::generated-name", "arn:aws:s3:::generated-name/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_a_new_bucket_is_encrypted_by_s3_without_a_key_of_yours(plain: Synthesized) -> None:
    assert _bucket(plain)["BucketEncryption"] == {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    }


def test_a_new_bucket_is_encrypted_with_the_key_of_the_tables(fullest: Synthesized) -> None:
    assert _bucket(fullest)["BucketEncryption"] == {
        "ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": {
                    "SSEAlgorithm": "aws:kms",
                    "KMSMasterKeyID": key_arn(),
                },
                "BucketKeyEnabled": True,
            }
        ]
    }


def test_a_new_bucket_keeps_deleted_objects_as_long_as_tables_can_be_restored(
    plain: Synthesized,
) -> None:
    assert _bucket(plain)["VersioningConfiguration"] == {"Status": "Enabled"}
    assert _bucket(plain)["LifecycleConfiguration"]["Rules"] == [
        {
            "Id": "abort-incomplete-uploads",
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
        {
            "Id": "expire-noncurrent",
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 35},
            "ExpiredObjectDeleteMarker": True,
        },
    ]


def test_deleted_objects_are_kept_for_as_many_days_as_tables_can_be_restored(
    synthesizer: Synthesizer,
) -> None:
    bucket = _bucket(synthesizer.store(create_bucket=True, point_in_time_recovery_days=7))
    rule = _rules(bucket)["expire-noncurrent"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}


def test_without_versions_those_of_before_still_expire(synthesizer: Synthesizer) -> None:
    bucket = _bucket(synthesizer.store(create_bucket=True, bucket_versioning=False))
    assert "VersioningConfiguration" not in bucket
    assert _rules(bucket).keys() == {"abort-incomplete-uploads", "expire-noncurrent"}


def test_with_a_lifetime_objects_expire_after_their_items(synthesizer: Synthesizer) -> None:
    result = synthesizer.store(
        create_bucket=True, ttl_seconds=7 * DAY, bucket_key_prefix="agents/prod/"
    )
    # 10.5 days and an hour, rounded up, and two days until DynamoDB has deleted the item.
    assert _rules(_bucket(result))["expire-objects"] == {
        "Id": "expire-objects",
        "Status": "Enabled",
        "Prefix": "agents/prod/",
        "ExpirationInDays": 13,
    }


@pytest.mark.parametrize(
    ("ttl_seconds", "days"),
    [
        (1, 3),
        (DAY, 4),
        # 1.5 times this plus an hour is exactly a day; one second more takes another day.
        (55_200, 3),
        (55_201, 4),
        (7 * DAY, 13),
        (30 * DAY, 48),
        (365 * DAY, 550),
    ],
)
def test_the_lifetime_of_objects_is_rounded_up_to_days(ttl_seconds: int, days: int) -> None:
    assert object_lifetime_days(ttl_seconds) == days
    assert days == math.ceil((1.5 * ttl_seconds + 3600) / DAY) + 2


def test_a_new_bucket_can_have_a_name(synthesizer: Synthesizer) -> None:
    result = synthesizer.store(create_bucket=True, bucket_name="my-bucket")
    assert _bucket(result)["BucketName"] == "my-bucket"


def test_a_new_bucket_and_its_policy_are_kept(plain: Synthesized) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
        resource = plain.only(kind)
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert "Custom::S3AutoDeleteObjects" not in json.dumps(plain.template)


def test_with_destroy_a_new_bucket_is_deleted_if_it_is_empty(synthesizer: Synthesizer) -> None:
    result = synthesizer.store(create_bucket=True, removal_policy=RemovalPolicy.DESTROY)
    assert result.only("AWS::S3::Bucket")["DeletionPolicy"] == "Delete"
    assert result.all("Custom::S3AutoDeleteObjects") == []


def test_a_new_bucket_can_be_emptied_before_it_is_deleted(synthesizer: Synthesizer) -> None:
    result = synthesizer.store(
        create_bucket=True, removal_policy=RemovalPolicy.DESTROY, bucket_force_destroy=True
    )
    assert result.only("AWS::S3::Bucket")["DeletionPolicy"] == "Delete"
    assert result.only("AWS::S3::BucketPolicy")["DeletionPolicy"] == "Delete"
    emptying = result.only("Custom::S3AutoDeleteObjects")["Properties"]
    assert emptying["BucketName"] == "generated-name"


def test_a_bucket_that_exists_is_used_and_not_changed(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    bucket = s3.Bucket.from_bucket_name(stack, "Existing", "theirs")
    store = CheckpointStore(
        stack, "Store", bucket=bucket, ttl_seconds=DAY, removal_policy=RemovalPolicy.DESTROY
    )
    assert store.bucket is bucket
    assert store.bucket_name == "theirs"
    kinds = {resource["Type"] for resource in Synthesized.of(stack).template["Resources"].values()}
    assert kinds == {"AWS::DynamoDB::GlobalTable"}


def test_a_lifetime_makes_no_bucket(synthesizer: Synthesizer) -> None:
    result = synthesizer.store(ttl_seconds=DAY)
    assert result.all("AWS::S3::Bucket") == []
    assert result.table(CHECKPOINTS)["Properties"]["TimeToLiveSpecification"]["Enabled"] is True


def _bucket(result: Synthesized) -> dict[str, Any]:
    properties: dict[str, Any] = result.only("AWS::S3::Bucket")["Properties"]
    return properties


def _rules(bucket: dict[str, Any]) -> dict[str, Any]:
    return {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
