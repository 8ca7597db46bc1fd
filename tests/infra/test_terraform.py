"""The Terraform module: linted, applied as shipped, changed, imported into and destroyed."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.recovery import Tables, restore_tables
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from tests.infra.shapes import declared, defaults
from tests.infra.tools import ROOT, Terraform, ToolError, run
from tests.support.calls import SyncCalls
from tests.support.iam import REGION, Policy
from tests.support.sessions import held_session, new_session
from tests.support.values import put_chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.account import Account

MODULE = ROOT / "terraform"
CHECKOV = Path(".venv-checkov/bin/checkov").resolve()
TABLES = ["langgraph-checkpoints", "langgraph-writes"]


def test_the_module_is_formatted() -> None:
    said = run(["terraform", "fmt", "-check", "-recursive", "-diff"], MODULE, quiet())
    assert (said.code, said.text) == (0, "")


def quiet() -> dict[str, str]:
    return {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}


@pytest.mark.parametrize("root", [".", "examples/basic", "examples/complete"])
def test_the_module_and_its_examples_are_valid(
    new_terraform: Callable[[str, Account], Terraform], account: Account, root: str
) -> None:
    assert json.loads(new_terraform(root, account).validate())["diagnostics"] == []


def test_the_modules_own_tests_pass(
    new_terraform: Callable[[str, Account], Terraform], account: Account
) -> None:
    summary = new_terraform(".", account).test().splitlines()[-1]
    found = re.fullmatch(r"Success! (\d+) passed, 0 failed\.", summary)
    assert found, summary
    runs = sum(len(re.findall(r'^run "', path.read_text(), re.M)) for path in native_tests())
    assert int(found[1]) == runs > 0


def native_tests() -> list[Path]:
    return list((MODULE / "tests").glob("*.tftest.hcl"))


def test_every_validation_has_a_test_that_expects_it_to_fail() -> None:
    validated = {name: block.count("  validation {") for name, block in declared().items()}
    assert sum(validated.values()) > 0
    failures = "".join(path.read_text(encoding="utf-8") for path in native_tests())
    for name, count in validated.items():
        expected = len(re.findall(rf"expect_failures = \[\s*var\.{name},?\s*\]", failures))
        assert expected >= count, name


def test_checkov_finds_nothing_that_is_not_explained() -> None:
    if not CHECKOV.exists():
        pytest.fail(f"there is no {CHECKOV}; `make infra-test` installs it")
    said = run(
        [str(CHECKOV), "--directory=.", "--framework=terraform", "--output=json"],
        MODULE,
        {"PYTHONWARNINGS": "ignore"},
    )
    report = json.loads(said.output)
    failed = {
        (check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]
    }
    assert failed == set()
    assert report["summary"]["passed"] > 0
    skipped = report["results"]["skipped_checks"]
    assert all(len(check["check_result"]["suppress_comment"]) > 20 for check in skipped)


def test_the_readme_has_every_input_with_its_default_and_every_output() -> None:
    assert defaults().keys() == declared().keys()
    assert {name: default for name, _, default, _ in documented("Inputs")} == defaults()
    outputs = re.findall(r'^output "(\w+)"', (MODULE / "outputs.tf").read_text(), re.MULTILINE)
    assert sorted(name for name, _ in documented("Outputs")) == sorted(outputs)


def documented(section: str) -> list[list[str]]:
    """The rows of the README's table in a section."""
    readme = (MODULE / "README.md").read_text(encoding="utf-8")
    text = readme.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [
        [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def test_the_folder_applies_as_it_is_and_protects_what_it_made_until_told_otherwise(
    new_terraform: Callable[[str, Account], Terraform], own_account: Account
) -> None:
    before = own_account.inventory()
    terraform = new_terraform(".", own_account)

    outputs = terraform.apply()
    assert outputs["saver_settings"] == {
        "checkpoints_table_name": TABLES[0],
        "writes_table_name": TABLES[1],
        "region_name": REGION,
    }
    assert terraform.changes() == ""
    client = own_account.client("dynamodb")
    for name in TABLES:
        table = client.describe_table(TableName=name)["Table"]
        assert table["DeletionProtectionEnabled"] is True
        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
        backups = client.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    put_thread(own_account, "kept")

    said = terraform.destroy()
    assert said.code != 0
    assert "protect" in said.text
    assert own_account.inventory()["tables"] == set(TABLES)

    # An addition to a table in use keeps the table and its items.
    terraform.apply(deletion_protection=False, run_id_index_name="by-run-id")
    assert terraform.changes(deletion_protection=False, run_id_index_name="by-run-id") == ""
    assert has_thread(own_account, "kept", run_id_index="by-run-id")

    said = terraform.destroy(deletion_protection=False, run_id_index_name="by-run-id")
    assert said.code == 0, said.text
    assert own_account.inventory() == before


def test_a_refused_destroy_leaves_agents_all_that_they_need(
    new_terraform: Callable[[str, Account], Terraform], own_account: Account
) -> None:
    before = own_account.inventory()
    terraform = new_terraform("examples/complete", own_account)
    outputs = terraform.apply()
    bucket = outputs["saver_settings"]["s3_offload_config"]["bucket_name"]
    made, settings = own_account.inventory(), settings_of(own_account, bucket)
    attached = attached_policies(own_account)
    assert attached == {
        "langgraph-complete-agent": ["langgraph-complete-runtime"],
        "langgraph-complete-upkeep": ["langgraph-complete-admin"],
    }

    said = terraform.destroy()
    assert said.code != 0
    assert "protect" in said.text
    assert own_account.inventory() == made
    assert settings_of(own_account, bucket) == settings
    assert attached_policies(own_account) == attached
    planned = terraform.plan()["resource_changes"]
    assert {action for one in planned for action in one["change"]["actions"]} == {"no-op"}

    terraform.apply(protected=False)
    said = terraform.destroy(protected=False)
    assert said.code == 0, said.text
    assert own_account.inventory() == before


def settings_of(account: Account, bucket: str) -> dict[str, Any]:
    """The settings of a bucket."""
    client = account.client("s3")
    asked = {
        "policy": client.get_bucket_policy,
        "versioning": client.get_bucket_versioning,
        "rules": client.get_bucket_lifecycle_configuration,
        "blocked": client.get_public_access_block,
        "ownership": client.get_bucket_ownership_controls,
        "encryption": client.get_bucket_encryption,
    }
    answers = {name: ask(Bucket=bucket) for name, ask in asked.items()}
    for answer in answers.values():
        del answer["ResponseMetadata"]
    return answers


def attached_policies(account: Account) -> dict[str, list[str]]:
    """Names of the managed policies of each role."""
    client = account.client("iam")
    return {
        name: [
            found["PolicyName"]
            for found in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        ]
        for name in sorted(account.inventory()["roles"])
    }


def test_tables_that_setup_made_are_imported_and_protected_with_their_items(
    new_terraform: Callable[[str, Account], Terraform], own_account: Account
) -> None:
    with saver(own_account) as made:
        made.setup()
    put_thread(own_account, "older")
    terraform = new_terraform(".", own_account)
    for role, name in zip(("checkpoints", "writes"), TABLES, strict=True):
        terraform.import_(f'aws_dynamodb_table.this["{role}"]', name)
    changes = [
        found["change"]["actions"]
        for found in terraform.plan()["resource_changes"]
        if found["type"] == "aws_dynamodb_table"
    ]
    assert changes == [["update"], ["update"]]
    terraform.apply()
    assert terraform.changes() == ""
    assert has_thread(own_account, "older")


def test_restored_tables_are_taken_over_with_all_that_a_restore_leaves_out(
    new_terraform: Callable[[str, Account], Terraform], own_account: Account
) -> None:
    """As the README describes it. The engine restores the current contents of the tables."""
    settings: dict[str, Any] = {
        "thread_index_owner": "user_id",
        "create_policies": True,
        "policy_name_prefix": "agents",
    }
    terraform = new_terraform(".", own_account)
    terraform.apply(**settings)
    put_thread(own_account, "kept")
    client = own_account.client("dynamodb")
    source = Tables(*TABLES)
    target = source.with_suffix("-restored")
    moment = datetime.now(timezone.utc).replace(microsecond=0)
    restore_tables(client, source, target, moment, say=lambda _: None)

    terraform.forget("aws_dynamodb_table.this")
    settings |= {
        "checkpoints_table_name": target.checkpoints,
        "writes_table_name": target.writes,
    }
    for role, name in (("checkpoints", target.checkpoints), ("writes", target.writes)):
        terraform.import_(f'aws_dynamodb_table.this["{role}"]', name, **settings)
    planned = {
        found["address"]: found["change"]["actions"]
        for found in terraform.plan(**settings)["resource_changes"]
        if found["change"]["actions"] != ["no-op"]
    }
    # Only the policies change: they refer to the new tables.
    roles = ("admin", "read", "runtime", "setup")
    assert planned == {f'aws_iam_policy.this["{role}"]': ["update"] for role in roles}
    outputs = terraform.apply(**settings)
    assert terraform.changes(**settings) == ""
    assert target.checkpoints in outputs["runtime_policy_json"]
    with DynamoDBSaver(
        **outputs["saver_settings"], session=new_session(), endpoint_url=own_account.url
    ) as made:
        assert len(list(made.list({"configurable": {"thread_id": "kept"}}))) == 3
    assert own_account.inventory()["tables"] == {*TABLES, target.checkpoints, target.writes}


def test_the_vector_index_that_setup_makes_outlives_an_apply(
    new_terraform: Callable[[str, Account], Terraform], own_account: Account
) -> None:
    terraform = new_terraform(".", own_account)
    variables = {"store_table_name": "memories", "store_vector_index_name": "vectors"}
    outputs = terraform.apply(**variables)
    held = Policy.parse(outputs["setup_policy_json"])
    with DynamoDBStore(
        **outputs["store_settings"],
        index={"dims": 4, "embed": lambda texts: [[1.0, 0.0, 0.0, 0.0] for _ in texts]},
        session=held_session(held.allows, own_account.url),
        endpoint_url=own_account.url,
    ) as store:
        store.setup()

    def index() -> Any:
        client = own_account.client("dynamodb")
        return client.describe_table(TableName="memories")["Table"]["VectorIndexes"]

    made = index()
    # The provider does not know the vector indexes that use these attributes.
    assert terraform.changes(**variables).count("- attribute {") == 4
    terraform.apply(**variables)
    assert index() == made
    assert [one["IndexName"] for one in made] == ["vectors"]


def test_a_replica_in_the_providers_own_region_is_refused(
    new_terraform: Callable[[str, Account], Terraform], account: Account
) -> None:
    with pytest.raises(ToolError, match="replica_regions holds the provider's own region"):
        new_terraform(".", account).plan(replica_regions=[REGION])


def saver(account: Account, **settings: Any) -> DynamoDBSaver:
    return DynamoDBSaver(
        checkpoints_table_name=TABLES[0],
        writes_table_name=TABLES[1],
        session=new_session(),
        endpoint_url=account.url,
        **settings,
    )


def put_thread(account: Account, thread_id: str) -> None:
    with saver(account) as made:
        put_chain(SyncCalls(made), thread_id, 3)


def has_thread(account: Account, thread_id: str, **settings: Any) -> bool:
    with saver(account, **settings) as made:
        made.setup()
        return len(list(made.list({"configurable": {"thread_id": thread_id}}))) == 3
