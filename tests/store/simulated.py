"""Calls of stores and caches of several processes, for the explorer of `tests.simulation`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph.store.base import GetOp, ListNamespacesOp, PutOp, SearchOp

from langgraph_checkpoint_dynamodb.cache import DynamoDBCache
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS, Stamp
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from langgraph_checkpoint_dynamodb.store.embedding import Embedded, embed
from langgraph_checkpoint_dynamodb.store.ops.batch import perform
from tests.simulation.processes import FORWARD, Script, steps
from tests.simulation.scenarios import ALL, LONG_AGO, run
from tests.simulation.variants import NOW
from tests.store.embedders import index
from tests.store.faces import with_payloads
from tests.support.clocks import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from langgraph.store.base import Op

    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from tests.simulation.world import Place, Universe, World

AT, NEW, GONE = ("a", "b"), ("n",), ("gone",)
QUERY = "a"
MINUTES = 10.0


class Store(DynamoDBStore):
    """A store whose calls go by a token."""

    token: str

    def _context(self) -> Context:
        made = super()._context()
        return replace(made, stamp=Stamp(self.token * 16, made.stamp.created))


class Cache(DynamoDBCache[Any]):
    """A cache whose calls go by a token."""

    token: str

    def _context(self) -> Context:
        made = super()._context()
        return replace(made, stamp=Stamp(self.token * 16, made.stamp.created))


@dataclass(frozen=True)
class Variant:
    """How values are stored.

    Attributes:
        name: In a word.
        sizes: How much of a value stays in its item, and in a chunk.
        s3: Whether what does not stay there goes to S3.
        minutes: How long an item lives.
        vectors: Whether items have vectors.
        indexed: Whether searches use a vector index.
    """

    name: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    s3: bool = False
    minutes: float | None = None
    vectors: bool = False
    indexed: bool = False

    relaxed = False

    @property
    def ttl_seconds(self) -> float | None:
        """How long an item lives, where it does not live for ever."""
        return self.minutes

    def __hash__(self) -> int:
        return hash(self.name)

    def store(self, token: str, now: float) -> Store:
        """A store of a process of its own, which performs nothing itself."""
        made = Store(
            store_table_name="store",
            clock=Clock(now),
            index=index(fields=["text"]) if self.vectors else None,
            vector_index="vectors" if self.indexed else None,
            **self._s3,
        )
        made.token = token
        return with_payloads(made, **self.sizes)

    def cache(self, token: str, now: float) -> Cache:
        """A cache likewise."""
        made = Cache(cache_table_name="store", clock=Clock(now), **self._s3)
        made.token = token
        return with_payloads(made, **self.sizes)

    @property
    def _s3(self) -> dict[str, Any]:
        config = {"bucket_name": "bucket", "threshold_bytes": 200}
        return {"s3_offload_config": config} if self.s3 else {}


SMALL_ITEMS = {"inline_limit": 250, "chunk_bytes": 200}
INLINE = Variant("inline")
CHUNKS = Variant("chunks", SMALL_ITEMS)
OBJECTS = Variant("s3", s3=True)
EXPIRING = Variant("ttl", SMALL_ITEMS, minutes=MINUTES)
VECTORS = Variant("vectors", SMALL_ITEMS, vectors=True)
OF_STORE = (INLINE, CHUNKS, OBJECTS, EXPIRING, VECTORS)
OF_CACHE = (INLINE, CHUNKS, OBJECTS, EXPIRING)


@dataclass(frozen=True)
class Call:
    """A call of a store or a cache.

    Attributes:
        name: What it is, for stories.
        act: Makes its operation.
        changes: The items that it changes.
        cached: Whether it is one of a cache.
        reads: Whether it only reads.
    """

    name: str
    act: Callable[[Any, Variant], Operation[Any]]
    changes: frozenset[str] = frozenset()
    cached: bool = False
    reads: bool = False

    def script(
        self,
        variant: Variant,
        token: str,
        now: float = NOW,
        order: str = FORWARD,
        *_: Any,
    ) -> Script:
        """The call in steps. Nothing is known to it of what was there in the beginning."""

        def make() -> Any:
            user: Any = variant.cache(token, now) if self.cached else variant.store(token, now)
            return steps(self.act(user, variant), order)

        return Script(make)


class Party(NamedTuple):
    """A call, and who makes it.

    Attributes:
        call: The call.
        token: What it goes by.
        now: What its clock says.
    """

    call: Call
    token: str
    now: float = NOW


def ops(*made: Op) -> Callable[[Store, Variant], Operation[Any]]:
    """What performs these calls of a store together."""

    def act(store: Store, variant: Variant) -> Operation[Any]:
        mine = [_of(store.token, op, variant) for op in made]
        context, calls = store._parse(mine)
        indexing = context.indexing
        embedded = Embedded() if indexing is None else embed(indexing, calls.texts)
        return perform(context, calls, embedded)

    return act


def _of(token: str, op: Op, variant: Variant) -> Op:
    """An op as a process makes it: values tell whose they are, and all of them live as long."""
    if isinstance(op, PutOp) and op.value is not None:
        text = (op.value["text"] + token) * op.value["times"]
        return op._replace(value={"text": text}, ttl=op.ttl or variant.minutes)
    if isinstance(op, SearchOp) and variant.vectors:
        return op._replace(query=QUERY)
    return op


SMALL, LARGE = {"text": "a", "times": 1}, {"text": "ab", "times": 100}


def name_of(namespace: Iterable[str], key: str) -> str:
    return "/".join((*namespace, key))


K, L, N, G = (name_of(*one) for one in ((AT, "k"), (AT, "l"), (NEW, "k"), (GONE, "k")))
SWEEP = Call("sweep_orphans()", lambda user, _: user._sweep_orphans(GRACE_SECONDS, None, None))
STORE_CALLS = (
    Call("put(k, large)", ops(PutOp(AT, "k", LARGE)), frozenset({K})),
    Call("put(k, small)", ops(PutOp(AT, "k", SMALL)), frozenset({K})),
    Call("put(new namespace)", ops(PutOp(NEW, "k", SMALL)), frozenset({N})),
    Call("put(empty namespace, large)", ops(PutOp(GONE, "k", LARGE)), frozenset({G})),
    Call("delete(k)", ops(PutOp(AT, "k", None)), frozenset({K})),
    Call(
        "batch(k, new namespace, delete l)",
        ops(PutOp(AT, "k", SMALL), PutOp(NEW, "k", SMALL), PutOp(AT, "l", None)),
        frozenset({K, L, N}),
    ),
    Call("get(k), refreshing", ops(GetOp(AT, "k")), reads=True),
    Call("search()", ops(SearchOp((), None, ALL)), reads=True),
    Call("list_namespaces()", ops(ListNamespacesOp()), reads=True),
    SWEEP,
)
VECTOR_CALLS = (
    Call("put(k, large, without vectors)", ops(PutOp(AT, "k", LARGE, False)), frozenset({K})),
    Call("search(filter)", ops(SearchOp(AT, {"text": {"$ne": ""}}, ALL)), reads=True),
)
"""Calls that take other ways where items have vectors."""


def sets(*keys: tuple[tuple[str, ...], str, Any]) -> Callable[[Cache, Variant], Operation[Any]]:
    """What stores values in a cache; `None` for one that never counts."""

    def act(cache: Cache, variant: Variant) -> Operation[Any]:
        life = None if variant.minutes is None else int(variant.minutes * 60)
        return cache._set(
            {
                (namespace, key): ("", 0) if size is None else (cache.token * size, life)
                for namespace, key, size in keys
            }
        )

    return act


KEYS = [(AT, "k"), (AT, "l"), (NEW, "k")]
CACHE_CALLS = tuple(
    replace(call, cached=True)
    for call in (
        Call("set(k, large)", sets((AT, "k", 300)), frozenset({K})),
        Call("set(k, small)", sets((AT, "k", 1)), frozenset({K})),
        Call("set(new namespace)", sets((NEW, "k", 1)), frozenset({N})),
        Call(
            "set(k, new namespace, l that never counts)",
            sets((AT, "k", 1), (NEW, "k", 1), (AT, "l", None)),
            frozenset({K, L, N}),
        ),
        Call("clear(one)", lambda cache, _: cache._clear([AT]), frozenset({K, L})),
        Call("clear()", lambda cache, _: cache._clear(None), frozenset({K, L, N})),
        Call("get()", lambda cache, _: cache._get(KEYS), reads=True),
        SWEEP,
    )
)


def beginning(universe: Universe, variant: Variant, *, cached: bool) -> World:
    """What is there in the beginning, and what processes have left that died long ago.

    Where items expire, `k` is there still, and `l` is not.
    """
    lately = NOW - 60 if variant.minutes else LONG_AGO
    large, small, lost = (
        (sets((AT, "k", 300)), sets((AT, "l", 1)), sets((AT, "lost", 300)))
        if cached
        else (ops(PutOp(AT, "k", LARGE)), ops(PutOp(AT, "l", SMALL)), ops(PutOp(AT, "lost", LARGE)))
    )
    emptied = [] if cached else [ops(PutOp(GONE, "k", value)) for value in (SMALL, None)]
    world = universe.empty
    for act in (*emptied, lost, small, large):
        now, token = (lately, "e") if act is large else (LONG_AGO, "d" if act is lost else "f")
        # What expires is in few items: each may go at any time.
        how = replace(variant, minutes=None) if act is lost else variant
        script = Call("", act, cached=cached).script(how, token, now)
        world, ended = run(universe, world, script)
        assert ended.error is None
        for place in heads(world) if act is lost else ():
            world = universe.without(world, place)
    return world


def heads(world: World) -> list[Place]:
    """Where items and entries are."""
    return [place for place, entry in world.items.items() if "version" in entry.item]
