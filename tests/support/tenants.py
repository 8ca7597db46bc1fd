"""Tenants restricted to their threads by one policy, and the permissions savers need on them."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped] # says no types

from langgraph_checkpoint_dynamodb import ThreadIndex
from tests.infra.filled import Filled
from tests.support.iam import Policy, asks
from tests.support.sessions import NOWHERE, on, saver_session
from tests.support.tables import forget, with_payloads
from tests.support.values import checkpoint, config, metadata, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.support.buckets import Bucket
    from tests.support.iam import Ask
    from tests.support.savers import Saver
    from tests.support.tables import Tables

_TEMPLATE = Path("cloudformation/langgraph-checkpoint-dynamodb.yaml")
_TAG = "${aws:PrincipalTag/tenant}"
_TTL = 100_000
LONGEST_WITH_A_BUCKET = 250

PLAIN = ("acme", "acme2", "acme-eu", "ACME", "a", "-", "7", "x" * LONGEST_WITH_A_BUCKET)
"""Tenants that may have a bucket: letters, digits and `-`. Some names are prefixes of others."""
ODD = ("acme", "acme 2", "acme_eu", "acme/eu", "ac.me", "açme", "a", "a=b+c@d", "_", "é" * 128)
"""Tenants with tables only: any characters of a tag value except the separator."""

_PIECES = (
    *(
        ":",
        "::",
        ":::",
        "::::::",
        "/",
        "//",
        "..",
        ".",
        "%",
        "%2F",
        "%5F",
        "_",
        "-",
        "!",
        "!!",
        "~",
    ),
    *("#", "|", " ", "*", "?", _TAG, "acme_", "acme:", "acme2_", "\\", "'", '"', "\x00", "\n"),
    *("\x7f", "é", "e\u0301", "\u0130", "\ufffd", "\U0001f600", "0", "a", "A", "thread"),
)
_LONGEST = 2048


def tenant_policy(separator: str, tables: Tables, bucket: Bucket | None) -> str:
    """The role `tenant` from the CloudFormation template.

    The Terraform module and the CDK construct create the same role; `tests/infra` compares them.
    """
    template: Any = json.loads(json.dumps(loads(_TEMPLATE.read_text(encoding="utf-8"))))
    given = {
        "CheckpointsTableName": tables.checkpoints,
        "WritesTableName": tables.writes,
        "ThreadIndexOwner": "user_id",
        "TenantThreadIdPrefix": f"{_TAG}_",
        "TenantOwnerPrefix": f"{_TAG}_",
    }
    if bucket is not None:
        given |= {
            "Bucket": "existing",
            "BucketName": bucket.name,
            "BucketKeyPrefix": _key_prefix(bucket),
        }
    text: str = Filled(template, given).outputs["TenantPolicyJson"]
    # The template has no parameter for a colon, as the others do where there is no bucket.
    return text.replace(f"{_TAG}_*", f"{_TAG}{separator}*")


def held(policy: str, tenant: str) -> Policy:
    """The policy for a principal with a tenant's tag."""
    return Policy.parse(policy, tenant=tenant)


