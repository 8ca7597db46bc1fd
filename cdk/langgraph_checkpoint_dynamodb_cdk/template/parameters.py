"""What the template can be asked for: parameters, the rules they keep, and conditions on them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb_cdk.checks import LONGEST_BUCKET_KEY_PREFIX, PATTERNS
from langgraph_checkpoint_dynamodb_cdk.schema import (
    DEFAULT_BUCKET_KEY_PREFIX,
    DEFAULT_CHECKPOINTS_TABLE_NAME,
    DEFAULT_THREAD_INDEX_NAME,
    DEFAULT_WRITES_TABLE_NAME,
)
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import Value, ref

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of the template.

    Attributes:
        name: Its name.
        group: Under which heading the console shows it.
        description: What it is for.
        default: Its value if none is given. A number makes it a parameter of numbers; an empty text
            and 0 stand for what the construct calls `None`.
        values: The values it may have, where it has few.
        pattern: What a value looks like that is not empty.
        expected: The same in words, for the error.
        longest: Most characters.
        most: The greatest number.
    """

    name: str
    group: str
    description: str
    default: str | int = ""
    values: tuple[str, ...] = ()
    pattern: str | None = None
    expected: str | None = None
    longest: int | None = None
    most: int | None = None

    @property
    def definition(self) -> dict[str, Any]:
        """It as the template declares it."""
        number = isinstance(self.default, int)
        declared = {
            "Type": "Number" if number else "String",
            "Default": self.default,
            "MinValue": 0 if number else None,
            "MaxValue": self.most,
            "AllowedValues": list(self.values) or None,
            "AllowedPattern": self._allowed,
            "MaxLength": self.longest,
            "ConstraintDescription": self.expected,
            "Description": self.description,
        }
        return {name: value for name, value in declared.items() if value is not None}

    @property
    def _allowed(self) -> str | None:
        if self.pattern is None:
            return None
        return f"^(?:{self.pattern})$" if self.default else f"^(?:{self.pattern})?$"


