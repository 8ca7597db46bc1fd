"""Fills a table with another package, and prints its contents as the package was asked to store.

    python foreign.py SAVER ENDPOINT TABLE [S3_ENDPOINT BUCKET]

It runs in an environment that has that package. One of these packages has the name of this package,
so it only imports modules of its own folder. Graphs run on a saver that passes every call to the
package's saver and also stores it in memory. It reads from memory: what the package loses must not
change the run.

It prints JSON: `expected`, lines in the format of `moving/records.py`, and `returned`, what the
package's own saver lists of each thread.
"""

import base64
import json
import os
import sys
from importlib import import_module
from typing import Any, ClassVar

from graphs import THREADS
from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.checkpoint.memory import InMemorySaver

# --- the savers ---


def _checkpoint_aws(table: str, **how: Any) -> tuple[type, dict[str, Any]]:
    package = import_module("langgraph_checkpoint_aws")
    return package.DynamoDBSaver, {"table_name": table, "ttl_seconds": 10**9, **how}


def _checkpoint_aws_offloaded(
    table: str, s3_endpoint: str, bucket: str
) -> tuple[type, dict[str, Any]]:
    # Keeps the recording small. The default is 350 KB.
    strategy = import_module("langgraph_checkpoint_aws.checkpoint.dynamodb.storage_strategy")
    strategy.S3_OFFLOAD_THRESHOLD = 1024
    offload = {"bucket_name": bucket, "endpoint_url": s3_endpoint, "key_prefix": "/an/app/"}
    return _checkpoint_aws(
        table, ttl_seconds=None, enable_checkpoint_compression=True, s3_offload_config=offload
    )


def _dynamodb_checkpoint(table: str) -> tuple[type, dict[str, Any]]:
    package = import_module("langgraph_dynamodb_checkpoint")
    return package.DynamoDBSaver, {"table_name": table, "ttl_seconds": 10**9}


def _amazon_dynamodb(table: str) -> tuple[type, dict[str, Any]]:
    package = import_module("langgraph_checkpoint_dynamodb")
    named = package.DynamoDBTableConfig(table_name=table, ttl_days=10_000)
    return package.DynamoDBSaver, {"config": package.DynamoDBConfig(table_config=named)}


SAVERS = {
    "checkpoint-aws": _checkpoint_aws,
    "checkpoint-aws-offloaded": _checkpoint_aws_offloaded,
    "dynamodb-checkpoint": _dynamodb_checkpoint,
    "amazon-dynamodb": _amazon_dynamodb,
}


class PlainPlaces(InMemorySaver):
    """Keeps writes as langgraph-checkpoint-amazon-dynamodb does: no paths, last write wins."""

    def put_writes(self, config: Any, writes: Any, task_id: str, _: str = "") -> None:
        for idx, (channel, value) in enumerate(writes):
            kept = (task_id, channel, self.serde.dumps_typed(value), "")
            self.writes[_key(config)][(task_id, idx)] = kept


def _key(config: Any) -> Any:
    named = config["configurable"]
    return (named["thread_id"], named.get("checkpoint_ns", ""), named["checkpoint_id"])


def beside_memory(saver: type) -> type:
    """The package's saver, which also stores everything in memory and reads it from there."""

    class Both(saver):  # type: ignore[misc, valid-type]
        memory = InMemorySaver()
        kept = memory
        as_put: ClassVar[dict[Any, list[str]]] = {}

        def put(self, config: Any, checkpoint: Any, metadata: Any, versions: Any) -> Any:
            super().put(config, checkpoint, metadata, versions)
            more = config.get("metadata", {})
            if saver.__module__.startswith("langgraph_checkpoint_aws") and isinstance(more, dict):
                metadata = {**metadata, **more}
            names = ("thread_id", "checkpoint_ns", "checkpoint_id")
            named = {k: v for k, v in config["configurable"].items() if k in names}
            plain = {"configurable": named}
            # A checkpoint read back from memory also contains values of other checkpoints.
            place = (named["thread_id"], named.get("checkpoint_ns", ""), checkpoint["id"])
            self.as_put[place] = _dumped(self.memory, checkpoint)
            return self.memory.put(plain, checkpoint, metadata, versions)

        def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
            writes = list(writes)
            super().put_writes(config, writes, task_id, task_path)
            for each in {id(one): one for one in (self.memory, self.kept)}.values():
                each.put_writes(config, writes, task_id, task_path)

        def get_tuple(self, config: Any) -> Any:
            return self.memory.get_tuple(config)

        def list(self, config: Any, **how: Any) -> Any:
            return self.memory.list(config, **how)

        def get_next_version(self, current: Any, channel: Any) -> Any:
            return self.memory.get_next_version(current, channel)

    return Both


