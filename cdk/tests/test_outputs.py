from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support import ACCOUNT, CHECKPOINTS, REGION, WRITES, Synthesized, table_arn

if TYPE_CHECKING:
    from tests.support import Synthesizer

ALWAYS = {
    "CheckpointsTableName",
    "CheckpointsTableArn",
    "WritesTableName",
    "WritesTableArn",
    "SaverSettings",
    "ReadPolicyJson",
    "RuntimePolicyJson",
    "SetupPolicyJson",
    "AdminPolicyJson",
}


def test_by_default_only_what_applies_is_put_out(default: Synthesized) -> None:
    assert default.outputs.keys() == ALWAYS


def test_the_fullest_stack_puts_out_everything(fullest: Synthesized) -> None:
    assert fullest.outputs.keys() == ALWAYS | {
        "RunIdIndexName",
        "ThreadIndexName",
        "BucketName",
        "BucketArn",
        "BucketKeyPrefix",
        "TenantPolicyJson",
        "PolicyArns",
        "SweepFunctionName",
    }


def test_names_and_arns_are_those_of_the_resources(fullest: Synthesized) -> None:
    outputs = fullest.outputs
    assert outputs["CheckpointsTableName"] == CHECKPOINTS
    assert outputs["CheckpointsTableArn"] == table_arn(CHECKPOINTS)
    assert outputs["WritesTableName"] == WRITES
    assert outputs["WritesTableArn"] == table_arn(WRITES)
    assert outputs["RunIdIndexName"] == "by-run"
    assert outputs["ThreadIndexName"] == "by-owner"
    assert outputs["BucketName"] == "generated-name"
    assert outputs["BucketArn"] == "arn:aws:s3:::generated-name"
    assert outputs["BucketKeyPrefix"] == "langgraph-checkpoints/"


def test_names_wait_for_the_resources_they_name(fullest: Synthesized) -> None:
    outputs = fullest.template["Outputs"]
    for name in ("CheckpointsTableName", "WritesTableName", "BucketName"):
        assert outputs[name]["Value"].keys() == {"Ref"}


def test_the_savers_settings_are_its_arguments(default: Synthesized, fullest: Synthesized) -> None:
    assert json.loads(default.outputs["SaverSettings"]) == {
        "checkpoints_table_name": CHECKPOINTS,
        "writes_table_name": WRITES,
        "region_name": REGION,
    }
    assert json.loads(fullest.outputs["SaverSettings"]) == {
        "checkpoints_table_name": CHECKPOINTS,
        "writes_table_name": WRITES,
        "region_name": REGION,
        "run_id_index": "by-run",
        "thread_index": {"owner": "user_id", "index_name": "by-owner"},
        "ttl_seconds": 7 * 24 * 60 * 60,
        "s3_offload_config": {
            "bucket_name": "generated-name",
            "key_prefix": "langgraph-checkpoints/",
        },
    }


def test_policy_arns_are_by_role(fullest: Synthesized) -> None:
    assert json.loads(fullest.outputs["PolicyArns"]) == {
        role: f"arn:aws:iam::{ACCOUNT}:policy/{CHECKPOINTS}-{role}"
        for role in ("read", "runtime", "setup", "admin", "tenant")
    }


def test_an_existing_bucket_is_put_out_too(synthesizer: Synthesizer) -> None:
    outputs = synthesizer.ready_made(bucket_name="theirs", bucket_key_prefix="p/").outputs
    assert outputs["BucketName"] == "theirs"
    assert outputs["BucketArn"] == "arn:aws:s3:::theirs"
    assert outputs["BucketKeyPrefix"] == "p/"
    assert json.loads(outputs["SaverSettings"])["s3_offload_config"] == {
        "bucket_name": "theirs",
        "key_prefix": "p/",
    }
