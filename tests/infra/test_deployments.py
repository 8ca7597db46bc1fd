"""The saver on tables deployed by each tool, with the policies that each tool wrote.

A deployment is used with clients that allow only one of its policies, parsed from the JSON that the
tool produced.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, StateGraph
from langgraph.store.base import PutOp
from langgraph.types import Command, interrupt

from langgraph_checkpoint_dynamodb import ServiceError, ThreadConflictError
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from tests.infra.account import Account, running_account
from tests.infra.tools import NODE_MODULES, ROOT, Cdk, Terraform, run, sweep_package
from tests.support.conformance import assert_conforms
from tests.support.iam import ACCOUNT, REGION, Policy
from tests.support.savers import new_saver
from tests.support.sessions import held_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from pathlib import Path

    from langgraph.pregel import Pregel

    from tests.support.savers import Saver

CLOSED = json.dumps({"Version": "2012-10-17", "Statement": []})
# The names that `make demo` uses, so that it finds its tables.
CHECKPOINTS, WRITES, STORE = "demo-checkpoints", "demo-writes", "demo-store"


@dataclass(frozen=True)
class Deployment:
    """What a tool has deployed.

    Attributes:
        tool: Name of the tool.
        account: Account of the deployment.
        settings: Arguments of the saver, from the tool's outputs.
        store_settings: Arguments of the store, from the tool's outputs.
        policies: The JSON of each role's policy, from the tool's outputs.
        changes: The changes that the tool reports for a second deployment.
        sweep: Name of the function that sweeps.
    """

    tool: str
    account: Account
    settings: Mapping[str, Any]
    store_settings: Mapping[str, Any]
    policies: Mapping[str, str]
    changes: Callable[[], str]
    sweep: str

    def saver(self, policy: str, settings: Mapping[str, Any] | None = None, **tags: str) -> Saver:
        """A saver limited to a policy, as a principal with these tags."""
        held = Policy.parse(policy, **tags)
        session = held_session(held.allows, self.account.url)
        return new_saver(
            **self.settings, **(settings or {}), session=session, endpoint_url=self.account.url
        )

    def store(self, policy: str, **tags: str) -> DynamoDBStore:
        """A store limited to a policy, as a principal with these tags."""
        return opened_store(self.account, self.store_settings, policy, **tags)


def opened_store(
    account: Account, settings: Mapping[str, Any], policy: str, **tags: str
) -> DynamoDBStore:
    """A store limited to a policy."""
    held = Policy.parse(policy, **tags)
    session = held_session(held.allows, account.url)
    return DynamoDBStore(**settings, session=session, endpoint_url=account.url)


@contextmanager
def by_terraform(new: Callable[..., Terraform], folder: Path) -> Iterator[Deployment]:
    with running_account(folder / "log") as account:
        before = account.inventory()
        terraform = new("examples/complete", account)
        variables = {"name": "demo", "protected": False, "sweep_package": sweep_package()}
        outputs = terraform.apply(**variables)
        yield Deployment(
            "terraform",
            account,
            outputs["saver_settings"],
            outputs["store_settings"],
            outputs["policies"],
            lambda: terraform.changes(**variables),
            outputs["sweep_function_name"],
        )
        said = terraform.destroy(**variables)
        assert said.code == 0, said.text
        assert account.inventory() == before


@contextmanager
def by_cdk(new: Callable[..., Cdk], folder: Path) -> Iterator[Deployment]:
    with running_account(folder / "log") as account:
        cdk = new(account)
        cdk.bootstrap()
        before = account.inventory()
        context = {
            "checkpoints_table_name": CHECKPOINTS,
            "writes_table_name": WRITES,
            "store_table_name": STORE,
            "run_id_index_name": "by-run-id",
            "thread_index_owner": "user_id",
            "ttl": "2592000",
            "bucket": "create",
            # The engine cannot run the function that would empty it.
            "bucket_force_destroy": "false",
            "bucket_key_prefix": "agents/",
            "sweep_schedule": "cron(0 3 * * ? *)",
            "sweep_package": sweep_package(),
            "create_policies": "true",
            "policy_name_prefix": "demo",
            "tenant_thread_id_prefix": "${aws:PrincipalTag/tenant}_",
            "tenant_owner_prefix": "${aws:PrincipalTag/tenant}_",
            "tenant_root_label": "${aws:PrincipalTag/tenant}",
            "throwaway": "true",
        }
        outputs = cdk.deploy(**context)
        yield Deployment(
            "cdk",
            account,
            json.loads(outputs["SaverSettings"]),
            json.loads(outputs["StoreSettings"]),
            {
                role: outputs[f"{role.capitalize()}PolicyJson"]
                for role in ("read", "runtime", "setup", "admin", "tenant")
            },
            lambda: cdk.changes(**context),
            outputs["SweepFunctionName"],
        )
        bucket = json.loads(outputs["SaverSettings"])["s3_offload_config"]["bucket_name"]
        emptied = {**context, "bucket_force_destroy": "true"}
        empty_as_the_cdk_does(cdk.asset("auto-delete-objects", **emptied), account, bucket)
        cdk.destroy(**context)
        assert account.inventory() == before


def empty_as_the_cdk_does(code: Path, account: Account, bucket: str) -> None:
    """Run the code of the CDK's own function that empties a bucket before it is deleted.

    CloudFormation would run it. The engine's cannot: the function responds over TLS only.
    """
    client = account.client("s3")
    versions = client.list_object_versions(Bucket=bucket)
    # Otherwise there would be nothing to empty.
    assert len(versions["Versions"]) + len(versions["DeleteMarkers"]) > 1
    # It only empties buckets with the tag that CDK sets on those that it may empty.
    tag = {"Key": "aws-cdk:auto-delete-objects", "Value": "true"}
    client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [tag]})
    event = {"RequestType": "Delete", "ResourceProperties": {"BucketName": bucket}}
    script = f"require('./index.js').autoDeleteHandler({json.dumps(event)})"
    said = run(
        ["node", "--unhandled-rejections=strict", "-e", script],
        code,
        {
            "NODE_PATH": str(NODE_MODULES),
            "AWS_ENDPOINT_URL_S3": account.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
        },
    )
    assert said.code == 0, said.text
    left = client.list_object_versions(Bucket=bucket)
    assert not {"Versions", "DeleteMarkers"} & left.keys()


@pytest.fixture(scope="module", params=["terraform", "cdk"])
def deployment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    tool: str = request.param
    deploy: Any = {"terraform": by_terraform, "cdk": by_cdk}[tool]
    new = request.getfixturevalue(f"new_{tool}")
    with deploy(new, tmp_path_factory.mktemp(tool)) as made:
        yield made


@pytest.fixture(autouse=True)
def empty_tables(deployment: Deployment) -> None:
    """One deployment serves many tests; each starts without threads."""
    deployment.account.empty(CHECKPOINTS, WRITES, STORE)


def extend(log: list[str], writes: list[list[str]]) -> list[str]:
    return [*log, *(entry for write in writes for entry in write)]


class State(TypedDict):
    """A question, the messages since, and a value too large for an item."""

    log: Annotated[list[str], DeltaChannel(extend, snapshot_frequency=4)]
    large: str


def asking_graph(saver: Saver) -> Pregel[Any, Any, Any, Any]:
    def ask(state: State) -> dict[str, Any]:
        return {"log": [interrupt(f"{state['log'][-1]}: go on?")]}

    def answer(state: State) -> dict[str, Any]:
        return {"log": ["done"], "large": state["large"] + "x" * 500_000}

    builder = StateGraph(State)
    builder.add_node("ask", ask)
    builder.add_node("answer", answer)
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "answer")
    return builder.compile(checkpointer=saver)


def converse(saver: Saver, thread_id: str, turns: int = 2, owner: str = "ann") -> list[str]:
    """Turns of a conversation that is interrupted for a human; returns its final messages."""
    graph = asking_graph(saver)
    config: Any = {"configurable": {"thread_id": thread_id, "user_id": owner}}
    for turn in range(turns):
        graph.invoke({"log": [f"turn {turn}"], "large": ""}, config)
        graph.invoke(Command(resume="yes"), config)
    assert len(list(graph.get_state_history(config))) == 4 * turns
    log: list[str] = graph.get_state(config).values["log"]
    return log


SAID = ["turn 0", "yes", "done", "turn 1", "yes", "done"]


def test_a_second_deployment_has_nothing_to_change(deployment: Deployment) -> None:
    assert deployment.changes() == ""


def test_setup_finds_the_tables_right_with_the_rights_of_setup_alone(
    deployment: Deployment,
) -> None:
    client = deployment.account.client("dynamodb")
    before = client.describe_table(TableName=CHECKPOINTS)["Table"]
    with verifying(deployment, deployment.policies["setup"]) as saver:
        saver.setup()
    assert client.describe_table(TableName=CHECKPOINTS)["Table"]["KeySchema"] == before["KeySchema"]
    if deployment.tool == "terraform":
        # The engine's CloudFormation ignores the time to live, so setup() would turn it on.
        with deployment.store(deployment.policies["setup"]) as store:
            store.setup()
    assert client.list_tables()["TableNames"] == [CHECKPOINTS, STORE, WRITES]


def test_the_saver_conforms_with_the_rights_of_upkeep(deployment: Deployment) -> None:
    async def fresh() -> AsyncIterator[Any]:
        deployment.account.empty(CHECKPOINTS, WRITES)
        async with deployment.saver(deployment.policies["admin"]) as saver:
            yield saver

    assert_conforms(fresh)


def test_the_demo_tells_its_story_on_the_tables(deployment: Deployment) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "examples.approval_agent"],
        cwd=ROOT,
        env={**os.environ, "DYNAMODB_ENDPOINT_URL": deployment.account.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_graph_runs_with_the_rights_of_runtime_alone(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    with deployment.saver(deployment.policies["runtime"]) as saver:
        assert converse(saver, "alone") == SAID
    assert caplog.records == []
    bucket = deployment.settings["s3_offload_config"]["bucket_name"]
    s3 = deployment.account.client("s3")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="agents/alone/")["KeyCount"] > 0
    everything = s3.list_objects_v2(Bucket=bucket)["Contents"]
    # Other tests have a store in this bucket.
    prefixes = ("agents/", deployment.store_settings["s3_offload_config"]["key_prefix"])
    assert all(found["Key"].startswith(prefixes) for found in everything)


@pytest.mark.parametrize(
    "act",
    [
        lambda saver: saver.delete_thread("running"),
        lambda saver: saver.prune(["running"], strategy="delete"),
        lambda saver: saver.copy_thread("running", "elsewhere"),
        lambda saver: list(saver.list(None)),
        lambda saver: saver.sweep_orphans(older_than=timedelta(days=1)),
    ],
    ids=["delete", "prune", "copy", "list all", "sweep"],
)
def test_runtime_has_no_rights_of_upkeep(
    deployment: Deployment, act: Callable[[Saver], object]
) -> None:
    with deployment.saver(deployment.policies["runtime"]) as saver:
        converse(saver, "running", turns=1)
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:"):
            act(saver)


def listed(saver: Saver, owner: str | None = None) -> set[str]:
    return {info.thread_id for info in saver.list_threads(owner=owner, limit=100).threads}


def test_agents_list_an_owners_threads_and_those_who_watch_everybodys(
    deployment: Deployment,
) -> None:
    assert deployment.settings["thread_index"] == {"owner": "user_id", "index_name": "by-owner"}
    with deployment.saver(deployment.policies["runtime"]) as saver:
        converse(saver, "hers", turns=1)
        converse(saver, "his", turns=1, owner="bob")
        saver.update_thread("hers", title="Coffee")
        assert listed(saver, "ann") == {"hers"}
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:Scan"):
            saver.list_threads()
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:"):
            saver.delete_threads(owner="ann")
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:Scan"):
            saver.reindex_threads()
    with deployment.saver(deployment.policies["read"]) as saver:
        assert listed(saver) == {"hers", "his"}
        assert listed(saver, "bob") == {"his"}
        assert (found := saver.get_thread("hers")) is not None
        assert (found.title, found.status) == ("Coffee", "idle")
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:UpdateItem"):
            saver.update_thread("hers", title="Tea")
    with deployment.saver(deployment.policies["admin"]) as saver:
        saver.reindex_threads()
        assert saver.reindex_threads() == 0
        assert saver.delete_threads(owner="ann") == 1
        assert listed(saver) == {"his"}


@pytest.mark.parametrize("role", ["runtime", "read"])
def test_a_thread_is_not_listed_without_the_right_to_query_its_index(
    deployment: Deployment, role: str
) -> None:
    policy = json.loads(deployment.policies[role])
    policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != "ThreadIndex"]
    with (
        deployment.saver(json.dumps(policy)) as saver,
        pytest.raises(ServiceError, match=r"dynamodb:Query on resource: .*/index/by-owner"),
    ):
        saver.list_threads(owner="ann")


def test_runs_that_end_at_conflicts_need_the_rights_of_runtime_alone(
    deployment: Deployment,
) -> None:
    with deployment.saver(deployment.policies["runtime"], {"on_conflict": "raise"}) as saver:
        assert converse(saver, "fenced") == SAID
        stale = saver.get_tuple({"configurable": {"thread_id": "fenced"}})
        assert stale is not None
        asking_graph(saver).invoke(
            {"log": ["more"], "large": ""}, {"configurable": {"thread_id": "fenced"}}
        )
        checkpoint = stale.checkpoint.copy()
        checkpoint["id"] = "ffffffff-0000-6000-8000-000000000000"
        with pytest.raises(ThreadConflictError):
            saver.put(stale.config, checkpoint, {"source": "loop", "step": 99}, {})


@pytest.mark.parametrize("role", ["runtime", "admin"])
def test_an_application_may_verify_its_tables_when_it_starts(
    deployment: Deployment, role: str
) -> None:
    with verifying(deployment, deployment.policies[role]) as saver:
        saver.setup()
    with (
        verifying(deployment, deployment.policies[role], run_id_index="by-another") as saver,
        pytest.raises(ServiceError, match="not authorized to perform: dynamodb:UpdateTable"),
    ):
        saver.setup()


def test_what_may_not_be_verified_is_named(deployment: Deployment) -> None:
    with (
        verifying(deployment, deployment.policies["read"]) as saver,
        pytest.raises(ServiceError, match="not authorized to perform: dynamodb:DescribeTable"),
    ):
        saver.setup()


def verifying(deployment: Deployment, policy: str, **changed: Any) -> Saver:
    """A saver that may call `setup()`."""
    settings = {**deployment.settings, **changed}
    if deployment.tool == "cdk":
        # The engine's CloudFormation ignores the time to live, so setup() would turn it on.
        settings.pop("ttl_seconds")
    session = held_session(Policy.parse(policy).allows)
    return new_saver(**settings, session=session, endpoint_url=deployment.account.url)


def test_upkeep_deletes_copies_prunes_and_sweeps(deployment: Deployment) -> None:
    with deployment.saver(deployment.policies["admin"]) as saver:
        converse(saver, "kept", turns=1)
        saver.copy_thread("kept", "copied")
        saver.prune(["kept"])
        saver.delete_for_runs(["no such run"])
        saver.delete_thread("kept")
        left = {found.config["configurable"]["thread_id"] for found in saver.list(None)}
        assert left == {"copied"}
        saver.sweep_orphans(older_than=timedelta(days=1))


def test_the_function_of_the_schedule_sweeps_the_tables(deployment: Deployment) -> None:
    with deployment.saver(deployment.policies["admin"], {"clock": lambda: 1e9}) as saver:
        saver.put_writes(
            {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "0001"}},
            [("value", b"x" * 500_000)],
            "task",
        )
    client = deployment.account.client("lambda")
    settings = client.get_function_configuration(FunctionName=deployment.sweep)
    assert (settings["Timeout"], settings["Runtime"]) == (900, "python3.13")
    answer = client.invoke(FunctionName=deployment.sweep, Payload=b"{}")
    report = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, report
    assert (report["writes_deleted"], report["objects_deleted"]) == (1, 1)
    assert report["resume_from"] is None
    (rule,) = deployment.account.client("events").list_rules()["Rules"]
    assert rule["ScheduleExpression"] == "cron(0 3 * * ? *)"
    (target,) = deployment.account.client("events").list_targets_by_rule(Rule=rule["Name"])[
        "Targets"
    ]
    assert target["Arn"] == settings["FunctionArn"]


def test_readers_read_and_write_nothing(deployment: Deployment) -> None:
    with deployment.saver(deployment.policies["runtime"]) as saver:
        converse(saver, "watched", turns=1)
    with deployment.saver(deployment.policies["read"]) as saver:
        graph = asking_graph(saver)
        config: Any = {"configurable": {"thread_id": "watched"}}
        assert len(graph.get_state(config).values["large"]) == 500_000
        assert len(list(graph.get_state_history(config))) == 4
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:PutItem"):
            graph.update_state(config, {"log": ["more"]})


def test_a_tenant_runs_its_own_threads_and_reaches_no_others(deployment: Deployment) -> None:
    tenant = deployment.policies["tenant"]
    with deployment.saver(tenant, tenant="blue") as saver:
        assert converse(saver, "blue_1") == SAID
        for foreign in ("red_1", "blue", "bluer_1", "1"):
            with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:"):
                saver.get_tuple({"configurable": {"thread_id": foreign}})
    with deployment.saver(tenant, tenant="red") as saver:
        assert converse(saver, "red_1") == SAID
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:"):
            saver.get_tuple({"configurable": {"thread_id": "blue_1"}})


def test_a_tenant_lists_the_threads_of_its_own_owners_and_of_no_others(
    deployment: Deployment,
) -> None:
    tenant = deployment.policies["tenant"]
    with deployment.saver(tenant, tenant="red") as saver:
        converse(saver, "red_1", turns=1, owner="red_ann")
    with deployment.saver(tenant, tenant="blue") as saver:
        converse(saver, "blue_1", turns=1, owner="blue_ann")
        assert listed(saver, "blue_ann") == {"blue_1"}
        for owner in ("red_ann", "ann", "blue", None):
            with pytest.raises(ServiceError, match=r"not authorized.*index/by-owner"):
                saver.list_threads(owner=owner)
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:"):
            saver.update_thread("red_1", title="Mine")


def test_without_rights_the_saver_says_which_one_it_lacks_and_where(
    deployment: Deployment,
) -> None:
    with (
        deployment.saver(CLOSED) as saver,
        pytest.raises(
            ServiceError, match=f"not authorized.* {CHECKPOINTS}|{CHECKPOINTS}.*not auth"
        ),
    ):
        saver.get_tuple({"configurable": {"thread_id": "t"}})


@pytest.mark.parametrize(
    "action",
    ["dynamodb:PutItem", "dynamodb:Query", "s3:GetObject", "s3:PutObject"],
)
def test_a_graph_does_not_run_without_one_of_the_rights_of_runtime(
    deployment: Deployment, action: str
) -> None:
    policy = json.loads(deployment.policies["runtime"])
    for statement in policy["Statement"]:
        statement["Action"] = [kept for kept in statement["Action"] if kept != action]
    with (
        deployment.saver(json.dumps(policy)) as saver,
        pytest.raises(ServiceError, match=f"not authorized to perform: {action} "),
    ):
        converse(saver, "short")


def remember(store: DynamoDBStore, root: str = "ann") -> None:
    """An agent's use of a store: small and large values, a search, and deletes."""
    store.put((root, "likes"), "food", {"soup": True, "rating": 4.5})
    store.put((root, "notes"), "long", {"text": "x" * 1_500_000})
    store.batch([PutOp((root, "notes"), str(number), {"n": number}) for number in range(3)])
    store.put((root, "gone"), "soon", {}, ttl=60)
    assert [found.key for found in store.search((root, "likes"))] == ["food"]
    (found,) = store.search((root,), filter={"rating": {"$gte": 4}})
    assert found.value == {"soup": True, "rating": 4.5}
    long = store.get((root, "notes"), "long")
    assert long is not None
    assert len(long.value["text"]) == 1_500_000
    store.delete((root, "notes"), "0")
    assert store.get((root, "notes"), "0") is None