_BOOLEAN = ("true", "false")
_NAME = "3 to 255 characters of A-Z, a-z, 0-9, '_', '-' and '.'"
_KEY_ARN = "the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID (of the key, not of an alias)"
_PREFIX = (
    "characters of A-Z, a-z, 0-9, '_' and '-', and policy variables that begin with '${aws:', with "
    "'_' or '-' at its end"
)

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="CheckpointsTableName",
        group="Tables",
        description="Name of the table of checkpoints.",
        default=DEFAULT_CHECKPOINTS_TABLE_NAME,
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="WritesTableName",
        group="Tables",
        description="Name of the table of pending writes.",
        default=DEFAULT_WRITES_TABLE_NAME,
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="RunIdIndexName",
        group="Tables",
        description="Name of an index by run id, for delete_for_runs; the saver's run_id_index. "
        "Empty for none.",
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="ThreadIndexOwner",
        group="Tables",
        description="Key of a run's configurable or metadata that names the owner of its thread; "
        "makes an index of threads, for list_threads. Empty for none.",
        # It is put into JSON as it is.
        pattern=r'[^"\\\x00-\x1f]+',
        expected="the name of a key, without quotes and backslashes",
    ),
    Parameter(
        name="ThreadIndexName",
        group="Tables",
        description="Name of the index that ThreadIndexOwner makes.",
        default=DEFAULT_THREAD_INDEX_NAME,
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="TtlSeconds",
        group="Tables",
        description="The saver's ttl_seconds, for SaverSettings. 0 for none. Both tables always "
        "expire items by their attribute ttl.",
        default=0,
    ),
    Parameter(
        name="MaxReadRequestUnits",
        group="Tables",
        description="Most read units a second, of each table and of each index. 0 for no maximum.",
        default=0,
    ),
    Parameter(
        name="MaxWriteRequestUnits",
        group="Tables",
        description="Most write units a second, the same. 0 for no maximum.",
        default=0,
    ),
    Parameter(
        name="TableClass",
        group="Tables",
        description="Storage class of both tables.",
        default="STANDARD",
        values=("STANDARD", "STANDARD_INFREQUENT_ACCESS"),
    ),
    Parameter(
        name="PointInTimeRecovery",
        group="Protection",
        description="Whether both tables can be restored to any moment of the last days.",
        default="true",
        values=_BOOLEAN,
    ),
    Parameter(
        name="PointInTimeRecoveryDays",
        group="Protection",
        description="How many days back, from 1 to 35. 0 for DynamoDB's 35.",
        default=0,
        most=35,
    ),
    Parameter(
        name="DeletionProtection",
        group="Protection",
        description="Whether DynamoDB refuses to delete the tables.",
        default="true",
        values=_BOOLEAN,
    ),
    Parameter(
        name="KmsKeyArn",
        group="Protection",
        description="ARN of the KMS key of both tables and of a bucket made here. Empty for a key "
        "that AWS owns.",
        pattern=PATTERNS["key_arn"],
        expected=_KEY_ARN,
    ),
    Parameter(
        name="Bucket",
        group="Bucket for large values",
        description="Whether there is a bucket: none, one to create, or one that exists.",
        default="none",
        values=("none", "create", "existing"),
    ),
    Parameter(
        name="BucketName",
        group="Bucket for large values",
        description="Name of the bucket. Empty for a generated name, or where there is none.",
        pattern=PATTERNS["bucket_name"],
        expected="3 to 63 characters of a-z, 0-9, '.' and '-', first and last of a-z, 0-9",
    ),
    Parameter(
        name="BucketKmsKeyArn",
        group="Bucket for large values",
        description="ARN of the KMS key of a bucket that exists, for the policies. Empty for none.",
        pattern=PATTERNS["key_arn"],
        expected=_KEY_ARN,
    ),
    Parameter(
        name="BucketKeyPrefix",
        group="Bucket for large values",
        description="What the keys of objects begin with; the saver's key_prefix.",
        default=DEFAULT_BUCKET_KEY_PREFIX,
        pattern=PATTERNS["bucket_key_prefix"],
        expected="names of A-Z, a-z, 0-9 and !_.'()=- with one '/' after each, the last one too",
        longest=LONGEST_BUCKET_KEY_PREFIX,
    ),
    Parameter(
        name="BucketVersioning",
        group="Bucket for large values",
        description="Whether a bucket made here keeps deleted objects as long as tables can be "
        "restored, so that a restored table finds them.",
        default="true",
        values=_BOOLEAN,
    ),
    Parameter(
        name="ObjectExpiryDays",
        group="Bucket for large values",
        description="After how many days a bucket made here deletes objects; README.md says how "
        "many TtlSeconds needs. 0 for never.",
        default=0,
    ),
    Parameter(
        name="CreatePolicies",
        group="Access",
        description="Whether to make a managed policy of each role.",
        default="false",
        values=_BOOLEAN,
    ),
    Parameter(
        name="PolicyNamePrefix",
        group="Access",
        description="First part of the names of managed policies. Empty for the name of the table "
        "of checkpoints.",
        pattern=PATTERNS["policy_name_prefix"],
        expected="1 to 120 characters of A-Z, a-z, 0-9 and '_+=,.@-'",
    ),
    Parameter(
        name="TenantThreadIdPrefix",
        group="Access",
        description="What the thread ids of a tenant begin with, for the role tenant, such as "
        "${aws:PrincipalTag/tenant}_. Empty for no such role.",
        pattern=PATTERNS["thread_id_prefix"],
        expected=_PREFIX,
    ),
    Parameter(
        name="TenantOwnerPrefix",
        group="Access",
        description="What the owners begin with whose threads a tenant may list. Empty for none.",
        pattern=PATTERNS["owner_prefix"],
        expected=_PREFIX,
    ),
)

NUMBERS = frozenset(found.name for found in PARAMETERS if isinstance(found.default, int))
"""Parameters that are numbers."""


def _is(name: str, value: str | Value) -> Value:
    return {"Fn::Equals": [ref(name), value]}


def _given(name: str) -> Value:
    return _not(_is(name, "0" if name in NUMBERS else ""))


def _not(condition: Value) -> Value:
    return {"Fn::Not": [condition]}


def _named(condition: str) -> Value:
    return {"Condition": condition}


