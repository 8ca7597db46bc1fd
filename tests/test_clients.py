"""Where `DynamoDBSaver` has its client from, how it is set up, and how long it lives."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import os
import re
import threading
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.config import Config
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import langgraph_checkpoint_dynamodb as package
from langgraph_checkpoint_dynamodb import (
    DynamoDBSaver,
    DynamoDBSaverError,
    InvalidInputError,
    InvalidInputTypeError,
    SaverClosedError,
    errors,
)
from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
from tests.support.interpreters import run_program
from tests.support.values import checkpoint, config, metadata, put_chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.support.buckets import Bucket
    from tests.support.calls import Calls, LoopThread
    from tests.support.tables import Tables

NAMES: dict[str, Any] = {"checkpoints_table_name": "checkpoints", "writes_table_name": "writes"}
UNROUTABLE = "http://192.0.2.1:9"
"""Of a network that is for documentation only (RFC 5737)."""


def effective(saver: DynamoDBSaver, monkeypatch: pytest.MonkeyPatch) -> DynamoDBClient:
    """The client that a saver makes at its first call; it never sends anything."""
    made = made_by(lambda: saver.get_tuple(config("thread")), monkeypatch)
    assert made.keys() == {"dynamodb"}
    return cast("DynamoDBClient", made["dynamodb"])


def made_by(call: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The clients that are made during a call, by service; they never send anything."""
    made: list[Any] = []
    original = boto3.Session.client

    def client(self: boto3.Session, *args: Any, **kwargs: Any) -> Any:
        new = original(self, *args, **kwargs)
        new.meta.events.register("before-call", lambda **_: (_Answer(), {"Items": [], "ETag": "e"}))
        made.append(new)
        return new

    with monkeypatch.context() as patch:
        patch.setattr(boto3.Session, "client", client)
        call()
    by_service = {each.meta.service_model.service_name: each for each in made}
    assert len(by_service) == len(made)
    return by_service


class _Answer:
    """What botocore looks at in a reply."""

    status_code = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - empty, and only read


def field(client: DynamoDBClient, name: str) -> Any:
    """A setting in effect, of those that botocore's stubs do not show."""
    return getattr(client.meta.config, name)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's reaches the clients made here."""
    for name in ("AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)


# --- ways to pass a client ---


def test_a_client_that_is_passed_in_is_used_and_still_open_after_close(tables: Tables) -> None:
    with tables.boto_saver(client=tables.client) as saver:
        saver.setup()
        saver.put(config("thread"), checkpoint(), metadata(), {})
    assert len(tables.checkpoint_items()) == 1
    with tables.boto_saver(client=tables.client) as another:
        assert another.get_tuple(config("thread")) is not None


def test_a_client_that_is_passed_in_is_never_closed(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    # A closed botocore client connects anew when it is used, so only the call itself tells.
    monkeypatch.setattr(tables.client, "close", lambda: closed.append("closed"))
    with tables.boto_saver(client=tables.client) as saver:
        saver.setup()
    saver.close()
    del saver
    gc.collect()
    assert closed == []


def test_a_session_makes_the_client(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session(
        aws_access_key_id="of-the-session",
        aws_secret_access_key="s",  # noqa: S106 - not a secret
        region_name="eu-central-1",
    )
    with closing(DynamoDBSaver(**NAMES, session=session)) as saver:
        client = effective(saver, monkeypatch)
    assert client.meta.region_name == "eu-central-1"
    assert client.meta.endpoint_url == "https://dynamodb.eu-central-1.amazonaws.com"
    assert signed_by(client) == "of-the-session"
    with closing(DynamoDBSaver(**NAMES, session=session, region_name="eu-west-1")) as saver:
        assert effective(saver, monkeypatch).meta.region_name == "eu-west-1"
    with tables.boto_saver(session=session, endpoint_url=tables.engine.url) as saver:
        saver.setup()
        assert saver.get_tuple(config("thread")) is None


def signed_by(client: DynamoDBClient) -> str:
    """The access key that the client signs with."""
    return str(cast("Any", client)._request_signer._credentials.access_key)


def test_region_name_reaches_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DynamoDBSaver(**NAMES, region_name="ap-south-1")) as saver:
        assert effective(saver, monkeypatch).meta.region_name == "ap-south-1"


def test_endpoint_url_reaches_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DynamoDBSaver(**NAMES, endpoint_url="http://localhost:1234")) as saver:
        assert effective(saver, monkeypatch).meta.endpoint_url == "http://localhost:1234"


def test_client_config_takes_the_names_of_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = {
        "region_name": "eu-north-1",
        "endpoint_url": "http://localhost:1234",
        "aws_access_key_id": "by-boto3-name",
        "aws_secret_access_key": "s",
        "aws_session_token": "t",
        "use_ssl": False,
        "verify": False,
        "api_version": "2012-08-10",
        "config": Config(read_timeout=7),
    }
    with closing(DynamoDBSaver(**NAMES, client_config=passed)) as saver:
        client = effective(saver, monkeypatch)
    assert client.meta.region_name == "eu-north-1"
    assert client.meta.endpoint_url == "http://localhost:1234"
    assert signed_by(client) == "by-boto3-name"
    assert field(client, "read_timeout") == 7
    assert field(client, "connect_timeout") == 5


CREDENTIALS = {
    "accessKeyId": "by-javascript-name",
    "secretAccessKey": "s",
    "sessionToken": "t",
}


@pytest.mark.parametrize("credentials", [CREDENTIALS, {"credentials": CREDENTIALS}])
def test_client_config_takes_the_names_of_the_javascript_port(
    monkeypatch: pytest.MonkeyPatch, credentials: dict[str, Any]
) -> None:
    passed = {"region": "eu-north-1", "endpoint": "http://localhost:1234", **credentials}
    with closing(DynamoDBSaver(**NAMES, client_config=passed)) as saver:
        client = effective(saver, monkeypatch)
    assert client.meta.region_name == "eu-north-1"
    assert client.meta.endpoint_url == "http://localhost:1234"
    assert signed_by(client) == "by-javascript-name"
    assert cast("Any", client)._request_signer._credentials.token == "t"  # noqa: S105 - not a secret


def test_an_empty_client_config_means_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DynamoDBSaver(**NAMES, client_config={})) as saver:
        assert effective(saver, monkeypatch).meta.region_name == "us-east-1"