def test_a_store_is_used_with_the_rights_of_runtime_alone(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    with deployment.store(deployment.policies["runtime"]) as store:
        remember(store)
        assert store.list_namespaces(prefix=("ann",)) == [
            ("ann", "gone"),
            ("ann", "likes"),
            ("ann", "notes"),
        ]
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:Scan"):
            store.sweep_orphans()
    assert caplog.records == []
    offload = deployment.store_settings["s3_offload_config"]
    s3 = deployment.account.client("s3")
    prefix = f"{offload['key_prefix']}ann/"
    assert s3.list_objects_v2(Bucket=offload["bucket_name"], Prefix=prefix)["KeyCount"] > 0
    with deployment.store(deployment.policies["read"]) as store:
        assert len(store.search(("ann",))) == 5
        with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:"):
            store.put(("ann",), "k", {})
    with deployment.store(deployment.policies["admin"]) as store:
        store.sweep_orphans()
        store.delete(("ann", "notes"), "long")
    assert s3.list_objects_v2(Bucket=offload["bucket_name"], Prefix=prefix)["KeyCount"] == 0


def test_a_tenant_has_its_own_root_label_in_the_store_and_no_other(
    deployment: Deployment,
) -> None:
    policy = deployment.policies["tenant"]
    with deployment.store(policy, tenant="red") as store:
        remember(store, "red")
    with deployment.store(policy, tenant="blue") as store:
        remember(store, "blue")
        for act in (
            lambda: store.get(("red", "likes"), "food"),
            lambda: store.search(("red",)),
            lambda: store.put(("red", "likes"), "food", {}),
            lambda: store.delete(("red", "notes"), "long"),
            lambda: store.get(("blue2",), "k"),
            # These would list the namespaces of all tenants.
            lambda: store.search(()),
            store.list_namespaces,
        ):
            with pytest.raises(ServiceError, match="not authorized to perform: dynamodb:"):
                act()
    with deployment.store(deployment.policies["read"]) as store:
        assert len(store.search(("red",))) == 5


def test_the_table_of_a_store_expires_items_and_is_billed_and_protected_as_the_others(
    deployment: Deployment,
) -> None:
    client = deployment.account.client("dynamodb")
    tables = [client.describe_table(TableName=name)["Table"] for name in (CHECKPOINTS, STORE)]
    kept = ("BillingModeSummary", "DeletionProtectionEnabled", "OnDemandThroughput")
    checkpoints, store = ({name: table.get(name) for name in kept} for table in tables)
    assert checkpoints["BillingModeSummary"].pop("LastUpdateToPayPerRequestDateTime", 0) is not None
    assert store["BillingModeSummary"].pop("LastUpdateToPayPerRequestDateTime", 0) is not None
    assert store == checkpoints
    if deployment.tool == "terraform":
        expiry = client.describe_time_to_live(TableName=STORE)["TimeToLiveDescription"]
        assert (expiry["TimeToLiveStatus"], expiry["AttributeName"]) == ("ENABLED", "ttl")
