"""The CDK stack: deployed as shipped, updated, retained or destroyed.

The contents of its templates are tested in `cdk/tests`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.iam import REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.account import Account
    from tests.infra.tools import Cdk

TABLES = {"langgraph-checkpoints", "langgraph-writes"}


def test_a_throwaway_stack_is_deployed_changed_and_gone(
    new_cdk: Callable[[Account], Cdk], own_account: Account
) -> None:
    cdk = new_cdk(own_account)
    cdk.bootstrap()
    before = own_account.inventory()

    outputs = cdk.deploy(throwaway="true")
    assert json.loads(outputs["SaverSettings"]) == {
        "checkpoints_table_name": "langgraph-checkpoints",
        "writes_table_name": "langgraph-writes",
        "region_name": REGION,
    }
    assert cdk.changes(throwaway="true") == ""
    assert own_account.inventory()["tables"] == TABLES

    assert "run_id" in cdk.changes(throwaway="true", run_id_index_name="by-run-id")
    outputs = cdk.deploy(throwaway="true", run_id_index_name="by-run-id")
    assert outputs["RunIdIndexName"] == "by-run-id"
    described = own_account.client("dynamodb").describe_table(TableName="langgraph-checkpoints")
    (index,) = described["Table"]["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == (
        "by-run-id",
        {"ProjectionType": "KEYS_ONLY"},
    )
    assert cdk.changes(throwaway="true", run_id_index_name="by-run-id") == ""

    # A forgotten setting must not remove a resource.
    refused = cdk.try_to_deploy(throwaway="true")
    assert refused.code != 0
    assert "the index by-run-id of langgraph-checkpoints (deleted)" in refused.text
    assert "Traceback" not in refused.text
    assert indexes(own_account) == ["by-run-id"]
    cdk.deploy(throwaway="true", allow_removal="true")
    assert indexes(own_account) == []

    cdk.destroy(throwaway="true", run_id_index_name="by-run-id")
    assert own_account.inventory() == before


def indexes(account: Account) -> list[str]:
    described = account.client("dynamodb").describe_table(TableName="langgraph-checkpoints")
    return [one["IndexName"] for one in described["Table"].get("GlobalSecondaryIndexes", [])]


def test_a_stack_as_it_is_leaves_its_tables_when_it_goes(
    new_cdk: Callable[[Account], Cdk], own_account: Account
) -> None:
    cdk = new_cdk(own_account)
    cdk.bootstrap()
    cdk.deploy()
    cdk.destroy()
    assert own_account.inventory()["tables"] == TABLES
