"""Fixtures: an account for each worker process, the tools, and their output before deployment."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.account import running_account
from tests.infra.tools import CDK, Cdk, Terraform, ToolError, sweep_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.infra.account import Account


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("account") / "log") as running:
        yield running


@pytest.fixture
def own_account(tmp_path: Path) -> Iterator[Account]:
    """An empty account."""
    with running_account(tmp_path / "log") as account:
        yield account


@pytest.fixture(scope="session")
def new_terraform(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Account], Terraform]:
    """Makes a copy of the module with its provider installed, for a root folder and an account."""
    if shutil.which("terraform") is None:
        pytest.fail("infra-test needs Terraform 1.11 or later")

    def new(root: str, account: Account) -> Terraform:
        made = Terraform(tmp_path_factory.mktemp("terraform") / "module", account, root)
        try:
            made.init()
        except ToolError as error:
            if "Failed to query available provider packages" not in str(error):
                raise
            _leave_out(f"TERRAFORM IS NOT TESTED: the aws provider cannot be had\n{error}")
        return made

    return new


def _leave_out(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def new_cdk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Account], Cdk]:
    """Makes a copy of the app for an account."""
    if not CDK.exists():
        pytest.fail(f"there is no {CDK}; `make infra-test` installs it")
    return lambda account: Cdk(tmp_path_factory.mktemp("cdk") / "app", account)


# All settings that both support, as variables of Terraform.
FULL_VARIABLES: dict[str, Any] = {
    "checkpoints_table_name": "full-checkpoints",
    "writes_table_name": "full-writes",
    "store_table_name": "full-store",
    "store_vector_index_name": "vectors",
    "run_id_index_name": "by-run-id",
    "thread_index_owner": "user_id",
    "thread_index_name": "threads",
    "ttl_seconds": 864000,
    "max_read_request_units": 50,
    "max_write_request_units": 40,
    "point_in_time_recovery": True,
    "point_in_time_recovery_days": 7,
    "deletion_protection": True,
    "table_class": "STANDARD_INFREQUENT_ACCESS",
    "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "replica_regions": ["eu-west-1"],
    "replica_kms_key_arns": {
        "eu-west-1": "arn:aws:kms:eu-west-1:123456789012:key/66666666-7777-8888-9999-000000000000"
    },
    "create_bucket": True,
    "bucket_name": "full-bucket",
    "bucket_key_prefix": "agents/",
    "store_bucket_key_prefix": "memories/",
    "bucket_versioning": True,
    "alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "dashboard": True,
    "contributor_insights": True,
    "sweep_schedule": "rate(1 day)",
    "sweep_package": sweep_package(),
    "sweep_older_than_seconds": 7200,
    "create_policies": True,
    "policy_name_prefix": "full",
    "tenant_thread_id_prefix": "${aws:PrincipalTag/tenant}_",
    "tenant_owner_prefix": "${aws:PrincipalTag/tenant}-",
    "tenant_root_label": "${aws:PrincipalTag/tenant}",
}

# Settings that Terraform's provider does not support.
CDK_VARIABLES: dict[str, Any] = {"store_vector_dimensions": 256}


def as_context(variables: dict[str, Any]) -> dict[str, str]:
    """Variables of the module as CDK context."""
    context: dict[str, str] = {}
    for name, value in variables.items():
        match name, value:
            case "create_bucket", _:
                context |= {"bucket": "create"} if value else {}
            case "ttl_seconds", _:
                context["ttl"] = str(value)
            case _, bool():
                context[name] = str(value).lower()
            case _, list():
                context[name] = ",".join(value)
            case _, dict():
                context[name] = ",".join(f"{key}={inner}" for key, inner in value.items())
            case _:
                context[name] = str(value)
    return context


@pytest.fixture(scope="session")
def default_plan(
    new_terraform: Callable[[str, Account], Terraform], account: Account
) -> dict[str, Any]:
    return new_terraform(".", account).plan()


@pytest.fixture(scope="session")
def full_plan(
    new_terraform: Callable[[str, Account], Terraform], account: Account
) -> dict[str, Any]:
    return new_terraform(".", account).plan(**FULL_VARIABLES)


@pytest.fixture(scope="session")
def default_template(new_cdk: Callable[[Account], Cdk], account: Account) -> dict[str, Any]:
    return new_cdk(account).template()


@pytest.fixture(scope="session")
def full_template(new_cdk: Callable[[Account], Cdk], account: Account) -> dict[str, Any]:
    return new_cdk(account).template(**as_context(FULL_VARIABLES | CDK_VARIABLES))
