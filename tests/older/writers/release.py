"""Makes calls with the release of this package that Python finds, and prints the results as JSON.

    python release.py ENDPOINT CHECKPOINTS WRITES TIME CALLS [COMPRESSION]

TIME is the time of the saver's clock. CALLS is a JSON list, each call a method name and arguments.
Values of more than a few bytes are stored in chunks.
"""

import json
import sys
from dataclasses import replace
from typing import Any

from langgraph_checkpoint_dynamodb import DynamoDBSaver

INLINE_LIMIT, CHUNK_BYTES = 700, 500


def answer(saver: Any, method: str, arguments: list[Any]) -> Any:
    try:
        found = getattr(saver, method)(*arguments)
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}
    if method == "get_tuple" and found is not None:
        return found.pending_writes
    return repr(found)


def main(
    endpoint: str,
    checkpoints: str,
    writes: str,
    time: str,
    calls: str,
    compression: Any = None,
) -> None:
    with DynamoDBSaver(
        checkpoints_table_name=checkpoints,
        writes_table_name=writes,
        client_config={
            "endpoint": endpoint,
            "region": "us-east-1",
            "accessKeyId": "test",
            "secretAccessKey": "test",
        },
        clock=lambda: float(time),
        compression=compression,
    ) as saver:
        payloads = saver._settings.payloads
        payloads = replace(payloads, inline_limit=INLINE_LIMIT, chunk_bytes=CHUNK_BYTES)
        saver._settings = replace(saver._settings, payloads=payloads)
        json.dump([answer(saver, *call) for call in json.loads(calls)], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
