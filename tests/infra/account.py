"""A local AWS account: ministack, and its contents."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.engines import free_port, wait_until_open
from tests.support.iam import ACCOUNT, REGION
from tests.support.sessions import new_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SECONDS = 20


@dataclass(frozen=True)
class Account:
    """A running engine for DynamoDB, S3, IAM, KMS, Lambda, EventBridge and CloudFormation.

    Attributes:
        url: The endpoint of all of them.
    """

    url: str

    def client(self, service: str) -> Any:
        """A client of a service."""
        made: Any = new_session()
        return made.client(service, endpoint_url=self.url, region_name=REGION)

    def inventory(self) -> dict[str, set[str]]:
        """Names of everything that the module or the stack could have left behind.

        Without keys that are pending deletion: KMS deletes no key at once.
        """
        kms = self.client("kms")
        keys = [key["KeyId"] for key in kms.list_keys()["Keys"]]
        described = [kms.describe_key(KeyId=key)["KeyMetadata"] for key in keys]
        iam = self.client("iam")
        return {
            "tables": set(self.client("dynamodb").list_tables()["TableNames"]),
            "buckets": {b["Name"] for b in self.client("s3").list_buckets()["Buckets"]},
            "policies": {p["PolicyName"] for p in iam.list_policies(Scope="Local")["Policies"]},
            "functions": {
                found["FunctionName"]
                for found in self.client("lambda").list_functions()["Functions"]
            },
            "rules": {rule["Name"] for rule in self.client("events").list_rules()["Rules"]},
            "logs": {
                group["logGroupName"]
                for group in self.client("logs").describe_log_groups()["logGroups"]
            },
            "roles": {role["RoleName"] for role in iam.list_roles()["Roles"]},
            "keys": {key["KeyId"] for key in described if key["KeyState"] != "PendingDeletion"},
        }

    def empty(self, *tables: str) -> None:
        """Delete every item of some tables."""
        client = self.client("dynamodb")
        for name in tables:
            schema = client.describe_table(TableName=name)["Table"]["KeySchema"]
            keys = [part["AttributeName"] for part in schema]
            for page in client.get_paginator("scan").paginate(TableName=name):
                for item in page["Items"]:
                    client.delete_item(TableName=name, Key={key: item[key] for key in keys})

    def empty_bucket(self, name: str) -> None:
        """Delete every version of every object of a bucket."""
        client = self.client("s3")
        for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
            for found in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                client.delete_object(Bucket=name, Key=found["Key"], VersionId=found["VersionId"])


@contextmanager
def running_account(log: Path) -> Iterator[Account]:
    """Run the engine for as long as the context lasts; its output goes to `log`."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(log.parent),
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(port),
                "MINISTACK_ACCOUNT_ID": ACCOUNT,
                "IOT_MTLS_ENABLED": "0",  # a second port, on which two engines would conflict
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        wait_until_open("ministack", port, process)
        yield Account(f"http://127.0.0.1:{port}")
    finally:
        # Kill it with its child processes: a graceful exit may wait for them forever.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_SECONDS)
