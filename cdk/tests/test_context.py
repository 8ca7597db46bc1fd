from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from langgraph_checkpoint_dynamodb_cdk import CheckpointStoreStack, stack_settings
from langgraph_checkpoint_dynamodb_cdk.context import CONTEXT_KEYS

from tests.support import CHECKPOINTS, ENVIRONMENT, WRITES, Synthesized, saying

if TYPE_CHECKING:
    from tests.support import Synthesizer


def test_without_context_the_defaults_apply() -> None:
    settings = stack_settings({})
    assert settings.stack_name == "LangGraphCheckpoints"
    assert settings.allow_removal is False
    assert settings.arguments == {}


def test_keys_of_the_cli_are_ignored() -> None:
    settings = stack_settings(
        {
            "aws:cdk:enable-path-metadata": True,
            "@aws-cdk/core:someFlag": True,
            "availability-zones:account=1:region=x": ["a"],
            "acknowledged-issue-numbers": [12345],
        }
    )
    assert settings.arguments == {}


@pytest.mark.parametrize("key", ["ttl_seconds", "replica_region", "Bucket", "throw-away", "x9"])
def test_a_misspelt_key_is_refused_with_those_that_exist(key: str) -> None:
    with pytest.raises(
        ValueError, match=saying("context", key, "known keys: alarm_topic_arn, ", ", ttl,")
    ):
        stack_settings({key: "1"})


@pytest.mark.parametrize(
    ("key", "value", "argument", "expected"),
    [
        ("checkpoints_table_name", "abc", "checkpoints_table_name", "abc"),
        ("writes_table_name", "abc", "writes_table_name", "abc"),
        ("store_table_name", "memories", "store_table_name", "memories"),
        ("store_vector_index_name", "vectors", "store_vector_index_name", "vectors"),
        ("store_vector_dimensions", "256", "store_vector_dimensions", 256),
        ("store_bucket_key_prefix", "m/", "store_bucket_key_prefix", "m/"),
        ("tenant_root_label", "acme", "tenant_root_label", "acme"),
        ("run_id_index_name", "by-run", "run_id_index_name", "by-run"),
        ("thread_index_owner", "user_id", "thread_index_owner", "user_id"),
        ("thread_index_name", "by-user", "thread_index_name", "by-user"),
        ("ttl", "86400", "ttl_seconds", 86400),
        ("ttl", 86400, "ttl_seconds", 86400),
        ("max_read_request_units", "5", "max_read_request_units", 5),
        ("max_write_request_units", "6", "max_write_request_units", 6),
        ("point_in_time_recovery", "false", "point_in_time_recovery", False),
        ("point_in_time_recovery_days", "7", "point_in_time_recovery_days", 7),
        ("warm_read_units", "12000", "warm_read_units", 12_000),
        ("warm_write_units", "4000", "warm_write_units", 4_000),
        ("deletion_protection", "true", "deletion_protection", True),
        ("deletion_protection", False, "deletion_protection", False),
        ("table_class", "STANDARD", "table_class", dynamodb.TableClass.STANDARD),
        (
            "table_class",
            "STANDARD_INFREQUENT_ACCESS",
            "table_class",
            dynamodb.TableClass.STANDARD_INFREQUENT_ACCESS,
        ),
        ("kms_key_arn", "arn:x", "kms_key_arn", "arn:x"),
        ("replica_regions", "eu-west-1", "replica_regions", ["eu-west-1"]),
        ("replica_regions", "a,b", "replica_regions", ["a", "b"]),
        ("replica_regions", ["a", "b"], "replica_regions", ["a", "b"]),
        (
            "replica_kms_key_arns",
            "a=arn:1,b=arn:2=3",
            "replica_kms_key_arns",
            {"a": "arn:1", "b": "arn:2=3"},
        ),
        ("replica_kms_key_arns", {"a": "arn:1"}, "replica_kms_key_arns", {"a": "arn:1"}),
        ("bucket", "theirs", "bucket_name", "theirs"),
        ("bucket_kms_key_arn", "arn:x", "bucket_kms_key_arn", "arn:x"),
        ("bucket_key_prefix", "p/", "bucket_key_prefix", "p/"),
        ("bucket_versioning", "false", "bucket_versioning", False),
        ("bucket_force_destroy", "true", "bucket_force_destroy", True),
        ("sweep_schedule", "rate(1 day)", "sweep_schedule", "rate(1 day)"),
        ("sweep_package", "sweep.zip", "sweep_package", "sweep.zip"),
        ("sweep_older_than_seconds", "7200", "sweep_older_than_seconds", 7200),
        ("create_policies", "true", "create_policies", True),
        ("policy_name_prefix", "team", "policy_name_prefix", "team"),
        ("tenant_thread_id_prefix", "t_", "tenant_thread_id_prefix", "t_"),
        ("tenant_owner_prefix", "t_", "tenant_owner_prefix", "t_"),
    ],
)
def test_a_key_becomes_an_argument(
    key: str, value: object, argument: str, expected: object
) -> None:
    assert stack_settings({key: value}).arguments == {argument: expected}


