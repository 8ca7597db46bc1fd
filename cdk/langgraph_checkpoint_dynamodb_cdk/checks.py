"""Checks of single arguments: each raises a `ValueError` that says what is expected.

Tokens pass, since their values are only known at deployment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from aws_cdk import Token

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_DYNAMODB_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# What the saver accepts, without "*", which is a wildcard in the ARN of a policy.
_KEY_PREFIX = re.compile(r"(?:(?!\.{1,2}/)[A-Za-z0-9!_.'()=-]+/)+")
LONGEST_BUCKET_KEY_PREFIX = 512
"""Maximum length of a key prefix, in characters."""
_TOPIC_ARN = re.compile(r"arn:[a-z0-9-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+")
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SCHEDULE = re.compile(r"(?:rate|cron)\(.+\)")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")
_KEY_ARN = re.compile(r"arn:[a-z0-9-]+:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")
# Apart from the colon, only characters that S3 keys hold unencoded: the same prefix must match
# partition keys and object keys. Without a separator at its end, "acme" would match "acme2".
_TENANT_PREFIX = re.compile(r"(?:[A-Za-z0-9_:-]|\$\{aws:[A-Za-z0-9:/_.+=@-]+\})*[_:-]")
# Only characters that S3 keys hold unencoded; a label cannot contain a period.
_ROOT_LABEL = re.compile(r"(?:[A-Za-z0-9_-]|\$\{aws:[A-Za-z0-9:/_.+=@-]+\})+")
_POLICY_VARIABLE = re.compile(r"\$\{[^}]*\}")
_TENANT_PREFIX_EXPECTED = (
    "characters of A-Z, a-z, 0-9, '_', '-' and ':', and policy variables that begin with '${aws:', "
    "with '_', '-' or ':' at its end, such as '${aws:PrincipalTag/tenant}_'"
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_POLICY_NAME_PREFIX = re.compile(r"[A-Za-z0-9_+=,.@-]{1,120}")

PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "dynamodb_name": _DYNAMODB_NAME.pattern,
        "bucket_name": _BUCKET_NAME.pattern,
        "bucket_key_prefix": _KEY_PREFIX.pattern,
        # CloudFormation has regular expressions of Java, with another syntax for named groups.
        "key_arn": _KEY_ARN.pattern.replace("(?P<region>", "("),
        # A parameter's pattern cannot depend on whether there is a bucket, so it allows no colon.
        "thread_id_prefix": _TENANT_PREFIX.pattern.replace("_:-]", "_-]"),
        "owner_prefix": _TENANT_PREFIX.pattern,
        "root_label": _ROOT_LABEL.pattern,
        "policy_name_prefix": _POLICY_NAME_PREFIX.pattern,
        "topic_arn": _TOPIC_ARN.pattern,
    }
)
"""The patterns of parameters of the CloudFormation templates."""


def refuse(argument: str, value: object, expected: str) -> NoReturn:
    """Raise the error of a failed check.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"{argument}: got {value!r}, expected {expected}")


def require_table_names(
    checkpoints_table_name: str, writes_table_name: str, store_table_name: str | None = None
) -> None:
    """Require valid, different names of tables."""
    require_dynamodb_name("checkpoints_table_name", checkpoints_table_name)
    require_dynamodb_name("writes_table_name", writes_table_name)
    if checkpoints_table_name == writes_table_name:
        refuse(
            "writes_table_name",
            writes_table_name,
            "another name than checkpoints_table_name: the tables have different keys",
        )
    if store_table_name is None:
        return
    require_dynamodb_name("store_table_name", store_table_name)
    if store_table_name in (checkpoints_table_name, writes_table_name):
        refuse(
            "store_table_name",
            store_table_name,
            "another name than those of the saver's tables: the store table has different keys",
        )


