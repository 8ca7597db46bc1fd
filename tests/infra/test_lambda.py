"""The function of examples/lambda: its package, and its stack on a local engine."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import sys
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment, Stack, Validations
from aws_cdk.assertions import Match, Template
from cdk_nag import AwsSolutionsChecks

from agent_stack import ADAPTER_ACCOUNT, ADAPTER_LAYERS, make_stack
from build_package import ARCHITECTURES, Built, PackageError, build
from tests.infra.tools import CDK, Cdk
from tests.support.engines import running_engine
from tests.support.iam import ACCOUNT, REGION, Policy, asks
from tests.support.lambda_environments import SOURCE, answered, listed, running_environment, said
from tests.support.sessions import new_session, shared_client
from tests.support.tables import new_tables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.account import Account

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]
_ELF_MACHINES = {"x86_64": 62, "arm64": 183}


@dataclass(frozen=True)
class Package:
    """A deployment package.

    Attributes:
        folder: The folder that `build_package.py` has filled.
        built: Its target platform.
    """

    folder: Path
    built: Built

    @property
    def content(self) -> Path:
        return self.folder / "package"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Built for this platform, so that it can run here."""
    folder = tmp_path_factory.mktemp("lambda") / "build"
    return Package(folder, build(HERE, MACHINE, folder))