def random_thread(chance: Random, tenant: str, separator: str, number: int) -> str:
    """A tenant's thread: the prefix, then random text that contains the number."""
    pieces = chance.choices(_PIECES, k=chance.randint(1, 6))
    pieces.insert(chance.randint(0, len(pieces)), f"{number:05}")
    thread_id = f"{tenant}{separator}{''.join(pieces)}"
    if chance.random() < 0.1:
        filling = chance.choice(("x", ":", "é", "/", "\U0001f600"))
        room = _LONGEST - len(thread_id.encode())
        thread_id += filling * (room // len(filling.encode()) - chance.randint(0, 20))
    return thread_id


@dataclass(frozen=True)
class Step:
    """An operation, and the permissions it needed, in order."""

    name: str
    asked: tuple[Ask, ...]


class Savers(NamedTuple):
    """A saver that writes a thread, and one that reads what another saver has written."""

    writer: Saver
    reader: Saver


class Recorder:
    """Savers without a tenant or restrictions, and the permissions they need.

    Args:
        tables: The tables, already created.
        bucket: Bucket for values; `None` for chunks in the table.
        **settings: Further settings of the savers.
    """

    def __init__(self, tables: Tables, bucket: Bucket | None, **settings: Any) -> None:
        self._asked: list[Ask] = []
        session = saver_session(NOWHERE if bucket is None else bucket.url)
        for service in ("dynamodb", "s3"):
            on(session, f"before-parameter-build.{service}", self._note)
        shared: dict[str, Any] = {
            "session": session,
            "ttl_seconds": _TTL,
            "thread_index": ThreadIndex(owner="user_id"),
            **settings,
        }
        if bucket is not None:
            shared["s3_offload_config"] = bucket.config(1000, _key_prefix(bucket))
        # The reader reads late enough to extend a TTL.
        late: dict[str, Any] = {"clock": lambda: time.time() + _TTL * 3 // 5}
        self._savers = Savers(tables.saver(**shared), tables.saver(**shared, **late))
        if bucket is None:
            for saver in self._savers:
                with_payloads(saver, inline_limit=300)

    def _note(self, params: dict[str, Any], model: Any, **_: object) -> None:
        self._asked += asks(model.name, params)

    def run(self, thread_id: str, owner: str, name: str | None) -> Iterator[Step]:
        """Begin a thread and run one of `OPERATIONS` on it; or only begin a small thread."""
        at: Any = config(thread_id)
        at["configurable"]["user_id"] = owner
        if name is None:
            yield self._step("begin", begin_small, at)
            return
        yield self._step("begin", begin, at)
        forget(self._savers.reader)  # So that nothing comes from its cache.
        yield self._step(name, OPERATIONS[name], at)

    def _step(self, name: str, act: Callable[[Savers, Any], object], at: Any) -> Step:
        self._asked.clear()
        act(self._savers, at)
        return Step(name, tuple(self._asked))

    def close(self) -> None:
        """Close the savers."""
        for saver in self._savers:
            saver.close()


@contextmanager
def recording(tables: Tables, bucket: Bucket | None, **settings: Any) -> Iterator[Recorder]:
    """A recorder while the context is open."""
    recorder = Recorder(tables, bucket, **settings)
    try:
        yield recorder
    finally:
        recorder.close()


def _key_prefix(bucket: Bucket) -> str:
    return f"{bucket.name}/states/"


PARENT, CHILD = new_id(1), new_id(2)
_SUBGRAPH = "sub|node:::1"
# More than an incremental saver stores whole, and than fits into an item with chunks.
_TEXT = Random(0).randbytes(2000).hex()  # noqa: S311 - data, not a secret


def begin(savers: Savers, at: Any) -> None:
    """Store a checkpoint and its writes, with values outside their items."""
    savers.writer.put(at, checkpoint(PARENT, log=_TEXT), metadata(source="input"), {"log": "1"})
    savers.writer.put_writes(_place(at), [("log", _TEXT)], "task")


def begin_small(savers: Savers, at: Any) -> None:
    """Store a checkpoint and a write."""
    savers.writer.put(at, checkpoint(PARENT), metadata(source="input"), {})
    savers.writer.put_writes(_place(at), [("a", 1)], "task")


def _place(at: Any, namespace: str = "", checkpoint_id: str | None = PARENT) -> Any:
    named = config(_thread(at), namespace, checkpoint_id)
    return {"configurable": {**at["configurable"], **named["configurable"]}}


def _thread(at: Any) -> str:
    return str(at["configurable"]["thread_id"])


def _go_on(savers: Savers, at: Any) -> Any:
    return savers.writer.put(_place(at), checkpoint(CHILD), metadata(step=1), {})


def _delta(savers: Savers, at: Any) -> None:
    child = _go_on(savers, at)
    savers.reader.get_delta_channel_history(config=child, channels=["log"])


def _subgraph(savers: Savers, at: Any) -> None:
    savers.writer.put(
        _place(at, _SUBGRAPH, None), checkpoint(PARENT, log=_TEXT), metadata(), {"log": "1"}
    )
    savers.reader.get_tuple(_place(at, _SUBGRAPH))


OPERATIONS: dict[str, Callable[[Savers, Any], object]] = {
    "put": _go_on,
    "put_writes": lambda savers, at: savers.writer.put_writes(
        _place(at), [("a", 1), ("b", _TEXT)], "t:::1"
    ),
    "put_writes that wait": lambda savers, at: savers.writer.put_writes(
        _place(at), [("__interrupt__", [])], "asks"
    ),
    "of a subgraph": _subgraph,
    "get_tuple": lambda savers, at: savers.reader.get_tuple(at),
    "get_tuple by id": lambda savers, at: savers.reader.get_tuple(_place(at)),
    "list": lambda savers, at: list(savers.reader.list(config(_thread(at), None))),
    "get_delta_channel_history": _delta,
    "get_thread": lambda savers, at: savers.reader.get_thread(_thread(at)),
    "update_thread": lambda savers, at: savers.reader.update_thread(_thread(at), title="t"),
    "list_threads": lambda savers, at: savers.reader.list_threads(
        owner=at["configurable"]["user_id"]
    ),
}
"""All operations that an agent performs on a thread."""


@dataclass(frozen=True)
class Finding:
    """A violation of a policy: the thread's tenant, the operation, and the permission."""

    kind: str
    thread_id: str
    tenant: str
    operation: str
    ask: Ask

    def __str__(self) -> str:
        return (
            f"{self.kind} of {self.thread_id!r} by {self.tenant!r} in {self.operation}: {self.ask}"
        )


def judge(
    step: Step, thread_id: str, own: Policy, others: Sequence[tuple[str, Policy]]
) -> Iterator[Finding]:
    """The faults of a policy: own permissions it refuses, and permissions on others' threads.

    An allowed request on a foreign thread is a leak even if an earlier request is refused.
    """
    for ask in step.asked:
        if not own.allows(ask):
            yield Finding("miss", thread_id, "", step.name, ask)
        for name, policy in others:
            if policy.allows(ask):
                yield Finding("leak", thread_id, name, step.name, ask)