def require_dynamodb_name(argument: str, value: str) -> None:
    """Require a name of a table or an index."""
    _require_match(
        argument,
        value,
        _DYNAMODB_NAME,
        "a name of 3 to 255 characters of A-Z, a-z, 0-9, '_', '-' and '.'",
    )


def require_text(argument: str, value: object, expected: str) -> None:
    """Require a string that is not empty."""
    if not isinstance(value, str) or not value:
        refuse(argument, value, expected)


def require_function_name(argument: str, value: str) -> None:
    """Require a name of a Lambda function and its role."""
    _require_match(
        argument,
        value,
        _FUNCTION_NAME,
        "1 to 64 characters of A-Z, a-z, 0-9, '_' and '-'; for the stack, pass policy_name_prefix",
    )


def require_schedule(argument: str, value: str) -> None:
    """Require an EventBridge schedule expression."""
    _require_match(argument, value, _SCHEDULE, "rate(...) or cron(...), such as 'rate(1 day)'")


def require_bucket_name(argument: str, value: str) -> None:
    """Require a name of a bucket."""
    _require_match(
        argument,
        value,
        _BUCKET_NAME,
        "a bucket name: 3 to 63 characters of a-z, 0-9, '.' and '-', first and last of a-z, 0-9",
    )


def require_bucket_key_prefix(argument: str, value: str) -> None:
    """Require a key prefix that the saver accepts, without wildcards of policies."""
    expected = (
        "names of the characters A-Z, a-z, 0-9 and !_.'()=- with one '/' after each, the last one "
        f"too, of at most {LONGEST_BUCKET_KEY_PREFIX} characters, such as 'langgraph-checkpoints/'"
    )
    _require_match(argument, value, _KEY_PREFIX, expected)
    if not Token.is_unresolved(value) and len(value) > LONGEST_BUCKET_KEY_PREFIX:
        refuse(argument, value, expected)


def require_disjoint_key_prefix(argument: str, value: str, other: str) -> None:
    """Require that neither of two key prefixes starts with the other."""
    if Token.is_unresolved(value) or Token.is_unresolved(other):
        return
    if value.startswith(other) or other.startswith(value):
        refuse(
            argument,
            value,
            f"a prefix apart from bucket_key_prefix, {other!r}: objects of the saver expire with "
            "ttl_seconds, those of the store do not",
        )


def require_positive(argument: str, value: object) -> None:
    """Require a whole number from 1."""
    require_between(argument, value, 1)


def require_between(argument: str, value: object, least: int, most: int | None = None) -> None:
    """Require a whole number of a range."""
    # jsii represents a numeric token as a float.
    if isinstance(value, float) and Token.is_unresolved(value):
        return
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < least
        or (most is not None and value > most)
    ):
        to = "" if most is None else f" to {most}"
        refuse(argument, value, f"a whole number from {least}{to}")


def require_ttl_seconds(argument: str, value: object) -> None:
    """Require a whole number from 1 that is no token."""
    require_positive(argument, value)
    if not isinstance(value, int):
        refuse(
            argument,
            value,
            "a number that is known at synthesis: the days of a lifecycle rule depend on it",
        )


def require_bool(argument: str, value: object) -> None:
    """Require a bool, not a string such as "true"."""
    if not isinstance(value, bool):
        refuse(argument, value, "True or False")


def require_key_arn(argument: str, value: str) -> None:
    """Require the ARN of a KMS key."""
    _require_match(
        argument,
        value,
        _KEY_ARN,
        "the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID (of the key, not of an alias)",
    )


def require_topic_arn(argument: str, value: str) -> None:
    """Require the ARN of an SNS topic."""
    _require_match(
        argument,
        value,
        _TOPIC_ARN,
        "the ARN of an SNS topic, arn:aws:sns:REGION:ACCOUNT:NAME",
    )


