"""New S3 buckets and their contents."""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.testing import embedded_engine
from tests.support.sessions import new_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from langgraph_checkpoint_dynamodb import S3OffloadConfig
    from tests.support.engines import Engine

_numbers = itertools.count()


@dataclass(frozen=True)
class Bucket:
    """A bucket on an engine."""

    url: str
    client: S3Client
    name: str

    def config(self, threshold_bytes: int = 0, key_prefix: str = "states") -> S3OffloadConfig:
        """Settings that offload values above a threshold to this bucket."""
        return {
            "bucket_name": self.name,
            "endpoint_url": self.url,
            "key_prefix": key_prefix,
            "threshold_bytes": threshold_bytes,
        }

    def known(self) -> S3OffloadConfig:
        """Settings that offload nothing, for a saver that only reads and deletes objects here."""
        return self.config(threshold_bytes=2**40)

    def objects(self) -> dict[str, bytes]:
        """Every object, by key."""
        return {
            key: self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
            for key in self.keys()
        }

    def keys(self) -> list[str]:
        """The key of every object."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def restore(self, objects: dict[str, bytes]) -> None:
        """Restore the bucket to these objects."""
        now = self.objects()
        for key in now.keys() - objects.keys():
            self.client.delete_object(Bucket=self.name, Key=key)
        for key, data in objects.items():
            if now.get(key) != data:
                self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def drop(self) -> None:
        """Delete the bucket and its objects."""
        for key in self.keys():
            self.client.delete_object(Bucket=self.name, Key=key)
        self.client.delete_bucket(Bucket=self.name)


@contextmanager
def running_object_store(engine: Engine) -> Iterator[str]:
    """The S3 endpoint of an engine: the engine itself if it is moto, else a moto server."""
    if engine.name == "moto":
        yield engine.url
        return
    with embedded_engine() as url:
        yield url


def new_bucket(url: str) -> Bucket:
    """Create a bucket that no other test or pytest worker uses."""
    client = new_session().client("s3", endpoint_url=url)
    name = f"bucket-{os.getpid()}-{next(_numbers)}"
    client.create_bucket(Bucket=name)
    return Bucket(url, client, name)
