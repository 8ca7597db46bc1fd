"""The floor: the least that storing and loading the same bytes with boto3 takes.

No guarantee is kept that would cost a request: writes of a task are stored in batches and not
together, nothing is repeated, keys are not checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import WRITES_IDX_MAP, BaseCheckpointSaver, CheckpointTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.runnables import RunnableConfig

TABLE = "raw"
_PIECE = 380_000
"""Bytes of a value that an item takes, beside a little metadata."""
_BATCH = 25


class RawSaver(BaseCheckpointSaver[int]):
    """Keeps checkpoints in one table with the keys `PK` and `SK`."""

    def __init__(self, client: Any) -> None:
        super().__init__()
        self._client = client

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Any,
        metadata: Any,
        new_versions: Any,  # noqa: ARG002 - LangGraph's signature
    ) -> RunnableConfig:
        """Store a checkpoint: one item, and pieces beside it where it is larger than an item."""
        thread_id, namespace = _place(config)
        tag, data = self.serde.dumps_typed(checkpoint)
        pieces = [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)]
        beside = f"{thread_id}/{namespace}/{checkpoint['id']}"
        self._write(
            [
                {"PutRequest": {"Item": {**_key(beside, f"piece/{n:04}"), "value": {"B": one}}}}
                for n, one in enumerate(pieces[1:])
            ]
        )
        item = {
            **_key(thread_id, f"{namespace}/{checkpoint['id']}"),
            "type": {"S": tag},
            "checkpoint": {"B": pieces[0]},
            "metadata": {"B": self.serde.dumps_typed(metadata)[1]},
            "parent": {"S": config["configurable"].get("checkpoint_id") or "-"},
        }
        self._client.put_item(TableName=TABLE, Item=item)
        return _config(thread_id, namespace, checkpoint["id"])

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",  # noqa: ARG002 - LangGraph's signature
    ) -> None:
        """Store a task's writes, 25 at a time."""
        thread_id, namespace = _place(config)
        beside = f"{thread_id}/{namespace}/{config['configurable']['checkpoint_id']}"
        requests = []
        for position, (channel, value) in enumerate(writes):
            tag, data = self.serde.dumps_typed(value)
            idx = WRITES_IDX_MAP.get(channel, position)
            item = {
                **_key(beside, f"write/{task_id}/{idx + 1_000:06}"),
                "channel": {"S": channel},
                "type": {"S": tag},
                "value": {"B": data},
            }
            requests.append({"PutRequest": {"Item": item}})
        self._write(requests)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read a checkpoint, then what is beside it."""
        thread_id, namespace = _place(config)
        checkpoint_id = config["configurable"].get("checkpoint_id", "")
        items = self._query(thread_id, f"{namespace}/{checkpoint_id}", limit=1)
        return next((self._load(thread_id, item) for item in items), None)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002, ARG002 - LangGraph's name for it
        before: RunnableConfig | None = None,  # noqa: ARG002 - LangGraph's signature
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Read the checkpoints of a namespace, newest first, each with what is beside it."""
        assert config is not None  # noqa: S101 - no workload lists all threads
        thread_id, namespace = _place(config)
        for item in self._query(thread_id, f"{namespace}/", limit=limit):
            yield self._load(thread_id, item)

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything of a thread, 25 items at a time."""
        checkpoints = list(self._query(thread_id, ""))
        doomed = [(thread_id, item["SK"]["S"]) for item in checkpoints]
        for item in checkpoints:
            beside = f"{thread_id}/{item['SK']['S']}"
            doomed += [(beside, found["SK"]["S"]) for found in self._query(beside, "")]
        self._write([{"DeleteRequest": {"Key": _key(*key)}} for key in doomed])

    def _load(self, thread_id: str, item: Any) -> CheckpointTuple:
        namespace, _, checkpoint_id = item["SK"]["S"].rpartition("/")
        data = item["checkpoint"]["B"]
        writes = []
        # Pieces and writes are read forwards, which the names of both say.
        for found in self._query(f"{thread_id}/{item['SK']['S']}", "", forward=True):
            kind, *rest = found["SK"]["S"].split("/")
            if kind == "piece":
                data += found["value"]["B"]
            else:
                value = self.serde.loads_typed((found["type"]["S"], found["value"]["B"]))
                writes.append((rest[0], found["channel"]["S"], value))
        tag, parent = item["type"]["S"], item["parent"]["S"]
        return CheckpointTuple(
            config=_config(thread_id, namespace, checkpoint_id),
            checkpoint=self.serde.loads_typed((tag, data)),
            metadata=self.serde.loads_typed((tag, item["metadata"]["B"])),
            parent_config=None if parent == "-" else _config(thread_id, namespace, parent),
            pending_writes=writes,
        )

    def _query(
        self, partition: str, prefix: str, *, forward: bool = False, limit: int | None = None
    ) -> Iterator[Any]:
        values = {":p": {"S": partition}}
        condition = "PK = :p"
        if prefix:
            values[":s"] = {"S": prefix}
            condition += " AND begins_with(SK, :s)"
        arguments: dict[str, Any] = {
            "TableName": TABLE,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": forward,
            "ConsistentRead": True,
        }
        if limit is not None:
            arguments["Limit"] = limit
        while True:
            page = self._client.query(**arguments)
            yield from page["Items"]
            if limit is not None or "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write(self, requests: Sequence[Any]) -> None:
        for at in range(0, len(requests), _BATCH):
            self._client.batch_write_item(RequestItems={TABLE: requests[at : at + _BATCH]})


def _place(config: RunnableConfig) -> tuple[str, str]:
    configurable = config["configurable"]
    return configurable["thread_id"], configurable.get("checkpoint_ns", "")


def _key(partition: str, sort: str) -> dict[str, Any]:
    return {"PK": {"S": partition}, "SK": {"S": sort}}


def _config(thread_id: str, namespace: str, checkpoint_id: str) -> RunnableConfig:
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": namespace,
            "checkpoint_id": checkpoint_id,
        }
    }
