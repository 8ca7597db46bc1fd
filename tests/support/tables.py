"""Fresh tables, and what lies in them."""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.format.keys import is_auxiliary_key
from langgraph_checkpoint_dynamodb.format.life import MARGIN
from langgraph_checkpoint_dynamodb.items.writes_partition import is_mark
from langgraph_checkpoint_dynamodb.policies import (
    PROLONG_ACTIONS,
    S3_DELETE_ACTIONS,
    S3_RUN_ACTIONS,
    SETUP_ACTIONS,
    SWEEP_ACTIONS,
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

EVERY_ACTION = SWEEP_ACTIONS | PROLONG_ACTIONS | S3_RUN_ACTIONS | S3_DELETE_ACTIONS | SETUP_ACTIONS
"""What the published policies allow all together."""


@dataclass(frozen=True)
class Tables:
    """A pair of tables on an engine, not made yet."""

    engine: Engine
    client: DynamoDBClient
    checkpoints: str
    writes: str
    relay: Relay = field(default_factory=Relay)

    def saver(self, actions: Collection[str] = EVERY_ACTION, **settings: Any) -> Saver:
        """A saver on these tables with a client of its own, which may do nothing but `actions`."""
        if not {"client", "client_config"} & settings.keys():
            settings.setdefault("endpoint_url", self.engine.url)
            settings.setdefault("session", restricted_session(frozenset(actions)))
        return new_saver(
            checkpoints_table_name=self.checkpoints, writes_table_name=self.writes, **settings
        )

    def boto_saver(self, **settings: Any) -> DynamoDBSaver:
        """A `DynamoDBSaver` on these tables, whichever saver the other tests are about."""
        if not {"client", "client_config"} & settings.keys():
            settings = {"session": new_session(), "endpoint_url": self.engine.url, **settings}
        return DynamoDBSaver(
            checkpoints_table_name=self.checkpoints, writes_table_name=self.writes, **settings
        )

    def on(self, event: str, handler: Callable[..., object]) -> None:
        """Have an event of the clients of every `quick` saver handled from now on."""
        if native():
            self.relay.on(event, handler)
        else:
            # The stubs know only handlers that answer nothing.
            self.client.meta.events.register(event, cast("Callable[..., None]", handler))

    def quick(self, bucket: Bucket | None = None) -> dict[str, Any]:
        """Settings of a saver with all rights that is quick to make, and knows that bucket."""
        known = {} if bucket is None else {"s3_offload_config": bucket.known()}
        if native():
            session = saver_session() if bucket is None else saver_session(bucket.url)
            self.relay.install(session)
            return {"session": session, "endpoint_url": self.engine.url, **known}
        reached = {} if bucket is None else {"s3_client": bucket.client}
        return {"client": self.client, **reached, **known}

    def set_up(self, **settings: Any) -> None:
        """Make the tables, with the client that is there: making another one takes longer."""
        with self.boto_saver(client=self.client, **settings) as saver:
            saver.setup()

    def checkpoint_items(self) -> list[dict[str, AttributeValueTypeDef]]:
        """Every item of the checkpoints table."""
        return self._scan(self.checkpoints)

    def heads(self) -> list[dict[str, AttributeValueTypeDef]]:
        """Those of its items that are checkpoints, and not bases or a mark."""
        return [one for one in self.checkpoint_items() if not _is_base(one)]

    def bases(self) -> list[dict[str, AttributeValueTypeDef]]:
        """Those of its items that are bases, or a mark of deleted bases."""
        return [one for one in self.checkpoint_items() if _is_base(one)]

    def items_beside(self) -> list[dict[str, AttributeValueTypeDef]]:
        """Every item of the writes table."""
        return self._scan(self.writes)

    def write_items(self) -> list[dict[str, AttributeValueTypeDef]]:
        """Every item of the writes table but the marks that deletes leave for an hour."""
        return [item for item in self.items_beside() if not is_mark(item)]

    def marks(self) -> list[dict[str, AttributeValueTypeDef]]:
        """The marks of deletes in the writes table."""
        return [item for item in self.items_beside() if is_mark(item)]

    def drop(self) -> None:
        """Delete the tables, if they were made."""
        for name in (self.checkpoints, self.writes):
            with suppress(self.client.exceptions.ResourceNotFoundException):
                self.client.delete_table(TableName=name)

    def _scan(self, name: str) -> list[dict[str, AttributeValueTypeDef]]:
        pages = self.client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]


def with_payloads(saver: Saver, **changes: Any) -> Saver:
    """The saver with another payload policy, such as `inline_limit` and `chunk_bytes`.

    Users have no such settings; with a few hundred bytes everything is stored in chunks.
    """
    settings = saver._settings
    saver._settings = replace(settings, payloads=replace(settings.payloads, **changes))
    return saver


def forget(saver: Saver) -> None:
    """Let a saver know no more of its threads than a new one."""
    saver._memories.get().clear()


def sweep(saver: Saver, older_than: int = 0, **options: Any) -> SweepReport:
    """Sweep what is so many seconds old, be it younger than a sweep may take.

    That is what a sweep does an hour later which leaves alone what is an hour old and less.
    """
    return later(saver, older_than).sweep_orphans(older_than=MARGIN, **options)


def later(saver: SaverT, older_than: int = 0) -> SaverT:
    """The saver on the same clients, to which what is so many seconds old is `MARGIN` old."""
    settings = saver._settings
    made = copy(saver)
    made._settings = replace(settings, clock=lambda: settings.clock() + MARGIN - older_than)
    return made


def _is_base(item: dict[str, AttributeValueTypeDef]) -> bool:
    return is_auxiliary_key(item["checkpoint_id"]["S"])


def new_tables(engine: Engine, client: DynamoDBClient | None = None) -> Tables:
    """Names that no other test of any worker uses; with a client of their own if none is given."""
    suffix = f"{os.getpid()}-{next(_numbers)}"
    if client is None:
        client = new_session().client("dynamodb", endpoint_url=engine.url)
    return Tables(engine, client, f"checkpoints-{suffix}", f"writes-{suffix}")
