"""Where `DynamoDBSaver` gets its clients from, and how they are configured."""

from __future__ import annotations

import gc
import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.config import Config

from langgraph_checkpoint_dynamodb import DynamoDBSaver, InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
from tests.support.concurrency import run_all
from tests.support.made_clients import (
    NAMES,
    UNROUTABLE,
    EmptyReply,
    clients_made_by,
    config_field,
    first_client,
    signed_by,
)
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from tests.support.buckets import Bucket
    from tests.support.tables import Tables


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the environment affects the clients created here."""
    for name in ("AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)


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
    # A closed botocore client reconnects when it is used, so only the call itself shows it.
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
        client = first_client(saver, monkeypatch)
    assert client.meta.region_name == "eu-central-1"
    assert client.meta.endpoint_url == "https://dynamodb.eu-central-1.amazonaws.com"
    assert signed_by(client) == "of-the-session"
    with closing(DynamoDBSaver(**NAMES, session=session, region_name="eu-west-1")) as saver:
        assert first_client(saver, monkeypatch).meta.region_name == "eu-west-1"
    with tables.boto_saver(session=session, endpoint_url=tables.engine.url) as saver:
        saver.setup()
        assert saver.get_tuple(config("thread")) is None


def test_region_name_reaches_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DynamoDBSaver(**NAMES, region_name="ap-south-1")) as saver:
        assert first_client(saver, monkeypatch).meta.region_name == "ap-south-1"


def test_endpoint_url_reaches_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DynamoDBSaver(**NAMES, endpoint_url="http://localhost:1234")) as saver:
        assert first_client(saver, monkeypatch).meta.endpoint_url == "http://localhost:1234"


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
        client = first_client(saver, monkeypatch)
    assert client.meta.region_name == "eu-north-1"
    assert client.meta.endpoint_url == "http://localhost:1234"
    assert signed_by(client) == "by-boto3-name"
    assert config_field(client, "read_timeout") == 7
    assert config_field(client, "connect_timeout") == 5


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
        client = first_client(saver, monkeypatch)
    assert client.meta.region_name == "eu-north-1"
    assert client.meta.endpoint_url == "http://localhost:1234"
    assert signed_by(client) == "by-javascript-name"
    assert cast("Any", client)._request_signer._credentials.token == "t"  # noqa: S105 - not a secret


def test_an_empty_client_config_means_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DynamoDBSaver(**NAMES, client_config={})) as saver:
        assert first_client(saver, monkeypatch).meta.region_name == "us-east-1"


def test_what_is_done_to_client_config_later_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed = {"region_name": "eu-north-1"}
    with closing(DynamoDBSaver(**NAMES, client_config=passed)) as saver:
        passed["region_name"] = "eu-south-1"
        assert first_client(saver, monkeypatch).meta.region_name == "eu-north-1"


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


S3_ENDPOINT = "http://localhost:4566"


def made_for_s3(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> tuple[Any, Any]:
    """The clients for DynamoDB and S3 that a saver creates to store a value in S3."""
    offload: Any = {"bucket_name": "bucket", "threshold_bytes": 0, **settings.pop("offload", {})}
    with closing(DynamoDBSaver(**NAMES, **settings, s3_offload_config=offload)) as saver:
        made = clients_made_by(
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
        assert config_field(client, "read_timeout") == 2
        assert config_field(client, "connect_timeout") == 5
        assert config_field(client, "retries") == {"mode": "standard", "total_max_attempts": 10}
        assert config_field(client, "max_pool_connections") == 32
        assert config_field(client, "user_agent_extra") == "lib/langgraph-checkpoint-dynamodb"
    dynamodb, s3 = clients
    assert dynamodb.meta.endpoint_url == UNROUTABLE
    # A saver on a local engine must not store values in a bucket on AWS.
    assert s3.meta.endpoint_url == UNROUTABLE
    assert config_field(s3, "s3")["addressing_style"] == "path"


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
    given.meta.events.register("before-call", cast("Any", lambda **_: (EmptyReply(), {})))
    _, s3 = made_for_s3(monkeypatch, client=given)
    assert s3.meta.endpoint_url == UNROUTABLE
    given.close()


def test_beside_a_client_that_is_passed_in_one_for_s3_is_made_in_its_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = boto3.client("dynamodb", region_name="ap-south-1")
    given.meta.events.register("before-call", cast("Any", lambda **_: (EmptyReply(), {})))
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


def test_a_client_made_here_is_set_up_for_a_checkpointer(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(DynamoDBSaver(**NAMES)) as saver:
        client = first_client(saver, monkeypatch)
    assert config_field(client, "retries") == {"mode": "standard", "total_max_attempts": 10}
    assert config_field(client, "tcp_keepalive") is True
    assert config_field(client, "max_pool_connections") == 32
    assert config_field(client, "connect_timeout") == 5
    assert config_field(client, "read_timeout") == 15
    assert config_field(client, "user_agent_extra") == "lib/langgraph-checkpoint-dynamodb"


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
        default = first_client(saver, monkeypatch)
    with closing(DynamoDBSaver(**NAMES, **passed)) as saver:
        client = first_client(saver, monkeypatch)
    assert config_field(client, name) == OVERRIDES[name]
    for other in OVERRIDES.keys() - {name}:
        assert config_field(client, other) == config_field(default, other)


def test_a_config_of_the_session_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session()
    session_wide = Config(**cast("Any", {"user_agent_appid": "app-1"}))  # unknown to the stubs
    cast("Any", session)._session.set_default_client_config(session_wide)
    with closing(DynamoDBSaver(**NAMES, session=session)) as saver:
        assert config_field(first_client(saver, monkeypatch), "user_agent_appid") == "app-1"


def test_one_config_may_be_shared_by_several_savers(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Config(read_timeout=2)
    before = dict(vars(shared))
    for size in (3, 4):
        with closing(DynamoDBSaver(**NAMES, boto_config=shared, max_concurrency=size)) as saver:
            client = first_client(saver, monkeypatch)
        assert config_field(client, "max_pool_connections") == size
        assert config_field(client, "read_timeout") == 2
    assert vars(shared) == before


def test_the_pool_has_a_connection_for_every_request_in_flight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(DynamoDBSaver(**NAMES, max_concurrency=50)) as saver:
        assert config_field(first_client(saver, monkeypatch), "max_pool_connections") == 50


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
        retries = config_field(first_client(saver, monkeypatch), "retries")
    setting, expected = seen
    assert retries[setting] == expected
    assert retries.get("total_max_attempts") != 10
