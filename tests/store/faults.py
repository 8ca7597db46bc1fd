"""Faults of the service that stores and caches meet, beside those of `tests.support.faults`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.config import Config

from tests.support.faults import SDK_ATTEMPTS
from tests.support.sessions import on, saver_session

if TYPE_CHECKING:
    from tests.support.faults import Fault

DYNAMODB: dict[str, dict[str, int]] = {
    "dynamodb": {
        "ProvisionedThroughputExceededException": 400,
        "ThrottlingException": 400,
        "InternalServerError": 500,
        "ServiceUnavailable": 503,
        "broken": 0,
    }
}


def faulty_settings(*faults: Fault) -> dict[str, Any]:
    """Settings of a store or cache whose requests meet these faults."""
    session = saver_session()
    for fault in faults:
        fault.install(session)
    config = Config(retries={"mode": "standard", "total_max_attempts": SDK_ATTEMPTS})
    return {"session": session, "boto_config": config}


class LessThanAsked:
    """Batches of keys of which one is answered at a time."""

    def __init__(self, *, progress: bool = True) -> None:
        self.requests = 0
        self._progress = progress

    def install(self, session: Any) -> None:
        on(session, "provide-client-params.dynamodb.BatchGetItem", self._ask_less)
        on(session, "after-call.dynamodb.BatchGetItem", self._hand_back)

    def _ask_less(
        self, params: dict[str, Any], context: dict[str, Any], **_: object
    ) -> dict[str, Any]:
        self.requests += 1
        ((name, wanted),) = params["RequestItems"].items()
        context["left"] = (name, wanted["Keys"][1:] if self._progress else wanted["Keys"])
        return {**params, "RequestItems": {name: {**wanted, "Keys": wanted["Keys"][:1]}}}

    def _hand_back(self, parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        name, left = context["left"]
        if left:
            parsed["UnprocessedKeys"] = {name: {"Keys": left}}
        if not self._progress:
            parsed["Responses"] = {name: []}
