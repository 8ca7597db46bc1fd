"""Checks of arguments that depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy

from langgraph_checkpoint_dynamodb_cdk import checks
from langgraph_checkpoint_dynamodb_cdk.access import TenantLimits
from langgraph_checkpoint_dynamodb_cdk.parts import ThreadIndex
from langgraph_checkpoint_dynamodb_cdk.tables import VectorIndex

if TYPE_CHECKING:
    from aws_cdk import aws_s3 as s3


def check_shared(
    *,
    run_id_index_name: str | None,
    ttl_seconds: int | None,
    bucket_key_prefix: str,
    store_bucket_key_prefix: str,
) -> None:
    """Check what created and imported stores are both given.

    Raises:
        ValueError: An argument is invalid; the message names it.
    """
    if run_id_index_name is not None:
        checks.require_dynamodb_name("run_id_index_name", run_id_index_name)
    if ttl_seconds is not None:
        checks.require_ttl_seconds("ttl_seconds", ttl_seconds)
    checks.require_bucket_key_prefix("bucket_key_prefix", bucket_key_prefix)
    checks.require_bucket_key_prefix("store_bucket_key_prefix", store_bucket_key_prefix)
    checks.require_disjoint_key_prefix(
        "store_bucket_key_prefix", store_bucket_key_prefix, bucket_key_prefix
    )


def tenant_limits(
    thread_id_prefix: str | None,
    owner_prefix: str | None,
    root_label: str | None,
    *,
    has_bucket: bool,
    has_store: bool,
    has_thread_index: bool,
) -> TenantLimits:
    """Make the default limits of the role `tenant`.

    Raises:
        ValueError: A limit is invalid, or what it needs is missing; the message names it.
    """
    if thread_id_prefix is not None:
        checks.require_thread_id_prefix(
            "tenant_thread_id_prefix", thread_id_prefix, in_object_keys=has_bucket
        )
    if root_label is not None:
        checks.require_root_label("tenant_root_label", root_label)
        if thread_id_prefix is None or not has_store:
            checks.refuse(
                "tenant_root_label",
                root_label,
                "tenant_thread_id_prefix and store_table_name with it: it is for the role tenant, "
                "on the store table",
            )
    if owner_prefix is not None:
        checks.require_owner_prefix("tenant_owner_prefix", owner_prefix)
        if thread_id_prefix is None or not has_thread_index:
            checks.refuse(
                "tenant_owner_prefix",
                owner_prefix,
                "tenant_thread_id_prefix and thread_index_owner with it: it is for the role "
                "tenant, on the thread index",
            )
    return TenantLimits(
        thread_id_prefix=thread_id_prefix, owner_prefix=owner_prefix, root_label=root_label
    )


def vector_index(
    name: str | None, dimensions: int | None, *, has_store: bool
) -> VectorIndex | None:
    """Make the settings of the vector index, `None` without one.

    Raises:
        ValueError: One of name, dimensions and store table is given without the others.
    """
    if name is None and dimensions is None:
        return None
    if name is None or dimensions is None or not has_store:
        checks.refuse(
            "store_vector_index_name",
            name,
            "store_table_name, store_vector_index_name and store_vector_dimensions together",
        )
    return VectorIndex(name, dimensions)


def thread_index(owner: str | None, name: str, run_id_index_name: str | None) -> ThreadIndex | None:
    """Make the settings of the thread index, `None` without one.

    Raises:
        ValueError: Name or owner is invalid, or the name is that of the run id index.
    """
    checks.require_dynamodb_name("thread_index_name", name)
    if owner is None:
        return None
    checks.require_text("thread_index_owner", owner, "the name of a key, such as 'user_id'")
    if name == run_id_index_name:
        checks.refuse(
            "thread_index_name",
            name,
            "another name than run_id_index_name: the indexes have different keys",
        )
    return ThreadIndex(owner, name)


def check_bucket(
    bucket: s3.IBucket | None,
    name: str | None,
    *,
    create: bool,
    versioned: bool,
    force_destroy: bool,
    removal_policy: RemovalPolicy,
) -> None:
    """Check the arguments of a bucket to create.

    Raises:
        ValueError: An argument is invalid, or contradicts another; the message names it.
    """
    checks.require_bool("create_bucket", create)
    checks.require_bool("bucket_versioning", versioned)
    if bucket is not None and create:
        checks.refuse(
            "create_bucket", create, "False with bucket, which exists; pass one of the two"
        )
    _check_bucket_name(name, create=create)
    checks.require_bool("bucket_force_destroy", force_destroy)
    if force_destroy and removal_policy != RemovalPolicy.DESTROY:
        checks.refuse(
            "bucket_force_destroy",
            force_destroy,
            "removal_policy=RemovalPolicy.DESTROY with it: a retained bucket is not emptied",
        )


def _check_bucket_name(name: str | None, *, create: bool) -> None:
    if name is None:
        return
    if not create:
        checks.refuse(
            "bucket_name",
            name,
            "create_bucket=True with it; for a bucket that exists pass "
            "bucket=Bucket.from_bucket_name(...)",
        )
    checks.require_bucket_name("bucket_name", name)