CONDITIONS: Mapping[str, Value] = MappingProxyType(
    {
        "HasRunIdIndex": _given("RunIdIndexName"),
        "HasThreadIndex": _given("ThreadIndexOwner"),
        "HasIndex": {"Fn::Or": [_named("HasRunIdIndex"), _named("HasThreadIndex")]},
        "Expires": _given("TtlSeconds"),
        "LimitsReads": _given("MaxReadRequestUnits"),
        "LimitsWrites": _given("MaxWriteRequestUnits"),
        "IsRecoverable": _is("PointInTimeRecovery", "true"),
        "HasRecoveryDays": _given("PointInTimeRecoveryDays"),
        "IsProtected": _is("DeletionProtection", "true"),
        "HasKey": _given("KmsKeyArn"),
        "HasBucket": _not(_is("Bucket", "none")),
        "CreatesBucket": _is("Bucket", "create"),
        "NamesBucket": _given("BucketName"),
        "HasBucketKey": _given("BucketKmsKeyArn"),
        "IsVersioned": _is("BucketVersioning", "true"),
        "ExpiresObjects": _given("ObjectExpiryDays"),
        "CreatesPolicies": _is("CreatePolicies", "true"),
        "NamesPolicies": _given("PolicyNamePrefix"),
        "HasTenants": _given("TenantThreadIdPrefix"),
        "CreatesTenantPolicy": {"Fn::And": [_named("CreatesPolicies"), _named("HasTenants")]},
        "HasTenantOwners": {"Fn::And": [_given("TenantOwnerPrefix"), _named("HasThreadIndex")]},
    }
)
"""What of it is asked for, by parameters."""


def _rule(assertion: Value, said: str, *, where: Value = None) -> Value:
    rule = {"Assertions": [{"Assert": assertion, "AssertDescription": said}]}
    return rule if where is None else {"RuleCondition": where, **rule}


RULES: Mapping[str, Value] = MappingProxyType(
    {
        "TablesDiffer": _rule(
            _not(_is("WritesTableName", ref("CheckpointsTableName"))),
            "WritesTableName must differ from CheckpointsTableName: the tables have other keys.",
        ),
        "IndexesDiffer": _rule(
            _not(_is("ThreadIndexName", ref("RunIdIndexName"))),
            "ThreadIndexName must differ from RunIdIndexName: the indexes have other keys.",
            where=_given("ThreadIndexOwner"),
        ),
        "DaysAreOfRecovery": _rule(
            _is("PointInTimeRecovery", "true"),
            "PointInTimeRecoveryDays needs PointInTimeRecovery=true.",
            where=_given("PointInTimeRecoveryDays"),
        ),
        "ExistingBucketIsNamed": _rule(
            _given("BucketName"),
            "With Bucket=existing, BucketName must say which.",
            where=_is("Bucket", "existing"),
        ),
        "NoBucketHasNoName": _rule(
            _is("BucketName", ""),
            "BucketName needs Bucket=create or Bucket=existing.",
            where=_is("Bucket", "none"),
        ),
        "BucketKeyIsOfExistingBucket": _rule(
            _is("Bucket", "existing"),
            "BucketKmsKeyArn needs Bucket=existing; a bucket made here has KmsKeyArn.",
            where=_given("BucketKmsKeyArn"),
        ),
        "ObjectsExpireInCreatedBucket": _rule(
            _is("Bucket", "create"),
            "ObjectExpiryDays needs Bucket=create; give a bucket that exists such a rule yourself.",
            where=_given("ObjectExpiryDays"),
        ),
        "ObjectsExpireAfterItems": _rule(
            _given("TtlSeconds"),
            "ObjectExpiryDays needs TtlSeconds: items that stay would lose their objects.",
            where=_given("ObjectExpiryDays"),
        ),
        "TenantsOwnThreads": _rule(
            {"Fn::And": [_given("TenantThreadIdPrefix"), _given("ThreadIndexOwner")]},
            "TenantOwnerPrefix needs TenantThreadIdPrefix and ThreadIndexOwner: it is for the role "
            "tenant, on the index of threads.",
            where=_given("TenantOwnerPrefix"),
        ),
    }
)
"""What must hold between parameters; the construct's checks of the same say the same."""


def interface() -> dict[str, Any]:
    """How the console groups the parameters."""
    groups = dict.fromkeys(parameter.group for parameter in PARAMETERS)
    return {
        "AWS::CloudFormation::Interface": {
            "ParameterGroups": [
                {
                    "Label": {"default": group},
                    "Parameters": [one.name for one in PARAMETERS if one.group == group],
                }
                for group in groups
            ]
        }
    }