@pytest.fixture(scope="module")
def template(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.from_stack(stack_of(package, tmp_path_factory.mktemp("cdk")))


def stack_of(package: Package, folder: Path, **context: str) -> Stack:
    app = App(outdir=str(folder), context=context, analytics_reporting=False)
    return make_stack(app, package.folder, env=Environment(account=ACCOUNT, region=REGION))


def test_the_package_runs_where_nothing_else_can_be_imported(
    package: Package, template: Template, tmp_path: Path
) -> None:
    alone = tmp_path / "bin"
    alone.mkdir()
    python = alone / "python"
    # Without `site`, the packages installed here are not found.
    python.write_text(f'#!/bin/sh\nexec {sys.base_prefix}/bin/python{HERE} -S "$@"\n')
    python.chmod(0o755)
    with running_engine() as engine:
        tables = new_tables(engine, shared_client(engine.url))
        index = {"owner": "user_id", "index_name": "by-owner"}
        tables.set_up(thread_index=index)
        settings = {
            "checkpoints_table_name": tables.checkpoints,
            "writes_table_name": tables.writes,
            "thread_index": index,
        }
        variables = {"PATH": f"{alone}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}
        with running_environment(
            engine.url, settings, tmp_path / "log", package.content, **variables
        ) as environment:
            lines = environment.invoke(said("packed", "1", "order 12 chairs"))
            (question,) = [line["question"] for line in lines if "question" in line]
            lines = environment.invoke(answered("packed", question, approved=True))
            (page,) = environment.invoke(listed())
            used = [
                ask
                for asked in environment.relay.asked
                for ask in asks(asked.operation, asked.params)
            ]
        tables.drop()
    assert lines[0]["result"] == "ordered 12 chair(s) for 960.00 EUR"
    assert [one["name"] for one in page["conversations"]] == ["packed"]
    granted = policy_of(template, tables.checkpoints, tables.writes)
    assert [ask for ask in used if not granted.allows(ask)] == []


def policy_of(template: Template, checkpoints: str, writes: str) -> Policy:
    """The permissions of the function's role, with these tables in place of its own."""
    (resource,) = template.find_resources("AWS::IAM::Policy").values()
    arns = {
        "CheckpointsFE37732E": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{checkpoints}",
        "CheckpointsWrites55C2C9FB": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{writes}",
    }
    statements = [
        {**one, "Resource": [arn_of(named, arns) for named in listed_values(one["Resource"])]}
        for one in resource["Properties"]["PolicyDocument"]["Statement"]
        if any(action.startswith("dynamodb:") for action in listed_values(one["Action"]))
    ]
    return Policy.parse(json.dumps({"Statement": statements}))


def listed_values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def arn_of(resource: dict[str, Any], arns: dict[str, str]) -> str:
    """The ARN of a table, or of an index of it."""
    match resource:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return arns[name]
        case {"Fn::Join": ["", [inner, str(rest)]]}:
            return arn_of(inner, arns) + rest
    raise ValueError(f"no ARN of {resource}")


def test_the_package_holds_bytecode_that_counts_and_what_is_started_can_be(
    package: Package,
) -> None:
    assert package.built == Built(HERE, MACHINE, compiled=True)
    assert Built.read(package.folder) == package.built
    assert (package.content / "run.sh").stat().st_mode & stat.S_IXUSR
    sources = list((package.content / "langgraph").rglob("*.py"))
    compiled = [
        next((source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")) for source in sources
    ]
    assert compiled
    # The first flag says that the file contains a hash, the second that Python checks it.
    assert {struct.unpack("<4xI8x", path.read_bytes()[:16])[0] for path in compiled} == {1}


def test_the_package_of_another_platform_is_of_that_platform(tmp_path: Path) -> None:
    (other,) = ARCHITECTURES.keys() - {MACHINE}
    built = build("3.13", other, tmp_path / "build")
    assert (built.python, built.architecture) == ("3.13", other)
    libraries = list((tmp_path / "build" / "package").rglob("*.so"))
    assert libraries
    machines = {struct.unpack("<18xH", path.read_bytes()[:20])[0] for path in libraries}
    assert machines == {_ELF_MACHINES[other]}
    assert {path.name for path in libraries if "cpython-" in path.name} == {
        path.name for path in libraries if "cpython-313-" in path.name
    }


def test_the_stack_asks_for_what_the_package_was_built_for(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Architectures": [MACHINE],
            "Runtime": f"python{HERE}",
            "Handler": "run.sh",
            "ReservedConcurrentExecutions": 20,
            "VpcConfig": Match.absent(),
        },
    )


def test_the_url_streams_to_signed_callers_and_logs_do_not_stay_for_ever(
    template: Template,
) -> None:
    template.has_resource_properties(
        "AWS::Lambda::Url", {"AuthType": "AWS_IAM", "InvokeMode": "RESPONSE_STREAM"}
    )
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 30})
    # Neither the function itself nor an AWS managed policy grants access.
    template.resource_count_is("AWS::Lambda::Permission", 0)
    template.has_resource_properties("AWS::IAM::Role", {"ManagedPolicyArns": Match.absent()})


def test_a_model_of_bedrock_may_be_used_and_no_other(package: Package, tmp_path: Path) -> None:
    stack = stack_of(package, tmp_path, model="bedrock_converse:some.model-v1:0")
    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": {"MODEL": "bedrock_converse:some.model-v1:0"}}},
    )
    text = json.dumps(template.find_resources("AWS::IAM::Policy"))
    assert ":bedrock:*::foundation-model/some.model-v1:0" in text


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"reserved_concurrency": "many"}, "neither a number nor none"),
        ({"concurrency": "3"}, "unknown context"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    package: Package, tmp_path: Path, context: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        stack_of(package, tmp_path, **context)


def test_without_a_package_there_is_no_stack(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"run build_package\.py first"):
        make_stack(App(outdir=str(tmp_path / "out"), analytics_reporting=False), tmp_path)


def test_cdk_nag_finds_nothing_but_that_there_is_a_newer_python(
    package: Package, tmp_path: Path
) -> None:
    stack = stack_of(package, tmp_path)
    app = stack.node.root
    assert isinstance(app, App)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    # Findings end the synthesis after they are reported.
    with suppress(RuntimeError):
        app.synth()
    (report,) = tmp_path.glob("validation-report.json")
    found = {
        (violation["ruleName"], resource["constructPath"])
        for plugin in json.loads(report.read_text())["pluginReports"]
        for violation in plugin["violations"]
        for resource in violation["violatingConstructs"]
    }
    assert found == {("AwsSolutions-L1", "PurchaseDesk/Function/Resource")}


def test_the_stack_is_deployed_and_the_function_runs_on_its_tables(
    package: Package, own_account: Account, tmp_path: Path
) -> None:
    if not CDK.exists():
        pytest.fail(f"there is no {CDK}; `make infra-test` installs it")
    publish_adapter(own_account, package.built.architecture)
    files = [SOURCE / name for name in ("agent_stack.py", "build_package.py", "cdk.json")]
    cdk = Cdk(tmp_path / "app", own_account, files)
    (tmp_path / "app" / "build").symlink_to(package.folder)
    cdk.bootstrap()
    before = own_account.inventory()
    outputs = cdk.deploy(throwaway="true", adapter_version="1")

    client = own_account.client("lambda")
    name = outputs["FunctionName"]
    url = client.get_function_url_config(FunctionName=name)
    assert (url["FunctionUrl"], url["AuthType"], url["InvokeMode"]) == (
        outputs["Url"],
        "AWS_IAM",
        "RESPONSE_STREAM",
    )
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    settings = json.loads(variables["SAVER_SETTINGS"])
    with running_environment(
        own_account.url, settings, tmp_path / "log", package.content
    ) as environment:
        lines = environment.invoke(said("deployed", "1", "order 2 lamps"))
        (page,) = environment.invoke(listed())
    assert [(one["name"], one["status"]) for one in page["conversations"]] == [("deployed", "idle")]
    assert {"tool": "place_order", "result": "ordered 2 lamp(s) for 79.80 EUR"} in lines

    cdk.destroy(throwaway="true", adapter_version="1")
    assert own_account.inventory() == before


def publish_adapter(account: Account, architecture: str) -> None:
    """Publish a layer with the adapter's name in its account."""
    session: Any = new_session()
    client = session.client(
        "lambda",
        endpoint_url=account.url,
        region_name=REGION,
        aws_access_key_id=ADAPTER_ACCOUNT,
        aws_secret_access_key="test",  # noqa: S106 - not a secret
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("bootstrap", "#!/bin/sh")
    layer = ADAPTER_LAYERS[architecture]
    client.publish_layer_version(LayerName=layer, Content={"ZipFile": archive.getvalue()})
    client.add_layer_version_permission(
        LayerName=layer,
        VersionNumber=1,
        StatementId="everybody",
        Action="lambda:GetLayerVersion",
        Principal="*",
    )