def test_what_is_done_to_client_config_later_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed = {"region_name": "eu-north-1"}
    with closing(DynamoDBSaver(**NAMES, client_config=passed)) as saver:
        passed["region_name"] = "eu-south-1"
        assert effective(saver, monkeypatch).meta.region_name == "eu-north-1"


SECRETS: dict[str, dict[str, Any]] = {
    "credentials": {"credentials": {"accessKeyId": "s3cr3t-id", "secretAccessKey": "s3cr3t"}},
    "access": {"accessKeyId": "s3cr3t-id", "secretAccessKey": "s3cr3t", "sessionToken": "s3cr3t"},
    "boto3": {"aws_access_key_id": "s3cr3t-id", "aws_secret_access_key": "s3cr3t"},
    "endpoint": {"region": "eu-north-1", "endpoint": "http://user:s3cr3t@localhost:8000"},
}


@pytest.mark.parametrize("passed", SECRETS.values(), ids=SECRETS)
def test_settings_show_the_names_of_what_a_client_is_made_from_and_no_secret(
    passed: dict[str, Any],
) -> None:
    with closing(DynamoDBSaver(**NAMES, client_config=passed)) as saver:
        shown = repr(saver._settings)
        assert repr(saver._settings.client) in shown
        assert str(saver._settings.client) in f"{saver._settings}"
    assert "s3cr3t" not in shown
    assert "ClientSettings(client_config=...)" in shown
    assert all(name in shown for name in NAMES.values())


def test_settings_show_no_session_client_or_endpoint() -> None:
    secret: Any = type("Secret", (), {"__repr__": lambda _: "s3cr3t"})()
    settings = ClientSettings(session=secret, endpoint_url="http://u:s3cr3t@h", s3_client=secret)
    assert repr(settings) == "ClientSettings(session=..., endpoint_url=..., s3_client=...)"
    assert repr(ClientSettings(client=secret)) == "ClientSettings(client=...)"


def test_an_unknown_name_in_client_config_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match="unknown name 'regoin'") as caught:
        DynamoDBSaver(**NAMES, client_config={"regoin": "eu-north-1"})
    assert caught.value.field == "client_config"
    for name in ("region_name", "region", "accessKeyId", "endpoint_url", "config", "verify"):
        assert name in str(caught.value).split("known are: ")[1].split(", ")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("region", "region_name"),
        ("aws_access_key_id", "accessKeyId"),
        ("secretAccessKey", "aws_secret_access_key"),
        ("sessionToken", "aws_session_token"),
        ("endpoint_url", "endpoint"),
    ],
)
def test_a_client_config_with_both_names_of_one_setting_is_refused(first: str, second: str) -> None:
    with pytest.raises(InvalidInputError, match="given by both of its names") as caught:
        DynamoDBSaver(**NAMES, client_config={first: "a", second: "b"})
    assert caught.value.field == "client_config"


def test_credentials_by_both_of_their_names_are_refused() -> None:
    passed = {"accessKeyId": "a", "credentials": CREDENTIALS}
    with pytest.raises(InvalidInputError, match="aws_access_key_id is given by both of its names"):
        DynamoDBSaver(**NAMES, client_config=passed)


def test_an_unknown_name_in_credentials_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInputError) as caught:
        DynamoDBSaver(**NAMES, client_config={"credentials": {**CREDENTIALS, "expiration": "s3c"}})
    assert caught.value.field == "client_config"
    assert "unknown names in credentials: 'expiration'" in str(caught.value)
    assert "known are: accessKeyId, secretAccessKey, sessionToken" in str(caught.value)
    assert "s3c'" not in str(caught.value)


@pytest.mark.parametrize("bad", ["a", None, ["accessKeyId"]])
def test_credentials_that_are_no_mapping_are_refused(bad: Any) -> None:
    with pytest.raises(InvalidInputTypeError, match="credentials must be a mapping"):
        DynamoDBSaver(**NAMES, client_config={"credentials": bad})


@pytest.mark.parametrize("bad", ["eu-north-1", ["region"], 7])
def test_a_client_config_that_is_no_mapping_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidInputTypeError, match="client_config: must be a mapping"):
        DynamoDBSaver(**NAMES, client_config=bad)


