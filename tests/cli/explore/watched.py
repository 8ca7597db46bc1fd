"""Read-only savers whose requests are recorded and can be held."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from langgraph_checkpoint_dynamodb.policies import READ_ACTIONS
from tests.support.iam import asks
from tests.support.sessions import new_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.support.tables import Tables

ALLOWED = READ_ACTIONS | {"dynamodb:Scan"}


@dataclass
class Watch:
    """Records requests.

    Attributes:
        asked: Number of requests, by API action.
        refused: Actions that were requested and are not reads.
        held: The requests that wait for `release`.
        release: Releases the held requests.
        waiting: Set when a request waits.
    """

    asked: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    held: Callable[[dict[str, Any]], bool] = lambda _: False
    release: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)

    def since(self) -> Counter[str]:
        """The requests since the previous call of this method."""
        asked, self.asked = self.asked, Counter()
        return asked

    def __call__(self, params: dict[str, Any], model: Any, **_: object) -> None:
        for ask in asks(model.name, params):
            if ask.action not in ALLOWED:
                self.refused.append(ask.action)
                raise ClientError({"Error": {"Code": "AccessDeniedException"}}, model.name)
        self.asked[model.name] += 1
        if self.held(params):
            self.waiting.set()
            self.release.wait()


def reader(tables: Tables, **settings: Any) -> tuple[DynamoDBSaver, Watch]:
    """A saver whose client rejects everything but reads."""
    watch = Watch()
    session = new_session()
    session.events.register("before-parameter-build.dynamodb", watch)
    made = tables.boto_saver(session=session, endpoint_url=tables.engine.url, **settings)
    return made, watch
