"""The command lines of Terraform and the CDK, run on copies of what this repository ships.

Neither leaves files in the repository. Both connect to loopback only, except that `terraform init`
downloads its provider if `TF_PLUGIN_DIR` names no mirror of it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.iam import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.infra.account import Account

ROOT = Path(__file__).parent.parent.parent
STORE_APP = (ROOT / "cdk" / "app.py", ROOT / "cdk" / "cdk.json")
NODE_MODULES = Path(".engines/cdk/node_modules").resolve()
CDK = Path(".engines/cdk/node_modules/.bin/cdk").resolve()
_SECONDS = 600

_PROVIDER = """
provider "aws" {{
  region                      = "{region}"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  s3_use_path_style           = true

  endpoints {{
    cloudwatch = "{url}"
    dynamodb = "{url}"
    events   = "{url}"
    iam      = "{url}"
    kms      = "{url}"
    lambda   = "{url}"
    logs     = "{url}"
    s3       = "{url}"
    sts      = "{url}"
  }}
}}
"""


@cache
def sweep_package() -> str:
    """Path of a zip file with only this package: the engine's Python has its dependencies."""
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(
        ROOT / "langgraph_checkpoint_dynamodb",
        folder / "code" / "langgraph_checkpoint_dynamodb",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return shutil.make_archive(str(folder / "sweep"), "zip", folder / "code")


class ToolError(Exception):
    """A command failed; the message is its output."""


@dataclass(frozen=True)
class Said:
    """Result of a command.

    Attributes:
        code: Its exit code.
        text: All it printed.
        output: What it printed on standard output.
    """

    code: int
    text: str
    output: str


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> Said:
    """Run a command in a folder, without any settings of a real account."""
    foreign = ("AWS_", "TF_", "CDK_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) or name == "TF_PLUGIN_CACHE_DIR"
    }
    with subprocess.Popen(  # noqa: S603 - our own commands
        command,
        cwd=folder,
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            # Both tools start child processes that would outlive them.
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            raise ToolError(f"{command} took over {_SECONDS} s:\n{output}{errors}") from None
    return Said(process.returncode, output + errors, output)


class Terraform:
    """A root module in a folder of its own, on an account.

    Args:
        copy: Where to copy the shipped module to.
        account: The account it works on.
        root: The folder within it that is applied.
    """

    def __init__(self, copy: Path, account: Account, root: str = ".") -> None:
        # Files that Terraform has left there if a developer has run it in the folder.
        left = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars*", "*.tfplan")
        shutil.copytree(ROOT / "terraform", copy, ignore=left)
        self._folder = copy / root
        provider = _PROVIDER.format(url=account.url, region=REGION)
        (self._folder / "local_provider.tf").write_text(provider, encoding="utf-8")
        empty = copy / "empty.tfrc"
        empty.touch()
        self._environment = {
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(empty),
            "TF_IN_AUTOMATION": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def init(self) -> None:
        """Install the provider, from the mirror in `TF_PLUGIN_DIR` if it is set."""
        mirror = os.environ.get("TF_PLUGIN_DIR")
        self._run("init", "-input=false", *([f"-plugin-dir={mirror}"] if mirror else []))

    def validate(self) -> str:
        """The errors in the configuration, as JSON."""
        return self._run("validate", "-json").output

    def test(self) -> str:
        """The output of the module's own tests."""
        return self._run("test").output

    def import_(self, address: str, name: str, **variables: object) -> None:
        """Import an existing resource."""
        self._run("import", "-input=false", *_variables(variables), address, name)

    def forget(self, address: str) -> None:
        """Remove a resource from the state without deleting it."""
        said = run(["terraform", "state", "rm", address], self._folder, self._environment)
        if said.code:
            raise ToolError(said.text)

    def plan(self, **variables: object) -> dict[str, Any]:
        """The planned changes, as JSON."""
        self._run("plan", "-input=false", "-out=made.tfplan", *_variables(variables))
        shown: dict[str, Any] = json.loads(self._run("show", "-json", "made.tfplan").output)
        return shown

    def changes(self, **variables: object) -> str:
        """The changes that another apply would make; empty if none."""
        said = self._try("plan", "-input=false", "-detailed-exitcode", *_variables(variables))
        if said.code not in (0, 2):
            raise ToolError(said.text)
        return said.text if said.code else ""

    def apply(self, **variables: object) -> dict[str, Any]:
        """Create everything; returns the outputs."""
        self._run("apply", "-input=false", "-auto-approve", *_variables(variables))
        outputs = json.loads(self._run("output", "-json").output)
        return {name: output["value"] for name, output in outputs.items()}

    def destroy(self, **variables: object) -> Said:
        """Delete everything that can be deleted; returns the result."""
        return self._try("destroy", "-input=false", "-auto-approve", *_variables(variables))

    def _run(self, *arguments: str) -> Said:
        said = self._try(*arguments)
        if said.code:
            raise ToolError(f"terraform {arguments[0]}:\n{said.text}")
        return said

    def _try(self, command: str, *arguments: str) -> Said:
        return run(["terraform", command, "-no-color", *arguments], self._folder, self._environment)


class Cdk:
    """A shipped app, with the pinned CLI, on an account.

    Args:
        copy: Where to copy the app to.
        account: The account it works on.
        files: The files it consists of.
    """

    def __init__(self, copy: Path, account: Account, files: Sequence[Path] = STORE_APP) -> None:
        copy.mkdir()
        for path in files:
            shutil.copy(path, copy / path.name)
        self._folder = copy
        port = account.url.rpartition(":")[2]
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": account.url,
            "AWS_ENDPOINT_URL_S3": account.url,
            # Only under this name does the engine serve buckets as host names.
            "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": f"http://localhost:{port}",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "CDK_DEFAULT_ACCOUNT": ACCOUNT,
            "CDK_DEFAULT_REGION": REGION,
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }

    def bootstrap(self) -> None:
        """Bootstrap the account."""
        self._run("bootstrap", f"aws://{ACCOUNT}/{REGION}")

    def template(self, **context: str) -> dict[str, Any]:
        """The stack's template."""
        self._run("synth", "--quiet", "--output", "synthesized", context=context)
        (path,) = (self._folder / "synthesized").glob("*.template.json")
        made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return made

    def asset(self, beginning: str, **context: str) -> Path:
        """The folder of the function's code in the stack's assets, by the beginning of the code."""
        self.template(**context)
        (found,) = (
            path
            for path in (self._folder / "synthesized").glob("asset.*/index.js")
            if path.read_text(encoding="utf-8").find(beginning) >= 0
        )
        return found.parent

    def try_to_deploy(self, **context: str) -> Said:
        """Create or update the stack, if possible; returns the result."""
        return self._try("deploy", "--require-approval", "never", context=context)

    def deploy(self, **context: str) -> dict[str, str]:
        """Create or update the stack; returns its outputs."""
        self._run(
            "deploy",
            "--require-approval",
            "never",
            "--outputs-file",
            "outputs.json",
            context=context,
        )
        text = (self._folder / "outputs.json").read_text(encoding="utf-8")
        outputs: dict[str, str]
        (outputs,) = json.loads(text).values()
        return outputs

    def changes(self, **context: str) -> str:
        """The changes that another deployment would make; empty if none."""
        said = self._try("diff", "--fail", context=context)
        if said.code not in (0, 1):
            raise ToolError(said.text)
        return said.text if said.code else ""

    def destroy(self, **context: str) -> None:
        """Delete the stack."""
        self._run("destroy", "--force", context=context)

    def _run(self, *arguments: str, context: Mapping[str, str] | None = None) -> None:
        said = self._try(*arguments, context=context)
        if said.code:
            raise ToolError(f"cdk {arguments[0]}:\n{said.text}")

    def _try(self, *arguments: str, context: Mapping[str, str] | None = None) -> Said:
        settings = [f"--context={name}={value}" for name, value in (context or {}).items()]
        return run([str(CDK), *arguments, *settings], self._folder, self._environment)


def _variables(variables: Mapping[str, object]) -> list[str]:
    return [
        f"-var={name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in variables.items()
    ]


def aws(account: Account, *arguments: str) -> str:
    """Run the AWS CLI in the folder of the template; returns its output.

    Raises:
        ToolError: It failed.
    """
    environment = {
        "AWS_ENDPOINT_URL": account.url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    said = run([sys.executable, "-m", "awscli", *arguments], ROOT / "cloudformation", environment)
    if said.code:
        raise ToolError(f"aws {' '.join(arguments)}:\n{said.text}")
    return said.output