def test_a_bucket_is_made_on_request() -> None:
    arguments = stack_settings({"bucket": "create"}).arguments
    assert arguments == {"create_bucket": True, "bucket_name": None}
    arguments = stack_settings({"bucket": "create", "bucket_name": "mine"}).arguments
    assert arguments == {"create_bucket": True, "bucket_name": "mine"}


@pytest.mark.parametrize("context", [{}, {"bucket": "theirs"}])
def test_bucket_name_needs_a_bucket_to_create(context: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=saying("bucket_name: got 'mine'", "bucket=create")):
        stack_settings({**context, "bucket_name": "mine"})


def test_throwaway_tables_go_with_the_stack(synthesizer: Synthesizer) -> None:
    arguments = stack_settings({"throwaway": "true"}).arguments
    assert arguments == {
        "removal_policy": RemovalPolicy.DESTROY,
        "deletion_protection": False,
        "bucket_force_destroy": True,
    }
    result = Synthesized.of(
        CheckpointStoreStack(synthesizer.app(), "Test", env=ENVIRONMENT, **arguments)
    )
    for name in (CHECKPOINTS, WRITES):
        assert result.table(name)["DeletionPolicy"] == "Delete"
        assert result.table(name)["Properties"]["Replicas"][0]["DeletionProtectionEnabled"] is False


def test_emptying_a_throwaway_bucket_can_be_turned_off() -> None:
    settings = stack_settings({"throwaway": "true", "bucket_force_destroy": "false"})
    assert settings.arguments["bucket_force_destroy"] is False


@pytest.mark.parametrize("value", ["false", False])
def test_throwaway_is_off_by_default(value: object) -> None:
    assert stack_settings({"throwaway": value}).arguments == {}


def test_throwaway_tables_cannot_be_protected() -> None:
    with pytest.raises(ValueError, match=saying("throwaway: got 'true'", "deletion_protection")):
        stack_settings({"throwaway": "true", "deletion_protection": "true"})
    unprotected = stack_settings({"throwaway": "true", "deletion_protection": "false"})
    assert unprotected.arguments["deletion_protection"] is False


def test_the_stack_can_have_another_name() -> None:
    assert stack_settings({"stack_name": "Agents-2"}).stack_name == "Agents-2"


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("stack_name", ["", "1a", "a_b", "x" * 129, 5], "a letter"),
        ("checkpoints_table_name", ["", 5], "a string"),
        ("ttl", ["0", "-1", "1.5", "1h", "", True, None, 0, "9" * 19], "a whole number from 1"),
        ("max_read_request_units", ["many"], "a whole number from 1"),
        ("point_in_time_recovery", ["no", "True", "1", 1, None], "true or false"),
        ("throwaway", ["yes", ""], "true or false"),
        ("allow_removal", ["yes", ""], "true or false"),
        ("create_policies", ["create"], "true or false"),
        ("table_class", ["standard", "", 5, ["STANDARD"]], "STANDARD_INFREQUENT_ACCESS"),
        ("replica_regions", ["", "a,", ",", 5, ["a", 5], {"a": "b"}], "separated by commas"),
        ("replica_kms_key_arns", ["", "a", "a=", "=b", 5, {"a": 5}], "REGION=ARN"),
        ("replica_kms_key_arns", ["a=1,a=2"], "each region once"),
        ("bucket", ["", True, 5], "a string"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused(key: str, values: list[Any], expected: str) -> None:
    for value in values:
        with pytest.raises(ValueError, match=saying(f"{key}: got {value!r}", expected)):
            stack_settings({key: value})


def test_the_name_of_a_new_bucket_must_be_a_string() -> None:
    with pytest.raises(ValueError, match=saying("bucket_name: got ''", "a string")):
        stack_settings({"bucket": "create", "bucket_name": ""})


def test_every_plain_argument_of_the_stack_has_a_key() -> None:
    parameters = inspect.signature(CheckpointStoreStack.__init__).parameters.values()
    arguments = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    without_key = {
        "checkpoints_resource_policy",
        "writes_resource_policy",
        "store_resource_policy",
        # Set by `throwaway`, `bucket=create` and `ttl`.
        "removal_policy",
        "create_bucket",
        "ttl_seconds",
    }
    others = {"allow_removal", "bucket", "stack_name", "throwaway", "ttl"}
    assert CONTEXT_KEYS - arguments == others
    assert arguments - CONTEXT_KEYS == without_key
