"""Copies the settings of a table that a restore leaves out to the restored table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        PointInTimeRecoverySpecificationTypeDef,
        TableDescriptionTypeDef,
    )

    from langgraph_checkpoint_dynamodb.recovery.progress import Say

_POLL_SECONDS = 10.0
# UpdateTable takes them as DescribeTable returns them. DynamoDB changes one of them at a time.
_UPDATE_TABLE_SETTINGS = ("DeletionProtectionEnabled", "OnDemandThroughput")
_TTL_ON = ("ENABLED", "ENABLING")


@dataclass(frozen=True)
class TableCopy:
    """A table and the table that it is restored to.

    Attributes:
        client: A client for the region of the tables.
        source: The table, as DescribeTable returns it.
        target: Name of the restored table.
        say: Called with a line of text for each step.
        wait: Called with the seconds between two requests for the target's status.
    """

    client: DynamoDBClient
    source: TableDescriptionTypeDef
    target: str
    say: Say
    wait: Callable[[float], object]

    @property
    def source_name(self) -> str:
        """Name of the source table."""
        return self.source["TableName"]

    @property
    def source_arn(self) -> str:
        """ARN of the source table."""
        return self.source["TableArn"]

    def report(self, step: str) -> None:
        """Report a step of the restore of the target."""
        self.say(f"{self.target}: {step}")

    def copy_settings(self) -> None:
        """Wait for the target, then copy the settings that a restore leaves out."""
        self._copy_update_table_settings()
        target_arn = self._wait_until_active()["TableArn"]
        self._copy_time_to_live()
        self._copy_point_in_time_recovery()
        self._copy_tags(target_arn)
        self._copy_resource_policy(target_arn)
        for replica in self.source.get("Replicas", []):
            region = replica["RegionName"]
            self.report(f"has no replica in {region} yet; make it where you make your replicas")

    def _wait_until_active(self) -> TableDescriptionTypeDef:
        while True:
            described = self.client.describe_table(TableName=self.target)["Table"]
            if described["TableStatus"] == "ACTIVE":
                return described
            self.report(described["TableStatus"])
            self.wait(_POLL_SECONDS)

    def _copy_update_table_settings(self) -> None:
        # The stubs have a type of its own for each field.
        source: Mapping[str, Any] = self.source
        for setting in _UPDATE_TABLE_SETTINGS:
            target: Mapping[str, Any] = self._wait_until_active()
            if setting in source and source[setting] != target.get(setting, False):
                self.report(setting)
                changed: dict[str, Any] = {setting: source[setting]}
                self.client.update_table(TableName=self.target, **changed)

    def _copy_time_to_live(self) -> None:
        wanted, found = (
            self.client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            for name in (self.source_name, self.target)
        )
        if wanted["TimeToLiveStatus"] not in _TTL_ON or found["TimeToLiveStatus"] in _TTL_ON:
            return
        self.report("time to live")
        self.client.update_time_to_live(
            TableName=self.target,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": wanted["AttributeName"]},
        )

    def _copy_point_in_time_recovery(self) -> None:
        """Turn it on: it is on for the source, which could not be restored otherwise."""
        backups = self.client.describe_continuous_backups(TableName=self.source_name)
        recovery = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        self.report("point-in-time recovery")
        wanted: PointInTimeRecoverySpecificationTypeDef = {"PointInTimeRecoveryEnabled": True}
        if (days := recovery.get("RecoveryPeriodInDays")) is not None:
            wanted["RecoveryPeriodInDays"] = days
        self.client.update_continuous_backups(
            TableName=self.target, PointInTimeRecoverySpecification=wanted
        )

    def _copy_tags(self, target_arn: str) -> None:
        tags = self.client.list_tags_of_resource(ResourceArn=self.source_arn).get("Tags", [])
        # AWS's own tags, such as CloudFormation's, cannot be set.
        settable = [tag for tag in tags if not tag["Key"].startswith("aws:")]
        if settable:
            self.report("tags")
            self.client.tag_resource(ResourceArn=target_arn, Tags=settable)

    def _copy_resource_policy(self, target_arn: str) -> None:
        try:
            policy = self.client.get_resource_policy(ResourceArn=self.source_arn).get("Policy")
        except self.client.exceptions.PolicyNotFoundException:
            return
        if not policy:
            return
        self.report("resource policy")
        replaced = _replace_arn(json.loads(policy), self.source_arn, target_arn)
        self.client.put_resource_policy(ResourceArn=target_arn, Policy=json.dumps(replaced))


def _replace_arn(value: Any, old: str, new: str) -> Any:
    """A policy with the ARN of a table, and of its indexes, replaced."""
    match value:
        case str():
            return new + value[len(old) :] if value == old or value.startswith(f"{old}/") else value
        case list():
            return [_replace_arn(each, old, new) for each in value]
        case dict():
            return {name: _replace_arn(each, old, new) for name, each in value.items()}
    return value
