"""A read-only browser of threads, their history and their state, for the terminal.

Needs the extra `[cli]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.explore.app import Explorer

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver

__all__ = ["Explorer", "explore"]


def explore(saver: DynamoDBSaver, *, owner: str | None = None) -> None:
    """Browse the tables of a saver until the user quits.

    Nothing is ever written. The saver needs the rights of the `read` policy, and `dynamodb:Scan`
    to list all threads: of the table, or of the thread index.

    Args:
        saver: The saver. It is not closed.
        owner: Only threads of this owner; `None` for all. Needs a saver with a `thread_index`.
    """
    Explorer(saver, owner=owner).run()
