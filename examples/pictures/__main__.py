"""Draw all pictures into this folder."""

from __future__ import annotations

import asyncio
import os
import sys

from examples.engine import CHECKPOINTS_TABLE, ENDPOINT, WRITES_TABLE, isolate, running_engine
from examples.pictures.draw import PICTURES, draw
from examples.pictures.story import OWNER, Clock
from examples.pictures.table import fill
from langgraph_checkpoint_dynamodb import DynamoDBSaver, ThreadIndex


def main() -> int:
    """Fill a table and draw.

    Returns:
        Exit code: 0.
    """
    isolate()
    clock = Clock()
    with (
        running_engine(),
        DynamoDBSaver(
            checkpoints_table_name=CHECKPOINTS_TABLE,
            writes_table_name=WRITES_TABLE,
            endpoint_url=os.environ[ENDPOINT],
            region_name="us-east-1",
            thread_index=ThreadIndex(owner=OWNER),
            clock=clock,
        ) as saver,
    ):
        saver.setup()
        fill(saver, clock)
        for picture in PICTURES:
            picture.path.write_text(asyncio.run(draw(saver, picture)), encoding="utf-8")
            print(picture.path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
