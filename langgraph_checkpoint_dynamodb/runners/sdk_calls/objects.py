"""Calls of S3."""

from __future__ import annotations

from typing import Any

from langgraph_checkpoint_dynamodb.requests.objects import (
    CopyObject,
    DeleteObjects,
    GetObject,
    ObjectRequest,
    PutObject,
)
from langgraph_checkpoint_dynamodb.runners.sdk_calls.call import SdkCall


def object_call(request: ObjectRequest) -> SdkCall:
    """The SDK call of a request to S3."""
    match request:
        case PutObject(bucket, key, data):
            return _s3_call("PutObject", bucket, Key=key, Body=data)
        case GetObject(bucket, key):
            return _s3_call("GetObject", bucket, Key=key)
        case CopyObject(bucket, source, target):
            # S3 copies an object onto itself only if something about it changes.
            return _s3_call(
                "CopyObject",
                bucket,
                Key=target,
                CopySource={"Bucket": bucket, "Key": source},
                MetadataDirective="REPLACE",
            )
        case DeleteObjects(bucket, keys):
            objects = [{"Key": key} for key in keys]
            return _s3_call("DeleteObjects", bucket, Delete={"Objects": objects, "Quiet": True})


def _s3_call(action: str, bucket: str, **arguments: Any) -> SdkCall:
    return SdkCall(action, {"Bucket": bucket, **arguments}, service="s3")
