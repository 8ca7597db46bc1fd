"""The bucket for large values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from langgraph_checkpoint_dynamodb_cdk.acknowledged import acknowledge_bucket
from langgraph_checkpoint_dynamodb_cdk.schema import object_lifetime_days

if TYPE_CHECKING:
    from constructs import Construct


def make_bucket(
    scope: Construct,
    construct_id: str,
    *,
    name: str | None,
    key_prefix: str,
    ttl_seconds: int | None,
    versioned: bool,
    noncurrent_days: int,
    encryption_key: kms.IKey | None,
    removal_policy: RemovalPolicy,
    force_destroy: bool,
) -> s3.Bucket:
    """Make a private, encrypted bucket that requires TLS.

    Args:
        scope: The scope of the bucket.
        construct_id: Its id.
        name: Name of the bucket, `None` for a generated name.
        key_prefix: Key prefix of the saver's objects.
        ttl_seconds: The saver's `ttl_seconds`, `None` to keep objects.
        versioned: Whether to keep deleted objects for `noncurrent_days`.
        noncurrent_days: For how many days the tables can be restored: a restored table must find
            its objects.
        encryption_key: KMS key, `None` for an S3 managed key.
        removal_policy: What CloudFormation does with the bucket when it is removed from the stack.
        force_destroy: Whether the bucket is emptied before it is deleted.
    """
    bucket = s3.Bucket(
        scope,
        construct_id,
        bucket_name=name,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        encryption=(
            s3.BucketEncryption.S3_MANAGED if encryption_key is None else s3.BucketEncryption.KMS
        ),
        encryption_key=encryption_key,
        bucket_key_enabled=None if encryption_key is None else True,
        versioned=versioned,
        lifecycle_rules=_lifecycle_rules(key_prefix, ttl_seconds, noncurrent_days),
        removal_policy=removal_policy,
        auto_delete_objects=force_destroy,
    )
    if bucket.policy is not None:
        # A retained bucket must go on rejecting requests without TLS.
        bucket.policy.apply_removal_policy(removal_policy)
    acknowledge_bucket(bucket)
    return bucket


def _lifecycle_rules(
    key_prefix: str, ttl_seconds: int | None, noncurrent_days: int
) -> list[s3.LifecycleRule]:
    rules = [
        s3.LifecycleRule(
            id="abort-incomplete-uploads",
            abort_incomplete_multipart_upload_after=Duration.days(1),
        ),
        # Also with versioning off: it may have been on before.
        s3.LifecycleRule(
            id="expire-noncurrent",
            noncurrent_version_expiration=Duration.days(noncurrent_days),
            expired_object_delete_marker=True,
        ),
    ]
    if ttl_seconds is not None:
        rules.append(
            s3.LifecycleRule(
                id="expire-objects",
                prefix=key_prefix,
                expiration=Duration.days(object_lifetime_days(ttl_seconds)),
            )
        )
    return rules
