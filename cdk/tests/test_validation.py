from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import CfnParameter, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore, CheckpointStoreStack

from tests.support import REGION, Synthesized, key_arn, saying

if TYPE_CHECKING:
    from tests.support import Synthesizer

NAMES = ["checkpoints_table_name", "writes_table_name", "run_id_index_name", "thread_index_name"]


@pytest.mark.parametrize("argument", NAMES)
@pytest.mark.parametrize("name", ["ab", "x" * 256, "a b c", "täble", "arn:aws:x", "", 7])
def test_a_name_that_dynamodb_refuses_is_refused(
    synthesizer: Synthesizer, argument: str, name: object
) -> None:
    with pytest.raises(ValueError, match=saying(f"{argument}: got {name!r}", "3 to 255")):
        synthesizer.store(**{argument: name})


@pytest.mark.parametrize("name", ["abc", "x" * 255, "a.b-C_9"])
def test_a_name_that_dynamodb_takes_is_taken(synthesizer: Synthesizer, name: str) -> None:
    assert synthesizer.store(checkpoints_table_name=name).table(name)


def test_the_two_tables_cannot_be_one(synthesizer: Synthesizer) -> None:
    with pytest.raises(ValueError, match=saying("writes_table_name: got 'one'", "another name")):
        synthesizer.store(checkpoints_table_name="one", writes_table_name="one")


@pytest.mark.parametrize(
    "argument", ["ttl_seconds", "max_read_request_units", "max_write_request_units"]
)
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "60"])
def test_a_number_must_be_whole_and_positive(
    synthesizer: Synthesizer, argument: str, value: object
) -> None:
    with pytest.raises(ValueError, match=saying(f"{argument}: got {value!r}", "whole number")):
        synthesizer.store(**{argument: value})


@pytest.mark.parametrize(
    "argument",
    [
        "point_in_time_recovery",
        "deletion_protection",
        "create_bucket",
        "bucket_versioning",
        "bucket_force_destroy",
    ],
)
@pytest.mark.parametrize("value", ["false", 0, None])
def test_a_flag_is_true_or_false(synthesizer: Synthesizer, argument: str, value: object) -> None:
    with pytest.raises(ValueError, match=saying(f"{argument}: got {value!r}", "True or False")):
        synthesizer.store(**{argument: value})


@pytest.mark.parametrize("arguments", [{}, {"create_bucket": True, "bucket_name": "made"}])
def test_only_a_bucket_that_exists_has_a_key_of_its_own(
    synthesizer: Synthesizer, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=saying("bucket_kms_key_arn", "a bucket that exists")):
        synthesizer.ready_made(bucket_kms_key_arn=key_arn(), **arguments)


def test_the_key_of_a_bucket_that_exists_is_the_arn_of_one(synthesizer: Synthesizer) -> None:
    with pytest.raises(ValueError, match=saying("bucket_kms_key_arn: got 'alias/a'")):
        synthesizer.ready_made(bucket_name="theirs", bucket_kms_key_arn="alias/a")


def test_a_bucket_that_is_kept_is_not_emptied(synthesizer: Synthesizer) -> None:
    with pytest.raises(ValueError, match=saying("bucket_force_destroy: got True", "DESTROY")):
        synthesizer.store(create_bucket=True, bucket_force_destroy=True)


def test_whether_to_make_policies_is_true_or_false(synthesizer: Synthesizer) -> None:
    with pytest.raises(ValueError, match=saying("create_policies: got 'false'")):
        synthesizer.ready_made(create_policies="false")


@pytest.mark.parametrize(
    "prefix", ["", "p", "/", "/p/", "p//", "a/../", "./", "a*/", "a b/", "x" * 512 + "/", None]
)
def test_a_key_prefix_must_mean_itself(synthesizer: Synthesizer, prefix: object) -> None:
    with pytest.raises(ValueError, match=saying(f"bucket_key_prefix: got {prefix!r}", "'/'")):
        synthesizer.store(bucket_key_prefix=prefix)


