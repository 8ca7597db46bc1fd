"""The ARNs that the policies of a store name, in an order that does not depend on tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aws_cdk import Stack, Token

from langgraph_checkpoint_dynamodb_cdk.access import Resources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_s3 as s3

    from langgraph_checkpoint_dynamodb_cdk.parts import StoreParts


class _SortableArn(NamedTuple):
    sort_key: tuple[str, ...]
    arn: str


def policy_resources(stack: Stack, parts: StoreParts) -> Resources:
    """Collect the ARNs of a store.

    Args:
        stack: The stack of the policies.
        parts: The parts of the store.
    """
    bucket = parts.bucket
    checkpoints_name, writes_name = parts.given_names
    checkpoints = _table_arns(stack, parts, parts.checkpoints_table, checkpoints_name)
    writes = _table_arns(stack, parts, parts.writes_table, writes_name)
    store = (
        []
        if parts.store_table is None
        else _table_arns(stack, parts, parts.store_table, parts.given_store_name or "")
    )
    return Resources(
        tables=_sorted([*checkpoints, *writes]),
        run_indexes=_index_arns(parts.run_id_index_name, checkpoints),
        thread_indexes=_index_arns(parts.thread_index_name, checkpoints),
        objects=_object_arns(bucket, parts.bucket_key_prefix),
        store=_sorted(store),
        vector_indexes=_index_arns(parts.vector_index_name, store),
        store_objects=_object_arns(bucket, parts.store_bucket_key_prefix) if store else (),
        bucket=() if bucket is None else (bucket.bucket_arn,),
        keys=_key_arns(parts),
        key_services=_key_services(stack, parts),
    )


def _table_arns(
    stack: Stack, parts: StoreParts, table: dynamodb.ITableV2, name: str
) -> list[_SortableArn]:
    """ARNs of a table and its replicas, with region and name as sort key."""
    replicas = {
        region: stack.format_arn(
            service="dynamodb",
            region=region,
            account=table.env.account,
            resource="table",
            resource_name=table.table_name,
        )
        for region in parts.replica_regions
    }
    arns = {**replicas, table.env.region: table.table_arn}
    return [_SortableArn((_literal(region), _literal(name)), arn) for region, arn in arns.items()]


def _key_arns(parts: StoreParts) -> tuple[str, ...]:
    keys = [key.key_arn for key in parts.encryption_keys]
    if parts.bucket is not None and parts.bucket.encryption_key is not None:
        keys.append(parts.bucket.encryption_key.key_arn)
    # Tables and bucket usually share a key.
    arns = dict.fromkeys([*keys, *parts.replica_kms_key_arns.values()])
    return _sorted(_SortableArn((_literal(arn),), arn) for arn in arns)


def _key_services(stack: Stack, parts: StoreParts) -> tuple[str, ...]:
    region = parts.checkpoints_table.env.region
    services = []
    if parts.encryption_keys:
        services += [f"dynamodb.{name}" for name in (region, *parts.replica_regions)]
    if parts.bucket is not None:
        key = parts.bucket.encryption_key
        # A bucket and its key are in the same region.
        services.append(f"s3.{region if key is None else key.env.region}")
    return tuple(f"{service}.{stack.url_suffix}" for service in services)


def _object_arns(bucket: s3.IBucket | None, key_prefix: str) -> tuple[str, ...]:
    return () if bucket is None else (bucket.arn_for_objects(key_prefix),)


def _index_arns(name: str | None, table_arns: list[_SortableArn]) -> tuple[str, ...]:
    return () if name is None else tuple(f"{arn}/index/{name}" for arn in _sorted(table_arns))


def _literal(text: str) -> str:
    # The text of a token depends on the rest of the app. Sorting by it would reorder policies that
    # did not change.
    return "" if Token.is_unresolved(text) else text


def _sorted(arns: Iterable[_SortableArn]) -> tuple[str, ...]:
    return tuple(found.arn for found in sorted(arns, key=lambda found: found.sort_key))