def require_replica_regions(
    argument: str, regions: Sequence[str], own_region: str | None = None
) -> None:
    """Require a list of distinct regions without the stack's own.

    Args:
        argument: Name of the argument.
        regions: The regions.
        own_region: The stack's region, `None` to skip the comparison with it.
    """
    if isinstance(regions, str):
        refuse(argument, regions, "a list of regions, such as ['eu-central-1']")
    for region in regions:
        _require_match(argument, region, _REGION, "names of regions, such as 'eu-central-1'")
    if len(set(regions)) < len(regions):
        refuse(argument, list(regions), "each region once")
    if not regions or own_region is None:
        return
    require_known_region(argument, list(regions), own_region)
    if own_region in regions:
        refuse(
            argument,
            list(regions),
            f"other regions than the stack's own, {own_region!r}, which has the tables already",
        )


def require_known_region(argument: str, value: object, own_region: str) -> None:
    """Require a stack with a known region, which the CDK needs for replicas and keys."""
    if Token.is_unresolved(own_region):
        refuse(
            argument,
            value,
            "a stack whose region is known; pass env=Environment(account=..., region=...) to it, "
            "or set CDK_DEFAULT_ACCOUNT and CDK_DEFAULT_REGION for the ready-made app",
        )


def require_replica_keys(
    argument: str, arns: Mapping[str, str], regions: Sequence[str], *, encrypted: bool
) -> None:
    """Require a key for each replica if the tables have a KMS key, and none otherwise."""
    if not isinstance(arns, Mapping):
        refuse(argument, arns, "a mapping from region to the ARN of a KMS key")
    if not encrypted and arns:
        refuse(
            argument,
            dict(arns),
            "no keys, since the tables have no KMS key; also pass the key of the stack's region "
            "(encryption_key, or kms_key_arn for the stack)",
        )
    if encrypted and set(arns) != set(regions):
        refuse(
            argument,
            dict(arns),
            f"one key for each of replica_regions, {sorted(regions)}: a replica cannot use the key "
            "of another region",
        )
    for region, arn in arns.items():
        require_key_arn(f"{argument}[{region!r}]", arn)
        match = _KEY_ARN.fullmatch(arn)
        if match and match["region"] != region:
            refuse(f"{argument}[{region!r}]", arn, f"a key of {region!r}")


def require_thread_id_prefix(argument: str, value: str, *, in_object_keys: bool) -> None:
    """Require a prefix of thread ids that works in a policy condition.

    Args:
        argument: Name of the argument.
        value: The prefix.
        in_object_keys: Whether object keys start with it, too; they hold a colon encoded.
    """
    _require_match(argument, value, _TENANT_PREFIX, _TENANT_PREFIX_EXPECTED)
    if in_object_keys and ":" in _POLICY_VARIABLE.sub("", value):
        refuse(
            argument,
            value,
            "'_' or '-' with a bucket: the keys of objects hold a colon percent-encoded",
        )


def require_owner_prefix(argument: str, value: str) -> None:
    """Require a prefix of owners that works in a policy condition."""
    _require_match(argument, value, _TENANT_PREFIX, _TENANT_PREFIX_EXPECTED)


def require_root_label(argument: str, value: str) -> None:
    """Require a root label of namespaces that works in a policy condition."""
    _require_match(
        argument,
        value,
        _ROOT_LABEL,
        "characters of A-Z, a-z, 0-9, '_' and '-', and policy variables that begin with '${aws:', "
        "such as '${aws:PrincipalTag/tenant}'",
    )


def require_policy_name_prefix(argument: str, value: str) -> None:
    """Require a prefix of the names of managed policies."""
    _require_match(
        argument,
        value,
        _POLICY_NAME_PREFIX,
        "1 to 120 characters of A-Z, a-z, 0-9 and '_+=,.@-'; pass policy_name_prefix",
    )


def _require_match(argument: str, value: object, pattern: re.Pattern[str], expected: str) -> None:
    if not isinstance(value, str):
        refuse(argument, value, expected)
    if not Token.is_unresolved(value) and not pattern.fullmatch(value):
        refuse(argument, value, expected)