@pytest.mark.parametrize("prefix", ["p/", "a/b.c/", "..a/", "x" * 511 + "/", "a!_.'()=-/"])
def test_a_key_prefix_may_be_of_safe_names(synthesizer: Synthesizer, prefix: str) -> None:
    result = synthesizer.ready_made(bucket_name="theirs", bucket_key_prefix=prefix)
    assert result.outputs["BucketKeyPrefix"] == prefix


@pytest.mark.parametrize(
    "prefix",
    ["", "a*_", "a?_", "a/_", "a.b_", "${saml:sub}_", "${aws:}_", "acme", "${aws:userid}", 5],
)
def test_a_tenants_prefix_must_fit_a_policy(synthesizer: Synthesizer, prefix: object) -> None:
    with pytest.raises(ValueError, match=saying(f"tenant_thread_id_prefix: got {prefix!r}")):
        synthesizer.store(tenant_thread_id_prefix=prefix)


@pytest.mark.parametrize(
    "prefix", ["acme_", "a-B_9:", "${aws:PrincipalTag/tenant}_", "t-${aws:userid}-"]
)
def test_a_tenants_prefix_may_hold_policy_variables(synthesizer: Synthesizer, prefix: str) -> None:
    (tables,) = synthesizer.ready_made(tenant_thread_id_prefix=prefix).policy("tenant")
    condition = tables["Condition"]["ForAllValues:StringLike"]
    assert condition == {"dynamodb:LeadingKeys": [f"{prefix}*"]}


@pytest.mark.parametrize("owner", ["", 5])
def test_the_owner_of_threads_is_named_by_a_key(synthesizer: Synthesizer, owner: object) -> None:
    with pytest.raises(ValueError, match=saying(f"thread_index_owner: got {owner!r}", "a key")):
        synthesizer.store(thread_index_owner=owner)


def test_the_two_indexes_cannot_be_one(synthesizer: Synthesizer) -> None:
    with pytest.raises(ValueError, match=saying("thread_index_name: got 'one'", "another name")):
        synthesizer.store(
            run_id_index_name="one", thread_index_owner="user_id", thread_index_name="one"
        )


@pytest.mark.parametrize("prefix", ["", "a*_", "a/_", "${saml:sub}_", "acme", 5])
def test_a_prefix_of_owners_must_fit_a_policy(synthesizer: Synthesizer, prefix: object) -> None:
    with pytest.raises(ValueError, match=saying(f"tenant_owner_prefix: got {prefix!r}")):
        synthesizer.store(
            thread_index_owner="user_id", tenant_thread_id_prefix="t_", tenant_owner_prefix=prefix
        )


@pytest.mark.parametrize(
    "missing", [{"thread_index_owner": "user_id"}, {"tenant_thread_id_prefix": "t_"}]
)
def test_a_prefix_of_owners_is_for_tenants_on_the_index_of_threads(
    synthesizer: Synthesizer, missing: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=saying("tenant_owner_prefix: got 't_'", "with it")):
        synthesizer.store(tenant_owner_prefix="t_", **missing)


@pytest.mark.parametrize("bucket", [{"create_bucket": True}, {"bucket_name": "theirs"}])
def test_a_tenants_prefix_has_no_colon_where_it_begins_keys_of_objects(
    synthesizer: Synthesizer, bucket: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=saying("tenant_thread_id_prefix: got 'a:'", "a bucket")):
        synthesizer.ready_made(tenant_thread_id_prefix="a:", **bucket)
    # Colons within a policy variable are not part of the key.
    synthesizer.ready_made(tenant_thread_id_prefix="${aws:userid}_", **bucket)


@pytest.mark.parametrize("days", [0, 36, 1.5, True, "7"])
def test_tables_are_restored_for_up_to_35_days(synthesizer: Synthesizer, days: object) -> None:
    with pytest.raises(
        ValueError, match=saying(f"point_in_time_recovery_days: got {days!r}", "1 to 35")
    ):
        synthesizer.store(point_in_time_recovery_days=days)


