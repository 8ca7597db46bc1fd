"""boto3 sessions that hold their clients to an IAM policy, or meter what they ask for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.exceptions import ClientError
from botocore.loaders import create_loader

if TYPE_CHECKING:
    from collections.abc import Collection

_READS = {"GetItem", "Query", "Scan"}
_OBJECT_ACTIONS = {
    "GetObject": ["GetObject"],
    "PutObject": ["PutObject"],
    "CopyObject": ["GetObject", "PutObject"],
    "DeleteObjects": ["DeleteObject"],
}


_loader = create_loader()


def new_session() -> boto3.Session:
    """A session of its own that shares the SDK's service models with the others.

    Reading them takes most of the time that making a client takes.
    """
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader)
    return boto3.Session(botocore_session=session)


def restricted_session(actions: Collection[str]) -> boto3.Session:
    """A session whose clients are refused everything but these IAM actions, as IAM would."""
    session = new_session()

    def authorize(params: dict[str, Any], model: Any, **_: object) -> None:
        for action in _required_actions(model.name, params):
            if action not in actions:
                message = f"not authorized to perform: {action}"
                raise ClientError(
                    {"Error": {"Code": "AccessDeniedException", "Message": message}}, model.name
                )

    for service in ("dynamodb", "s3"):
        session.events.register(f"before-parameter-build.{service}", authorize)
    return session


@dataclass
class Meter:
    """What clients have asked for.

    Attributes:
        requests: Number of requests, by API action.
        read_units: Consumed read capacity units.
        write_units: Consumed write capacity units.
    """

    requests: Counter[str] = field(default_factory=Counter)
    read_units: float = 0
    write_units: float = 0

    @property
    def total(self) -> int:
        """Number of requests of all actions."""
        return self.requests.total()

    def reset(self) -> None:
        """Start again from zero."""
        self.requests.clear()
        self.read_units = self.write_units = 0


def metered_session() -> tuple[boto3.Session, Meter]:
    """A session whose clients' requests and consumed capacity are counted."""
    session = new_session()
    meter = Meter()

    def ask_for_capacity(params: dict[str, Any], model: Any, **_: object) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def count(model: Any, parsed: dict[str, Any], **_: object) -> None:
        meter.requests[model.name] += 1
        consumed = parsed.get("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        units = sum(table["CapacityUnits"] for table in tables)
        if model.name in _READS:
            meter.read_units += units
        else:
            meter.write_units += units

    session.events.register("before-parameter-build.dynamodb", ask_for_capacity)
    for service in ("dynamodb", "s3"):
        session.events.register(f"after-call.{service}", count)
    return session, meter


def _required_actions(operation: str, params: dict[str, Any]) -> list[str]:
    """The IAM actions an API action is checked against."""
    if operation in _OBJECT_ACTIONS:
        return [f"s3:{action}" for action in _OBJECT_ACTIONS[operation]]
    if operation != "TransactWriteItems":
        return [f"dynamodb:{operation}"]
    kinds = {"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem"}
    return [
        f"dynamodb:{kinds.get(kind, 'ConditionCheckItem')}"
        for element in params["TransactItems"]
        for kind in element
    ]