# --- what is in the table ---


def lines(saver: Any) -> list[str]:
    """Everything that was put, as lines that can be imported into any saver."""
    memory = saver.memory
    found = []
    for thread_id, namespaces in memory.storage.items():
        for checkpoint_ns in sorted(namespaces, reverse=True):
            for checkpoint_id in sorted(namespaces[checkpoint_ns]):
                named = (thread_id, checkpoint_ns, checkpoint_id)
                found.append(_checkpoint(saver, named))
    head = {"format": "langgraph-checkpoints", "version": 1}
    return [json.dumps(one) + "\n" for one in (head, *found, {"checkpoints": len(found)})]


def _checkpoint(saver: Any, named: Any) -> Any:
    memory = saver.memory
    names = ("thread_id", "checkpoint_ns", "checkpoint_id")
    config = dict(zip(names, named, strict=True))
    one = memory.get_tuple({"configurable": config})
    tasks: dict[str, Any] = {}
    ordered = sorted(saver.kept.writes[named].items(), key=lambda each: (each[1][3], each[0]))
    for (task_id, _), (_, channel, typed, path) in ordered:
        task = {"task_id": task_id, "task_path": path, "writes": {}}
        writes = tasks.setdefault(task_id, task)["writes"]
        place = channel if channel in WRITES_IDX_MAP else len(writes)
        writes[place] = [channel, typed[0], base64.b64encode(typed[1]).decode()]
    for task in tasks.values():
        writes = task["writes"].items()
        special = sorted((w for w in writes if isinstance(w[0], str)), key=_fixed)
        task["writes"] = [w for _, w in special] + [w for p, w in writes if isinstance(p, int)]
    parent = (one.parent_config or {}).get("configurable", {}).get("checkpoint_id")
    return {
        **config,
        "parent_checkpoint_id": parent,
        "checkpoint": saver.as_put[named],
        "metadata": _dumped(memory, one.metadata),
        "tasks": list(tasks.values()),
    }


def _fixed(write: Any) -> int:
    return WRITES_IDX_MAP[write[0]]


def _dumped(memory: Any, value: Any) -> list[str]:
    type_name, data = memory.serde.dumps_typed(value)
    return [type_name, base64.b64encode(data).decode()]


def returned(saver: Any, thread_id: str) -> Any:
    """What a saver lists of a thread: namespace, id, and task and channel of each write."""
    try:
        return [
            [
                one.config["configurable"]["checkpoint_ns"],
                one.checkpoint["id"],
                [[task_id, channel] for task_id, channel, _ in one.pending_writes],
            ]
            for one in saver.list({"configurable": {"thread_id": thread_id}})
        ]
    except Exception as error:
        return type(error).__name__


def main(name: str, endpoint: str, *reached: str) -> None:
    os.environ.update(
        AWS_ENDPOINT_URL_DYNAMODB=endpoint,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
        AGENTSTATE_QUIET="1",
        LANGGRAPH_DYNAMODB_LOG_LEVEL="ERROR",
    )
    made, arguments = SAVERS[name](*reached)
    saver = beside_memory(made)(**arguments)
    if name == "amazon-dynamodb":
        saver.kept = PlainPlaces()
    some = ("chat", "parallel", "large") if "offloaded" in name else THREADS
    for thread_id in some:
        THREADS[thread_id](saver, {"configurable": {"thread_id": thread_id}})
    package = made(**arguments)
    json.dump(
        {
            "expected": lines(saver),
            "returned": {thread_id: returned(package, thread_id) for thread_id in some},
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