WAYS: dict[str, Any] = {
    "session": boto3.Session(),
    "region_name": "us-east-1",
    "endpoint_url": UNROUTABLE,
    "boto_config": Config(),
}


@pytest.mark.parametrize("other", [*WAYS, "client_config"])
def test_a_client_with_another_way_is_refused(other: str) -> None:
    value = WAYS.get(other, {"region": "us-east-1"})
    with pytest.raises(InvalidInputError, match="pass one of") as caught:
        DynamoDBSaver(**NAMES, **{other: value}, client=cast("Any", object()))
    assert caught.value.field == "client"
    assert other in str(caught.value).split(";")[0]


@pytest.mark.parametrize("other", WAYS)
def test_a_client_config_with_another_way_is_refused(other: str) -> None:
    with pytest.raises(InvalidInputError, match="pass one of") as caught:
        DynamoDBSaver(**NAMES, **{other: WAYS[other]}, client_config={})
    assert other in str(caught.value).split(";")[0]


# --- the client for S3 ---

S3_ENDPOINT = "http://localhost:4566"


def made_for_s3(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> tuple[Any, Any]:
    """The clients for DynamoDB and for S3 that a saver makes to store a value in S3."""
    offload: Any = {"bucket_name": "bucket", "threshold_bytes": 0, **settings.pop("offload", {})}
    with closing(DynamoDBSaver(**NAMES, **settings, s3_offload_config=offload)) as saver:
        made = made_by(
            lambda: saver.put(config("thread"), checkpoint(), metadata(), {}), monkeypatch
        )
    return made.get("dynamodb"), made["s3"]


@pytest.mark.parametrize("way", ["session", "client_config"])
def test_the_client_for_s3_has_the_credentials_region_and_settings_of_the_other(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    credentials: Any = {"aws_access_key_id": "of-both", "aws_secret_access_key": "s"}
    named: dict[str, Any] = {"region_name": "eu-central-1", "endpoint_url": UNROUTABLE}
    tuned = Config(read_timeout=2, s3={"addressing_style": "path"})
    made: dict[str, Any] = {
        "session": {"session": boto3.Session(**credentials), **named, "boto_config": tuned},
        "client_config": {
            "client_config": {**credentials, **named, "config": tuned, "api_version": "2012-08-10"}
        },
    }[way]
    for client in (clients := made_for_s3(monkeypatch, **made)):
        assert client.meta.region_name == "eu-central-1"
        assert signed_by(client) == "of-both"
        assert field(client, "read_timeout") == 2
        assert field(client, "connect_timeout") == 5
        assert field(client, "retries") == {"mode": "standard", "total_max_attempts": 10}
        assert field(client, "max_pool_connections") == 32
        assert field(client, "user_agent_extra") == "lib/langgraph-checkpoint-dynamodb"
    dynamodb, s3 = clients
    assert dynamodb.meta.endpoint_url == UNROUTABLE
    # What runs on a local engine must not end up in a bucket of AWS.
    assert s3.meta.endpoint_url == UNROUTABLE
    assert field(s3, "s3")["addressing_style"] == "path"


def test_the_client_for_s3_has_an_endpoint_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb, s3 = made_for_s3(monkeypatch, offload={"endpoint_url": S3_ENDPOINT})
    assert s3.meta.endpoint_url == S3_ENDPOINT
    assert dynamodb.meta.endpoint_url != S3_ENDPOINT


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://dynamodb.eu-central-1.amazonaws.com",
        "https://vpce-0a1b2c3d4e.dynamodb.eu-central-1.vpce.amazonaws.com",
    ],
)
def test_an_endpoint_of_dynamodb_within_aws_is_not_that_of_s3(
    monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    dynamodb, s3 = made_for_s3(
        monkeypatch, endpoint_url=endpoint, region_name="eu-central-1", session=boto3.Session()
    )
    assert dynamodb.meta.endpoint_url == endpoint
    assert s3.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"


def test_an_endpoint_of_s3_in_the_environment_wins_over_that_of_dynamodb(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", S3_ENDPOINT)
    _, s3 = made_for_s3(monkeypatch, endpoint_url=UNROUTABLE, session=boto3.Session())
    assert s3.meta.endpoint_url == S3_ENDPOINT


def test_beside_a_client_of_a_local_engine_that_of_s3_is_there_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = boto3.client("dynamodb", region_name="ap-south-1", endpoint_url=UNROUTABLE)
    given.meta.events.register("before-call", cast("Any", lambda **_: (_Answer(), {})))
    _, s3 = made_for_s3(monkeypatch, client=given)
    assert s3.meta.endpoint_url == UNROUTABLE
    given.close()


def test_beside_a_client_that_is_passed_in_one_for_s3_is_made_in_its_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = boto3.client("dynamodb", region_name="ap-south-1")
    given.meta.events.register("before-call", cast("Any", lambda **_: (_Answer(), {})))
    dynamodb, s3 = made_for_s3(monkeypatch, client=given)
    assert dynamodb is None
    assert s3.meta.region_name == "ap-south-1"
    given.close()


def test_a_client_for_s3_that_is_passed_in_is_used_and_never_closed(
    tables: Tables, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    elsewhere: Any = {**bucket.config(), "endpoint_url": UNROUTABLE}
    with monkeypatch.context() as patch:
        patch.setattr(bucket.client, "close", lambda: closed.append("closed"))
        with tables.boto_saver(s3_offload_config=elsewhere, s3_client=bucket.client) as saver:
            saver.setup()
            stored = saver.put(config("thread"), checkpoint(a=1), metadata(), {})
            assert saver.get_tuple(stored) is not None
    assert len(bucket.objects()) == 2
    assert closed == []


def test_each_service_has_one_client_made_at_its_first_use_and_closed_with_the_saver(
    tables: Tables, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    closed: list[str] = []
    original = boto3.Session.client

    def client(self: boto3.Session, service: str, **kwargs: Any) -> Any:
        new: Any = cast("Any", original)(self, service, **kwargs)
        close = new.close

        def note() -> None:
            closed.append(service)
            close()

        new.close = note
        made.append(service)
        return new

    tables.set_up()
    monkeypatch.setattr(boto3.Session, "client", client)
    saver = tables.boto_saver(s3_offload_config=bucket.config(threshold_bytes=1000))
    saver.put(config("thread"), checkpoint(a=1), metadata(), {})
    assert saver.get_tuple(config("thread")) is not None
    assert made == ["dynamodb"]
    together = threading.Barrier(4, timeout=20)

    def put_a_large_one() -> None:
        together.wait()
        saver.put(config("thread"), checkpoint(a=bytes(2000)), metadata(), {})

    run_all([put_a_large_one] * 4)
    assert made == ["dynamodb", "s3"]
    assert closed == []
    saver.close()
    saver.close()
    assert sorted(closed) == sorted(made)


# --- settings of a client made here ---


def test_a_client_made_here_is_set_up_for_a_checkpointer(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DynamoDBSaver(**NAMES)) as saver:
        client = effective(saver, monkeypatch)
    assert field(client, "retries") == {"mode": "standard", "total_max_attempts": 10}
    assert field(client, "tcp_keepalive") is True
    assert field(client, "max_pool_connections") == 32
    assert field(client, "connect_timeout") == 5
    assert field(client, "read_timeout") == 15
    assert field(client, "user_agent_extra") == "lib/langgraph-checkpoint-dynamodb"


OVERRIDES: dict[str, Any] = {
    "retries": {"mode": "adaptive", "total_max_attempts": 3},
    "connect_timeout": 1,
    "read_timeout": 2,
    "tcp_keepalive": False,
    "max_pool_connections": 3,
    "user_agent_extra": "mine",
    "proxies": {"https": "http://localhost:3128"},
}


@pytest.mark.sample(3)
@pytest.mark.parametrize("way", ["boto_config", "client_config"])
@pytest.mark.parametrize("name", OVERRIDES)
def test_every_field_given_wins_and_the_other_defaults_stay(
    monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    given = Config(**{name: OVERRIDES[name]})
    passed: dict[str, Any] = (
        {"boto_config": given} if way == "boto_config" else {"client_config": {"config": given}}
    )
    with closing(DynamoDBSaver(**NAMES)) as saver:
        default = effective(saver, monkeypatch)
    with closing(DynamoDBSaver(**NAMES, **passed)) as saver:
        client = effective(saver, monkeypatch)
    assert field(client, name) == OVERRIDES[name]
    for other in OVERRIDES.keys() - {name}:
        assert field(client, other) == field(default, other)


def test_a_config_of_the_session_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session()
    session_wide = Config(**cast("Any", {"user_agent_appid": "app-1"}))  # unknown to the stubs
    cast("Any", session)._session.set_default_client_config(session_wide)
    with closing(DynamoDBSaver(**NAMES, session=session)) as saver:
        assert field(effective(saver, monkeypatch), "user_agent_appid") == "app-1"


def test_one_config_may_be_shared_by_several_savers(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Config(read_timeout=2)
    before = dict(vars(shared))
    for size in (3, 4):
        with closing(DynamoDBSaver(**NAMES, boto_config=shared, max_concurrency=size)) as saver:
            client = effective(saver, monkeypatch)
        assert field(client, "max_pool_connections") == size
        assert field(client, "read_timeout") == 2
    assert vars(shared) == before


def test_the_pool_has_a_connection_for_every_request_in_flight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(DynamoDBSaver(**NAMES, max_concurrency=50)) as saver:
        assert field(effective(saver, monkeypatch), "max_pool_connections") == 50


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("AWS_RETRY_MODE", "adaptive", ("mode", "adaptive")),
        ("AWS_MAX_ATTEMPTS", "4", ("total_max_attempts", 4)),
    ],
)
def test_retry_settings_of_the_environment_are_respected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, seen: tuple[str, object]
) -> None:
    monkeypatch.setenv(name, value)
    with closing(DynamoDBSaver(**NAMES)) as saver:
        retries = field(effective(saver, monkeypatch), "retries")
    setting, expected = seen
    assert retries[setting] == expected
    assert retries.get("total_max_attempts") != 10


# --- laziness ---

CHILD = """
import socket, sys

def refuse(*arguments, **named):
    raise AssertionError("a socket was opened")

socket.socket.connect = refuse
socket.create_connection = refuse
socket.getaddrinfo = refuse

import boto3

made = []
boto3.Session.client = lambda self, *a, **k: made.append((a, k))
boto3.Session.resource = lambda self, *a, **k: made.append((a, k))

import langgraph_checkpoint_dynamodb as package

saver = package.DynamoDBSaver(
    checkpoints_table_name="checkpoints",
    writes_table_name="writes",
    endpoint_url="http://192.0.2.1:9",
)
saver.get_next_version(None, None)
saver.close()
import threading
assert threading.active_count() == 1, threading.enumerate()
assert made == [], made
unwanted = [
    name
    for name in sys.modules
    if name.split(".")[0] in ("aiobotocore", "aiohttp", "moto", "pytest")
    or name.startswith(("boto3.s3", "boto3.ec2"))
]
print(",".join(sorted(unwanted)) or "none")
"""


def printed_by(program: str, **environment: str) -> str:
    """What a program prints that ends well."""
    done = run_program(program, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_making_a_saver_opens_no_socket_and_makes_no_client_nor_imports_other_ones() -> None:
    assert printed_by(CHILD) == "none"


def test_a_saver_can_be_made_where_there_is_no_region_and_no_credentials() -> None:
    program = (
        "import os\n"
        "for name in list(os.environ):\n"
        "    if name.startswith('AWS_'): del os.environ[name]\n"
        "from langgraph_checkpoint_dynamodb import DynamoDBSaver\n"
        "DynamoDBSaver(checkpoints_table_name='abc', writes_table_name='def').close()\n"
        "print('made')"
    )
    assert printed_by(program, AWS_CONFIG_FILE=os.devnull) == "made"


def test_threads_that_call_first_at_once_make_one_client(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    original = boto3.Session.client

    def client(self: boto3.Session, *args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return original(self, *args, **kwargs)

    with tables.boto_saver() as first:
        first.setup()
    monkeypatch.setattr(boto3.Session, "client", client)
    together = threading.Barrier(8, timeout=20)
    with closing(tables.boto_saver()) as saver:

        def call() -> None:
            together.wait()
            assert saver.get_tuple(config("thread")) is None

        run_all([call] * 8)
    assert made == [("dynamodb",)]


def opened(saver: DynamoDBSaver) -> None:
    saver.open()


def entered(saver: DynamoDBSaver) -> None:
    with saver:
        pass


async def aopened(saver: DynamoDBSaver) -> None:
    await saver.aopen()


async def aentered(saver: DynamoDBSaver) -> None:
    async with saver:
        pass


@pytest.mark.parametrize("act", [opened, entered, aopened, aentered])
@pytest.mark.parametrize("services", [("dynamodb",), ("dynamodb", "s3")])
def test_opening_makes_the_clients_of_the_services_that_are_called_and_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
    loop_thread: LoopThread,
    act: Callable[[DynamoDBSaver], Any],
    services: tuple[str, ...],
) -> None:
    elsewhere: Any = {"s3_offload_config": {"bucket_name": "bucket"}} if len(services) == 2 else {}
    with closing(DynamoDBSaver(**NAMES, endpoint_url=UNROUTABLE, **elsewhere)) as saver:

        def do() -> None:
            done = act(saver)
            if inspect.iscoroutine(done):
                loop_thread.run(done)

        assert tuple(made_by(do, monkeypatch)) == services


def test_an_open_saver_makes_no_other_client(
    monkeypatch: pytest.MonkeyPatch, loop_thread: LoopThread
) -> None:
    with closing(DynamoDBSaver(**NAMES)) as saver:

        def call() -> None:
            assert saver.open() is saver
            assert loop_thread.run(saver.aopen()) is saver
            assert saver.get_tuple(config("thread")) is None

        # `made_by` refuses a second one.
        assert made_by(call, monkeypatch).keys() == {"dynamodb"}


def test_opening_leaves_a_client_that_is_passed_in_as_it_is(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(tables.boto_saver(client=tables.client)) as saver:
        assert made_by(saver.open, monkeypatch) == {}


def test_a_closed_saver_is_not_opened_again(loop_thread: LoopThread) -> None:
    saver = DynamoDBSaver(**NAMES)
    saver.close()
    with pytest.raises(SaverClosedError):
        saver.open()
    with pytest.raises(SaverClosedError):
        loop_thread.run(saver.aopen())
    with pytest.raises(SaverClosedError), saver:
        pytest.fail("it was entered")


def run_all(work: list[Callable[[], None]]) -> None:
    """Run functions in a thread each and raise the first error of any."""
    failed: list[BaseException] = []

    def guarded(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


# --- closing ---


def every_call(saver: DynamoDBSaver) -> dict[str, Callable[[], object]]:
    """A call of each plain method, on a thread that need not exist."""
    address = config("thread", "", "1f000000-0000-6000-8000-000000000000")
    return {
        "setup": lambda: saver.setup(),
        "get_tuple": lambda: saver.get_tuple(config("thread")),
        "get_tuple_by_id": lambda: saver.get_tuple(address),
        "list": lambda: list(saver.list(config("thread"))),
        "list_all": lambda: list(saver.list(None)),
        "put": lambda: saver.put(config("thread"), checkpoint(), metadata(), {}),
        "put_writes": lambda: cast("Any", saver).put_writes(address, [("a", 1), ("a", 2)], "t"),
        "delete_thread": lambda: cast("Any", saver).delete_thread("thread"),
        "delete_for_runs": lambda: cast("Any", saver).delete_for_runs(["run"]),
        "copy_thread": lambda: cast("Any", saver).copy_thread("thread", "target"),
        "prune": lambda: cast("Any", saver).prune(["thread"]),
        "history": lambda: saver.get_delta_channel_history(config=address, channels=["a"]),
        "sweep_orphans": lambda: saver.sweep_orphans(),
    }


def every_async_call(saver: DynamoDBSaver) -> dict[str, Callable[[], Any]]:
    """A call of each `a*` method."""
    address = config("thread", "", "1f000000-0000-6000-8000-000000000000")

    async def listed() -> list[object]:
        return [found async for found in saver.alist(config("thread"))]

    return {
        "setup": saver.asetup,
        "get_tuple": lambda: saver.aget_tuple(config("thread")),
        "list": listed,
        "put": lambda: saver.aput(config("thread"), checkpoint(), metadata(), {}),
        "put_writes": lambda: saver.aput_writes(address, [("a", 1)], "t"),
        "delete_thread": lambda: saver.adelete_thread("thread"),
        "delete_for_runs": lambda: saver.adelete_for_runs(["run"]),
        "copy_thread": lambda: saver.acopy_thread("thread", "target"),
        "prune": lambda: saver.aprune(["thread"]),
        "history": lambda: saver.aget_delta_channel_history(config=address, channels=["a"]),
        "sweep_orphans": saver.asweep_orphans,
    }


@pytest.mark.parametrize("own", [True, False], ids=["own-client", "given-client"])
def test_every_call_after_close_says_that_the_saver_is_closed(
    tables: Tables, loop_thread: LoopThread, own: bool
) -> None:
    saver = tables.boto_saver() if own else tables.boto_saver(client=tables.client)
    saver.setup()
    saver.close()
    for name, call in every_call(saver).items():
        with pytest.raises(SaverClosedError, match="create a new one"):
            pytest.fail(f"{name} returned {call()!r}")
    for name, acall in every_async_call(saver).items():
        with pytest.raises(SaverClosedError, match="create a new one"):
            pytest.fail(f"a{name} returned {loop_thread.run(acall())!r}")


def test_a_saver_closed_before_its_first_call_is_closed(
    tables: Tables, loop_thread: LoopThread
) -> None:
    saver = tables.boto_saver()
    saver.close()
    with pytest.raises(SaverClosedError):
        saver.get_tuple(config("thread"))
    with pytest.raises(SaverClosedError):
        loop_thread.run(saver.aget_tuple(config("thread")))


def test_close_can_be_repeated_and_ends_the_threads(tables: Tables) -> None:
    saver = tables.boto_saver()
    saver.setup()
    chain = put_chain(saver_calls(saver), "thread", 5)
    assert len(list(saver.list(config("thread")))) == len(chain)
    before = saver_threads()
    for _ in range(3):
        saver.close()
    ended = before - saver_threads()
    assert ended
    assert not any(thread.is_alive() for thread in ended)


def saver_threads() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name.startswith("dynamodb-saver")}


def saver_calls(saver: DynamoDBSaver) -> Calls:
    return cast("Calls", saver)


def test_a_client_made_here_is_closed_with_the_saver(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[object] = []
    original = boto3.Session.client

    def client(self: boto3.Session, *args: Any, **kwargs: Any) -> Any:
        made = original(self, *args, **kwargs)
        close = made.close

        def note() -> None:
            closed.append(made)
            close()

        made.close = note
        return made

    monkeypatch.setattr(boto3.Session, "client", client)
    saver = tables.boto_saver()
    saver.setup()
    assert closed == []
    saver.close()
    saver.close()
    assert len(closed) == 1


def test_the_context_manager_returns_the_saver_and_closes_it(tables: Tables) -> None:
    saver = tables.boto_saver()
    with saver as entered:
        assert entered is saver
        saver.setup()
    with pytest.raises(SaverClosedError):
        saver.get_tuple(config("thread"))


def test_the_context_manager_closes_and_passes_an_error_on(tables: Tables) -> None:
    saver = tables.boto_saver()
    with pytest.raises(KeyError), saver:
        raise KeyError
    with pytest.raises(SaverClosedError):
        saver.get_tuple(config("thread"))


def test_the_async_context_manager_returns_the_saver_and_closes_it(tables: Tables) -> None:
    saver = tables.boto_saver()

    async def use() -> None:
        async with saver as entered:
            assert entered is saver
            await saver.asetup()
        with pytest.raises(SaverClosedError):
            await saver.aget_tuple(config("thread"))

    asyncio.run(use())


# --- clones ---


class TaggingSerde(JsonPlusSerializer):
    """A serializer that notes what it is asked to load."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded = 0
        self.dumped = 0

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        self.loaded += 1
        return super().loads_typed(data)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        self.dumped += 1
        return super().dumps_typed(obj)


def test_the_serializer_is_looked_up_at_every_call(saver: DynamoDBSaver) -> None:
    stored = saver.put(config("thread"), checkpoint(a=1), metadata(), {})
    assert saver.get_tuple(stored) is not None
    other = TaggingSerde()
    saver.serde = other
    assert saver.get_tuple(stored) is not None
    assert (other.loaded, other.dumped) == (2, 0)
    saver.put_writes(stored, [("a", 1), ("b", 2)], "task")
    assert (other.loaded, other.dumped) == (2, 2)


def test_a_clone_with_another_serializer_uses_that_one_alone(saver: DynamoDBSaver) -> None:
    assert saver.get_tuple(config("thread")) is None
    clone = copy.copy(saver)
    other = TaggingSerde()
    clone.serde = other
    stored = clone.put(config("thread"), checkpoint(a=1), metadata(), {})
    assert other.dumped == 2
    assert saver.get_tuple(stored) is not None
    assert other.loaded == 0
    assert clone.get_tuple(stored) is not None
    assert other.loaded == 2


def test_a_clone_shares_client_and_threads(
    tables: Tables, loop_thread: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    original = boto3.Session.client

    def client(self: boto3.Session, *args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(boto3.Session, "client", client)
    # Cloned before its first call, as LangGraph does when it compiles a graph.
    with tables.boto_saver(max_concurrency=1) as saver:
        clone = copy.copy(saver)
        clone.setup()
        before = saver_threads()
        for each in (saver, clone, saver):
            assert loop_thread.run(each.aget_tuple(config("thread"))) is None
        started = saver_threads() - before
    assert len(made) == 1
    assert len(started) <= 1


@pytest.mark.parametrize("closer", [0, 1], ids=["original", "clone"])
def test_closing_either_closes_both(tables: Tables, loop_thread: LoopThread, closer: int) -> None:
    saver = tables.boto_saver()
    saver.setup()
    both = (saver, copy.copy(saver))
    both[closer].close()
    for each in both:
        with pytest.raises(SaverClosedError):
            each.get_tuple(config("thread"))
        with pytest.raises(SaverClosedError):
            loop_thread.run(each.aget_tuple(config("thread")))


def test_a_clone_that_is_garbage_collected_closes_nothing(
    saver: DynamoDBSaver, loop_thread: LoopThread
) -> None:
    clone = copy.copy(saver)
    assert loop_thread.run(clone.aget_tuple(config("thread"))) is None
    del clone
    gc.collect()
    stored = saver.put(config("thread"), checkpoint(a=1), metadata(), {})
    assert loop_thread.run(saver.aget_tuple(stored)) is not None


def test_an_allowlist_makes_a_clone_on_the_same_tables(tables: Tables) -> None:
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)
    with tables.boto_saver(serde=strict) as saver:
        saver.setup()
        clone = saver.with_allowlist([("some", "Type")])
        assert clone is not saver
        stored = clone.put(config("thread"), checkpoint(a=1), metadata(), {})
        assert saver.get_tuple(stored) is not None


# --- settings ---

BAD_NAMES = [
    "",
    "ab",
    "a" * 256,
    "with space",
    "sl/ash",
    "\N{SNOWMAN}" * 3,
    "abc\n",
    "arn:",
    "arn: x",
]


@pytest.mark.parametrize("name", ["checkpoints_table_name", "writes_table_name", "run_id_index"])
@pytest.mark.parametrize("bad", BAD_NAMES)
def test_a_name_that_dynamodb_does_not_allow_is_refused(name: str, bad: str) -> None:
    with pytest.raises(InvalidInputError, match="no valid name") as caught:
        DynamoDBSaver(**{**NAMES, name: bad})
    assert caught.value.field == name


@pytest.mark.parametrize("name", ["checkpoints_table_name", "writes_table_name", "run_id_index"])
@pytest.mark.parametrize("bad", [7, b"checkpoints", ["checkpoints"]])
def test_a_name_that_is_no_text_is_refused(name: str, bad: Any) -> None:
    with pytest.raises(InvalidInputTypeError, match="must be a string") as caught:
        DynamoDBSaver(**{**NAMES, name: bad})
    assert caught.value.field == name


def test_table_names_are_required_by_name() -> None:
    with pytest.raises(TypeError, match="writes_table_name"):
        DynamoDBSaver(checkpoints_table_name="checkpoints")  # type: ignore[call-arg] # the error itself
    with pytest.raises(TypeError, match="positional"):
        DynamoDBSaver("checkpoints", "writes")  # type: ignore[call-arg] # the error itself


@pytest.mark.parametrize("good", ["abc", "a" * 255, "A-Z_0.9"])
def test_every_name_that_dynamodb_allows_is_accepted(good: str) -> None:
    DynamoDBSaver(**{**NAMES, "checkpoints_table_name": good, "run_id_index": good}).close()


def test_the_arn_of_a_table_is_accepted_and_sent() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/checkpoints"
    asked: list[object] = []

    def answer(params: Any, **_: object) -> tuple[_Answer, dict[str, Any]]:
        asked.append(params["body"])
        return _Answer(), {"Items": []}

    client = boto3.client("dynamodb", region_name="eu-west-1")
    client.meta.events.register("before-call", cast("Any", answer))
    with DynamoDBSaver(
        checkpoints_table_name=arn, writes_table_name=f"{arn}-writes", client=client
    ) as saver:
        assert saver.get_tuple(config("thread")) is None
    client.close()
    assert len(asked) == 1
    assert arn in str(asked[0])


def test_one_table_for_both_roles_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="must differ") as caught:
        DynamoDBSaver(checkpoints_table_name="same", writes_table_name="same")
    assert caught.value.field == "writes_table_name"


@pytest.mark.parametrize("bad", [0, -1, -32])
def test_a_concurrency_below_one_is_refused(bad: int) -> None:
    with pytest.raises(InvalidInputError, match="at least 1") as caught:
        DynamoDBSaver(**NAMES, max_concurrency=bad)
    assert caught.value.field == "max_concurrency"


@pytest.mark.parametrize("bad", ["8", 8.0, True, [8]])
def test_a_concurrency_that_is_no_whole_number_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidInputTypeError, match="must be an int") as caught:
        DynamoDBSaver(**NAMES, max_concurrency=bad)
    assert caught.value.field == "max_concurrency"


@pytest.mark.parametrize("bad", ["yes", 1, 0, None])
def test_consistent_reads_that_is_no_bool_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidInputTypeError, match="must be a bool") as caught:
        DynamoDBSaver(**NAMES, consistent_reads=bad)
    assert caught.value.field == "consistent_reads"


# --- the public face ---


def test_the_public_names_are_these() -> None:
    assert sorted(package.__all__) == [
        "CallObserver",
        "CallScope",
        "ConditionFailedError",
        "DeletedBaseError",
        "DeltaHistoryError",
        "DynamoDBSaver",
        "DynamoDBSaverError",
        "EventLoopError",
        "ExportFormatError",
        "InvalidInputError",
        "InvalidInputTypeError",
        "ItemTooLargeError",
        "MissingPartError",
        "MoveReport",
        "ObjectsNotDeletedError",
        "PayloadTooLargeError",
        "ReplyError",
        "RequestInfo",
        "S3OffloadConfig",
        "SaverClosedError",
        "ServiceError",
        "SweepReport",
        "TableError",
        "TableInUseError",
        "TableMismatchError",
        "TableNotFoundError",
        "ThreadConflictError",
        "ThreadIndex",
        "ThreadInfo",
        "ThreadMismatchError",
        "ThreadNotFoundError",
        "ThreadPage",
        "TransactionCanceledError",
        "TransportError",
        "UnprocessedItemsError",
        "UnreadableItemError",
    ]
    for name in package.__all__:
        assert getattr(package, name).__name__ == name


def error_classes() -> dict[str, type[BaseException]]:
    return {
        name: found
        for name, found in vars(errors).items()
        if inspect.isclass(found) and issubclass(found, DynamoDBSaverError)
    }


def test_every_error_is_public() -> None:
    assert error_classes().keys() <= set(package.__all__)


def drawn_tree() -> dict[str, set[str]]:
    """Each error of the drawing in the module's docstring, with the bases it is drawn under."""
    bases: dict[str, set[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        drawn = re.match(r"    ([\s│]*(?:[├└]── )?)(\w+Error)\b(?: \((\w+)\))?", line)
        if drawn is None:
            continue
        depth, name = len(drawn[1]) // 4, drawn[2]
        path[depth:] = [name]
        bases[name] = {*path[depth - 1 : depth], *([drawn[3]] if drawn[3] else [])}
    return bases


def test_the_error_tree_is_as_its_docstring_draws_it() -> None:
    classes = error_classes()
    real = {name: {base.__name__ for base in found.__bases__} for name, found in classes.items()}
    real["DynamoDBSaverError"] -= {"Exception"}
    assert len(real) == 26
    assert drawn_tree() == real


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(inspect.getfile(package)).parent / "py.typed").is_file()


@pytest.mark.parametrize("name", ["put_writes", "aput_writes"])
def test_the_signature_of_put_writes_shows_that_it_takes_the_task_path(name: str) -> None:
    # LangGraph looks at it to decide whether to pass the path.
    parameter = inspect.signature(getattr(DynamoDBSaver, name)).parameters["task_path"]
    assert parameter.default == ""


def test_a_saver_is_true_and_has_no_length(saver: DynamoDBSaver) -> None:
    # LangGraph writes `checkpointer or ...` in places.
    assert not hasattr(DynamoDBSaver, "__len__")
    assert not hasattr(DynamoDBSaver, "__bool__")
    assert bool(saver) is True


def test_versions_grow_in_the_order_of_their_text(saver: DynamoDBSaver) -> None:
    versions = [saver.get_next_version(None, None)]
    for _ in range(300):
        versions.append(saver.get_next_version(versions[-1], None))
    assert all(earlier < later for earlier, later in pairwise(versions))
    assert [int(version.partition(".")[0]) for version in versions] == list(range(1, 302))
    assert all(re.fullmatch(r"\d{32}\..+", version) for version in versions)


def test_two_branches_from_one_version_get_different_ones(saver: DynamoDBSaver) -> None:
    current = saver.get_next_version(None, None)
    assert len({saver.get_next_version(current, None) for _ in range(100)}) == 100


@pytest.mark.parametrize("number", [7, 7.0, 7.25])
def test_a_version_that_is_a_number_is_counted_on_from(saver: DynamoDBSaver, number: float) -> None:
    following = cast("Any", saver.get_next_version(cast("Any", number), None))
    assert int(str(following).partition(".")[0]) == 8
    again = cast("Any", saver.get_next_version(following, None))
    assert int(str(again).partition(".")[0]) == 9
    assert again > following