def test_days_mean_nothing_without_recovery(synthesizer: Synthesizer) -> None:
    with pytest.raises(ValueError, match=saying("point_in_time_recovery_days: got 7", "with it")):
        synthesizer.store(point_in_time_recovery_days=7, point_in_time_recovery=False)


@pytest.mark.parametrize(
    ("argument", "units"), [("warm_read_units", 11_999), ("warm_write_units", 3_999)]
)
def test_warm_units_begin_where_those_of_every_table_end(
    synthesizer: Synthesizer, argument: str, units: int
) -> None:
    with pytest.raises(ValueError, match=saying(f"{argument}: got {units}", f"from {units + 1}")):
        synthesizer.store(**{argument: units})


def test_a_bucket_is_made_or_exists(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "theirs")
    with pytest.raises(ValueError, match=saying("create_bucket: got True", "one of the two")):
        CheckpointStore(stack, "Store", bucket=bucket, create_bucket=True)


def test_a_name_alone_makes_no_bucket(synthesizer: Synthesizer) -> None:
    with pytest.raises(
        ValueError, match=saying("bucket_name: got 'mine'", "create_bucket=True", "bucket=")
    ):
        synthesizer.store(bucket_name="mine")


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("name", ["ab", "Upper", "a_b", "-ab", "x" * 64, 5])
def test_a_name_that_s3_refuses_is_refused(
    synthesizer: Synthesizer, name: object, *, create: bool
) -> None:
    with pytest.raises(ValueError, match=saying(f"bucket_name: got {name!r}", "3 to 63")):
        synthesizer.ready_made(bucket_name=name, create_bucket=create)


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ("eu-west-1", "a list of regions"),
        (["europe"], "names of regions"),
        (["EU-WEST-1"], "names of regions"),
        ([None], "names of regions"),
        (["eu-west-1", "eu-west-1"], "each region once"),
        (["eu-west-1", REGION], f"other regions than the stack's own, '{REGION}'"),
    ],
)
def test_replicas_are_in_other_regions_once_each(
    synthesizer: Synthesizer, regions: Any, expected: str
) -> None:
    with pytest.raises(ValueError, match=saying("replica_regions: got", expected)):
        synthesizer.store(replica_regions=regions)


def test_replicas_need_a_stack_that_knows_its_region(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack(env=None)
    with pytest.raises(ValueError, match=saying("replica_regions", "env=", "CDK_DEFAULT_REGION")):
        CheckpointStore(stack, "Store", replica_regions=["eu-west-1"])


def test_a_key_needs_a_stack_that_knows_its_region(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack(env=None)
    key = kms.Key.from_key_arn(stack, "Key", key_arn())
    with pytest.raises(ValueError, match=saying("encryption_key: got", key_arn(), "env=")):
        CheckpointStore(stack, "Store", encryption_key=key)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "replica_kms_key_arns: got {}"),
        ({"eu-west-1": key_arn("eu-west-1")}, "one key for each"),
        (
            {r: key_arn(r) for r in ("eu-west-1", "ap-south-1", "us-west-2")},
            "one key for each",
        ),
        (
            {"eu-west-1": key_arn("eu-west-1"), "ap-south-1": "alias/mine"},
            "replica_kms_key_arns['ap-south-1']: got 'alias/mine'",
        ),
        (
            {"eu-west-1": key_arn("eu-west-1"), "ap-south-1": key_arn("eu-west-1")},
            "a key of 'ap-south-1'",
        ),
        ("eu-west-1", "a mapping from region"),
    ],
)
def test_each_replica_of_encrypted_tables_needs_a_key_of_its_region(
    synthesizer: Synthesizer, keys: Any, expected: str
) -> None:
    with pytest.raises(ValueError, match=saying(expected)):
        synthesizer.ready_made(
            kms_key_arn=key_arn(),
            replica_regions=["eu-west-1", "ap-south-1"],
            replica_kms_key_arns=keys,
        )


