"""New tables and their contents."""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.items.writes_partition import is_mark
from langgraph_checkpoint_dynamodb.policies import (
    S3_DELETE_ACTIONS,
    S3_RUN_ACTIONS,
    SETUP_ACTIONS,
    SWEEP_ACTIONS,
    TTL_EXTENSION_ACTIONS,
)
from tests.support.savers import Saver, native, new_saver
from tests.support.sessions import Relay, new_session, restricted_session, saver_session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from langgraph_checkpoint_dynamodb import SweepReport
    from tests.support.buckets import Bucket
    from tests.support.engines import Engine

_numbers = itertools.count()

SaverT = TypeVar("SaverT", bound=Saver)

EVERY_ACTION = (
    SWEEP_ACTIONS | TTL_EXTENSION_ACTIONS | S3_RUN_ACTIONS | S3_DELETE_ACTIONS | SETUP_ACTIONS
)
"""All actions that the published policies allow together."""


@dataclass(frozen=True)
class Tables:
    """A pair of tables on an engine, not created yet."""

    engine: Engine
    client: DynamoDBClient
    checkpoints: str
    writes: str
    relay: Relay = field(default_factory=Relay)

    def saver(self, actions: Collection[str] = EVERY_ACTION, **settings: Any) -> Saver:
        """A saver on these tables with its own client, which may perform only `actions`."""
        if not {"client", "client_config"} & settings.keys():
            settings.setdefault("endpoint_url", self.engine.url)
            settings.setdefault("session", restricted_session(frozenset(actions)))
        return new_saver(
            checkpoints_table_name=self.checkpoints, writes_table_name=self.writes, **settings
        )

    def boto_saver(self, **settings: Any) -> DynamoDBSaver:
        """A `DynamoDBSaver` on these tables, whichever saver is under test."""
        if not {"client", "client_config"} & settings.keys():
            settings = {"session": new_session(), "endpoint_url": self.engine.url, **settings}
        return DynamoDBSaver(
            checkpoints_table_name=self.checkpoints, writes_table_name=self.writes, **settings
        )

    def on(self, event: str, handler: Callable[..., object]) -> None:
        """Register a handler for an event of the clients of every `quick` saver."""
        if native():
            self.relay.on(event, handler)
        else:
            # The stubs only know handlers without a result.
            self.client.meta.events.register(event, cast("Callable[..., None]", handler))

    def quick(self, bucket: Bucket | None = None) -> dict[str, Any]:
        """Settings of a saver with all permissions that is fast to create and uses the bucket."""
        known = {} if bucket is None else {"s3_offload_config": bucket.known()}
        if native():
            session = saver_session() if bucket is None else saver_session(bucket.url)
            self.relay.install(session)
            return {"session": session, "endpoint_url": self.engine.url, **known}
        reached = {} if bucket is None else {"s3_client": bucket.client}
        return {"client": self.client, **reached, **known}

    def set_up(self, **settings: Any) -> None:
        """Create the tables with the existing client: to create another takes longer."""
        with self.boto_saver(client=self.client, **settings) as saver:
            saver.setup()

    def checkpoint_items(self) -> list[dict[str, AttributeValueTypeDef]]:
        """Every item of the checkpoints table."""
        return self._scan(self.checkpoints)

    def heads(self) -> list[dict[str, AttributeValueTypeDef]]:
        """The items of the checkpoints table that are checkpoints, not bases or marks."""
        return [one for one in self.checkpoint_items() if not _is_base(one)]

    def bases(self) -> list[dict[str, AttributeValueTypeDef]]:
        """The items of the checkpoints table that are bases, or a mark of deleted bases."""
        return [one for one in self.checkpoint_items() if _is_base(one)]

    def items_beside(self) -> list[dict[str, AttributeValueTypeDef]]:
        """Every item of the writes table."""
        return self._scan(self.writes)

    def write_items(self) -> list[dict[str, AttributeValueTypeDef]]:
        """Every item of the writes table except the marks that deletes leave for an hour."""
        return [item for item in self.items_beside() if not is_mark(item)]

    def marks(self) -> list[dict[str, AttributeValueTypeDef]]:
        """The marks of deletes in the writes table."""
        return [item for item in self.items_beside() if is_mark(item)]

    def drop(self) -> None:
        """Delete the tables, if they exist."""
        for name in (self.checkpoints, self.writes):
            with suppress(self.client.exceptions.ResourceNotFoundException):
                self.client.delete_table(TableName=name)

    def _scan(self, name: str) -> list[dict[str, AttributeValueTypeDef]]:
        pages = self.client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]


def with_payloads(saver: Saver, **changes: Any) -> Saver:
    """The saver with another payload policy, such as `inline_limit` and `chunk_bytes`.

    Users cannot change it. With a limit of a few hundred bytes everything is stored in chunks.
    """
    settings = saver._settings
    saver._settings = replace(settings, payloads=replace(settings.payloads, **changes))
    return saver


def forget(saver: Saver) -> None:
    """Clear a saver's cache of its threads."""
    saver._memories.get().clear()


def sweep(saver: Saver, older_than: int = 0, **options: Any) -> SweepReport:
    """Sweep items that are so many seconds old, even if a real sweep may not take them yet.

    The result is that of a sweep an hour later that leaves items of the last hour.
    """
    return later(saver, older_than).sweep_orphans(older_than=GRACE_SECONDS, **options)


def later(saver: SaverT, older_than: int = 0) -> SaverT:
    """A copy of the saver whose clock makes items of that age `GRACE_SECONDS` old."""
    settings = saver._settings
    made = copy(saver)
    made._settings = replace(settings, clock=lambda: settings.clock() + GRACE_SECONDS - older_than)
    return made


def _is_base(item: dict[str, AttributeValueTypeDef]) -> bool:
    return is_auxiliary_key(item["checkpoint_id"]["S"])


def new_tables(engine: Engine, client: DynamoDBClient | None = None) -> Tables:
    """Tables with names that no other test or pytest worker uses, and a client if none is given."""
    suffix = f"{os.getpid()}-{next(_numbers)}"
    if client is None:
        client = new_session().client("dynamodb", endpoint_url=engine.url)
    return Tables(engine, client, f"checkpoints-{suffix}", f"writes-{suffix}")
