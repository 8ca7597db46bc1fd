"""Findings of cdk-nag and cfn-lint in the templates."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped] # says no types
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore, CheckpointStoreStack
from langgraph_checkpoint_dynamodb_cdk.acknowledged import acknowledge_policy

from tests.support import ENVIRONMENT, FULLEST, REGION, Synthesized, key_arn

if TYPE_CHECKING:
    from aws_cdk import App

    from tests.support import Synthesizer

STACKS: dict[str, dict[str, Any]] = {
    "default": {},
    "fullest": {
        **FULLEST,
        "kms_key_arn": key_arn(),
        "replica_kms_key_arns": {region: key_arn(region) for region in FULLEST["replica_regions"]},
        "create_policies": True,
    },
    "throwaway": {
        "create_bucket": True,
        "create_policies": True,
        "removal_policy": RemovalPolicy.DESTROY,
        "bucket_force_destroy": True,
        "deletion_protection": False,
    },
    "existing bucket": {
        "bucket_name": "theirs",
        "bucket_key_prefix": "a/b/",
        "create_policies": True,
        "tenant_thread_id_prefix": "acme_",
    },
}


SWEEP: dict[str, Any] = {"create_bucket": True, "sweep_schedule": "rate(1 day)"}

OBJECTS = "<StoreBucket4FBDE984.Arn>/langgraph-checkpoints/*"


@pytest.mark.parametrize("name", STACKS)
def test_cdk_nag_finds_nothing(synthesizer: Synthesizer, name: str) -> None:
    app = synthesizer.app()
    CheckpointStoreStack(app, "Test", env=ENVIRONMENT, **STACKS[name])
    assert _findings(app) == set()


def test_cdk_nag_finds_nothing_in_a_sweep(synthesizer: Synthesizer, package: str) -> None:
    app = synthesizer.app()
    CheckpointStoreStack(app, "Test", env=ENVIRONMENT, sweep_package=package, **SWEEP)
    assert _findings(app) == set()


@pytest.mark.parametrize(
    ("function", "rules"),
    [
        ("bucket.acknowledge_bucket", ["AwsSolutions-S1"]),
        ("stack.acknowledge_policy", [f"AwsSolutions-IAM5[Resource::{OBJECTS}]"]),
    ],
)
def test_cdk_nag_finds_what_is_not_acknowledged(
    synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch, function: str, rules: list[str]
) -> None:
    monkeypatch.setattr(f"langgraph_checkpoint_dynamodb_cdk.{function}", lambda _: None)
    app = synthesizer.app()
    CheckpointStoreStack(app, "Test", env=ENVIRONMENT, create_bucket=True, create_policies=True)
    assert sorted({rule for rule, _ in _findings(app)}) == rules


def test_cdk_nag_finds_other_buckets_without_access_logs(synthesizer: Synthesizer) -> None:
    app = synthesizer.app()
    stack = CheckpointStoreStack(app, "Test", env=ENVIRONMENT, create_bucket=True)
    s3.Bucket(stack, "Other", enforce_ssl=True)
    assert _findings(app) == {("AwsSolutions-S1", "Test/Other/Resource")}


def test_cdk_nag_finds_policies_of_others_that_end_in_a_wildcard(
    synthesizer: Synthesizer,
) -> None:
    app = synthesizer.app()
    stack = Stack(app, "Test", env=ENVIRONMENT)
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "theirs")
    store = CheckpointStore(stack, "Store", bucket=bucket)
    store.grant_read(iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal()))
    ((rule, path),) = _findings(app)
    assert rule.startswith("AwsSolutions-IAM5[Resource::")
    assert path == "Test/Role/DefaultPolicy/Resource"


def test_only_the_wildcard_behind_objects_is_acknowledged(synthesizer: Synthesizer) -> None:
    app = synthesizer.app()
    policy = iam.ManagedPolicy(
        Stack(app, "Test"),
        "Policy",
        statements=[
            iam.PolicyStatement(sid="Tables", actions=["dynamodb:*"], resources=["*"]),
            iam.PolicyStatement(
                sid="Objects",
                actions=["s3:GetObject"],
                resources=["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"],
            ),
        ],
    )
    acknowledge_policy(policy)
    assert {rule for rule, _ in _findings(app)} == {
        "AwsSolutions-IAM5[Action::dynamodb:*]",
        "AwsSolutions-IAM5[Resource::*]",
    }


def test_what_cannot_be_acknowledged_can_be_synthesized(synthesizer: Synthesizer) -> None:
    app = synthesizer.app()
    CheckpointStoreStack(
        app,
        "Test",
        env=ENVIRONMENT,
        bucket_name="theirs",
        bucket_key_prefix="a)/",
        create_policies=True,
    )
    assert {rule for rule, _ in _findings(app)} == {
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::theirs/a)/*]"
    }


# Not the throwaway one: CDK's own function that empties buckets has a redundant dependency.
@pytest.mark.parametrize("name", [name for name in STACKS if name != "throwaway"])
def test_cfn_lint_finds_nothing(synthesizer: Synthesizer, name: str) -> None:
    result = synthesizer.ready_made(**STACKS[name])
    assert _lint(result.template) == []


def test_cfn_lint_finds_nothing_in_a_sweep(synthesizer: Synthesizer, package: str) -> None:
    found = _lint(synthesizer.ready_made(sweep_package=package, **SWEEP).template)
    # A function of the CDK declares the dependency on its role twice.
    assert {rule for rule, _ in found} == {"W3005"}


def test_cfn_lint_finds_what_is_wrong(default: Synthesized) -> None:
    text = json.dumps(default.template).replace("PAY_PER_REQUEST", "FREE")
    assert "E3030" in {rule for rule, _ in _lint(json.loads(text))}


def _findings(app: App) -> set[tuple[str, str]]:
    """Violated rules of cdk-nag, each with the path of the construct."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    # Findings end the synthesis after they are reported.
    with suppress(RuntimeError):
        app.synth()
    (report,) = Path(app.outdir).glob("validation-report.json")
    return {
        (violation["ruleName"], resource["constructPath"])
        for plugin in json.loads(report.read_text())["pluginReports"]
        for violation in plugin["violations"]
        for resource in violation["violatingConstructs"]
    }


def _lint(template: dict[str, Any]) -> list[tuple[str, str]]:
    matches = lint(json.dumps(template), config=ManualArgs(regions=[REGION]))
    return [(match.rule.id, match.message) for match in matches]
