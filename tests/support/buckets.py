"""Fresh S3 buckets, and what lies in them."""

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
        """Settings that send values above a threshold here."""
        return {
            "bucket_name": self.name,
            "endpoint_url": self.url,
            "key_prefix": key_prefix,
            "threshold_bytes": threshold_bytes,
        }

    def known(self) -> S3OffloadConfig:
        """Settings that send nothing here, for a saver that reads and deletes what is here."""
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
        """Bring the bucket back to what it held."""
        now = self.objects()
        for key in now.keys() - objects.keys():
            self.client.delete_object(Bucket=self.name, Key=key)
        for key, data in objects.items():
            if now.get(key) != data:
                self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def drop(self) -> None:
        """Delete the bucket and what is in it."""
        for key in self.keys():
            self.client.delete_object(Bucket=self.name, Key=key)
        self.client.delete_bucket(Bucket=self.name)


@contextmanager
def running_object_store(engine: Engine) -> Iterator[str]:
    """The endpoint of an engine for S3: moto's server, the engine itself where it is that."""
    if engine.name == "moto":
        yield engine.url
        return
    with embedded_engine() as url:
        yield url


def new_bucket(url: str) -> Bucket:
    """A bucket that no other test of any worker uses."""
    client = new_session().client("s3", endpoint_url=url)
    name = f"bucket-{os.getpid()}-{next(_numbers)}"
    client.create_bucket(Bucket=name)
    return Bucket(url, client, name)