def test_replica_keys_need_a_key_of_the_tables(synthesizer: Synthesizer) -> None:
    with pytest.raises(ValueError, match=saying("replica_kms_key_arns: got", "encryption_key")):
        synthesizer.store(
            replica_regions=["eu-west-1"],
            replica_kms_key_arns={"eu-west-1": key_arn("eu-west-1")},
        )


@pytest.mark.parametrize("arn", ["", "alias/mine", key_arn().replace("key/", "alias/"), 5])
def test_the_key_of_the_ready_made_stack_is_given_by_its_arn(
    synthesizer: Synthesizer, arn: object
) -> None:
    with pytest.raises(ValueError, match=saying(f"kms_key_arn: got {arn!r}", "not of an alias")):
        synthesizer.ready_made(kms_key_arn=arn)


@pytest.mark.parametrize("prefix", ["a b", "x" * 121, "a/b", 5])
def test_a_prefix_that_iam_refuses_is_refused(synthesizer: Synthesizer, prefix: object) -> None:
    with pytest.raises(ValueError, match=saying(f"policy_name_prefix: got {prefix!r}")):
        synthesizer.ready_made(create_policies=True, policy_name_prefix=prefix)


def test_a_table_name_too_long_for_policies_says_what_to_pass(synthesizer: Synthesizer) -> None:
    with pytest.raises(ValueError, match=saying("policy_name_prefix", "pass policy_name_prefix")):
        synthesizer.ready_made(create_policies=True, checkpoints_table_name="x" * 121)


def test_values_that_are_known_later_pass(synthesizer: Synthesizer) -> None:
    stack = Stack(synthesizer.app(), "Test", env=Environment(region=REGION))
    texts = {
        name: CfnParameter(stack, name.replace("_", "")).value_as_string
        for name in (*NAMES, "bucket_name", "bucket_key_prefix", "tenant_thread_id_prefix")
    }
    numbers = {
        name: CfnParameter(stack, name.replace("_", ""), type="Number").value_as_number
        for name in ("max_read_request_units", "max_write_request_units")
    }
    arguments: dict[str, Any] = {**texts, **numbers}
    CheckpointStore(stack, "Store", create_bucket=True, **arguments)
    tables = Synthesized.of(stack).all("AWS::DynamoDB::GlobalTable")
    assert {table["Properties"]["TableName"] for table in tables} == {
        "value of checkpointstablename",
        "value of writestablename",
    }
    for table in tables:
        assert table["Properties"]["WriteOnDemandThroughputSettings"] == {
            "MaxWriteRequestUnits": "value of maxwriterequestunits"
        }


def test_a_lifetime_that_is_known_later_is_refused(synthesizer: Synthesizer) -> None:
    stack = synthesizer.stack()
    later = CfnParameter(stack, "Ttl", type="Number").value_as_number
    with pytest.raises(ValueError, match=saying("ttl_seconds", "known at synthesis")):
        CheckpointStore(stack, "Store", ttl_seconds=later)  # type: ignore[arg-type] # a jsii number


def test_an_unknown_argument_is_refused(synthesizer: Synthesizer) -> None:
    with pytest.raises(TypeError, match="checkpoint_table_name"):
        synthesizer.store(checkpoint_table_name="x")


def test_stack_and_store_have_the_same_arguments_and_defaults() -> None:
    store = _defaults(CheckpointStore)
    stack = _defaults(CheckpointStoreStack)
    for plain, construct in (("kms_key_arn", "encryption_key"), ("bucket_name", "bucket")):
        assert stack[plain] is store[construct] is None
    only_store = {"encryption_key", "bucket"}
    only_stack = {
        "kms_key_arn",
        "bucket_kms_key_arn",
        "create_policies",
        "policy_name_prefix",
        "sweep_schedule",
        "sweep_package",
        "sweep_older_than_seconds",
        "alarm_topic_arn",
        "dashboard",
    }
    assert store.keys() - stack.keys() == only_store
    assert stack.keys() - store.keys() == only_stack
    common = store.keys() & stack.keys()
    assert {name: store[name] for name in common} == {name: stack[name] for name in common}


def _defaults(cls: type) -> dict[str, Any]:
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc] # on the class, not on an instance
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
