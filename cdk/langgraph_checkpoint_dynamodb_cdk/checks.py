"""Checks of what users pass. Each raises a `ValueError` that names the argument and the way out.

Values that CloudFormation fills in later (tokens) pass: nothing is known about them yet.
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
# What the saver accepts, without "*": in the ARN of a policy it would stand for anything.
_KEY_PREFIX = re.compile(r"(?:(?!\.{1,2}/)[A-Za-z0-9!_.'()=-]+/)+")
_LONGEST_KEY_PREFIX = 512
_TOPIC_ARN = re.compile(r"arn:[a-z0-9-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+")
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SCHEDULE = re.compile(r"(?:rate|cron)\(.+\)")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")
_KEY_ARN = re.compile(r"arn:[a-z0-9-]+:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")
# But for the colon only what S3 keys hold unencoded, so that one text fits both the leading key and
# the object key. Without a separator at its end, "acme" is also the beginning of "acme2".
_TENANT_PREFIX = re.compile(r"(?:[A-Za-z0-9_:-]|\$\{aws:[A-Za-z0-9:/_.+=@-]+\})*[_:-]")
# Of what keys of objects hold unencoded, a label may not hold the period.
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
        # CloudFormation's expressions are those of Java, which name groups otherwise.
        "key_arn": _KEY_ARN.pattern.replace("(?P<region>", "("),
        # A template cannot say that colons depend on the bucket.
        "thread_id_prefix": _TENANT_PREFIX.pattern.replace("_:-]", "_-]"),
        "owner_prefix": _TENANT_PREFIX.pattern,
        "root_label": _ROOT_LABEL.pattern,
        "policy_name_prefix": _POLICY_NAME_PREFIX.pattern,
        "topic_arn": _TOPIC_ARN.pattern,
    }
)
"""The same expressions as text, for the parameters of templates."""
LONGEST_BUCKET_KEY_PREFIX = _LONGEST_KEY_PREFIX
"""Characters of a key prefix, at most."""


def refuse(argument: str, value: object, expected: str) -> NoReturn:
    """Raise the error that every check raises.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"{argument}: got {value!r}, expected {expected}")


def require_table_names(
    checkpoints_table_name: str, writes_table_name: str, store_table_name: str | None = None
) -> None:
    """Names of tables, which differ."""
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
            "another name than those of the saver's tables: the store's has different keys",
        )


def require_dynamodb_name(argument: str, value: str) -> None:
    """A name of a table or an index."""
    _require_match(
        argument,
        value,
        _DYNAMODB_NAME,
        "a name of 3 to 255 characters of A-Z, a-z, 0-9, '_', '-' and '.'",
    )


def require_text(argument: str, value: object, expected: str) -> None:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        refuse(argument, value, expected)


def require_function_name(argument: str, value: str) -> None:
    """A name of a Lambda function and of its role."""
    _require_match(
        argument,
        value,
        _FUNCTION_NAME,
        "1 to 64 characters of A-Z, a-z, 0-9, '_' and '-'; for the stack, pass policy_name_prefix",
    )


def require_schedule(argument: str, value: str) -> None:
    """When EventBridge is to do something."""
    _require_match(argument, value, _SCHEDULE, "rate(...) or cron(...), such as 'rate(1 day)'")


def require_bucket_name(argument: str, value: str) -> None:
    """A name of a bucket."""
    _require_match(
        argument,
        value,
        _BUCKET_NAME,
        "a bucket name: 3 to 63 characters of a-z, 0-9, '.' and '-', first and last of a-z, 0-9",
    )


def require_bucket_key_prefix(argument: str, value: str) -> None:
    """A key prefix that the saver takes as it is, and that means itself in a policy."""
    expected = (
        "names of the characters A-Z, a-z, 0-9 and !_.'()=- with one '/' after each, the last one "
        f"too, of at most {_LONGEST_KEY_PREFIX} characters, such as 'langgraph-checkpoints/'"
    )
    _require_match(argument, value, _KEY_PREFIX, expected)
    if not Token.is_unresolved(value) and len(value) > _LONGEST_KEY_PREFIX:
        refuse(argument, value, expected)


def require_other_key_prefix(argument: str, value: str, other: str) -> None:
    """A key prefix of objects that another one does not begin with, nor it with that."""
    if Token.is_unresolved(value) or Token.is_unresolved(other):
        return
    if value.startswith(other) or other.startswith(value):
        refuse(
            argument,
            value,
            f"keys apart from bucket_key_prefix, {other!r}: objects of the saver expire with "
            "ttl_seconds, those of the store do not",
        )


def require_positive(argument: str, value: object) -> None:
    """A whole number from 1."""
    require_between(argument, value, 1)


def require_between(argument: str, value: object, least: int, most: int | None = None) -> None:
    """A whole number of a range."""
    # To jsii, a number that CloudFormation fills in is a float.
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
    """A whole number from 1 that is known now."""
    require_positive(argument, value)
    if not isinstance(value, int):
        refuse(
            argument,
            value,
            "a number that is known at synthesis: the days of a lifecycle rule are made from it",
        )


def require_bool(argument: str, value: object) -> None:
    """A truth value, not a text that looks like one."""
    if not isinstance(value, bool):
        refuse(argument, value, "True or False")


def require_key_arn(argument: str, value: str) -> None:
    """The ARN of a KMS key."""
    _require_match(
        argument,
        value,
        _KEY_ARN,
        "the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID (of the key, not of an alias)",
    )


def require_topic_arn(argument: str, value: str) -> None:
    """The ARN of an SNS topic."""
    _require_match(
        argument,
        value,
        _TOPIC_ARN,
        "the ARN of an SNS topic, arn:aws:sns:REGION:ACCOUNT:NAME",
    )


def require_replica_regions(
    argument: str, regions: Sequence[str], own_region: str | None = None
) -> None:
    """Different regions, without the one of the tables themselves.

    Args:
        argument: Name of the argument.
        regions: The regions.
        own_region: The stack's region, `None` where it makes no difference.
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
            f"other regions than the stack's own, {own_region!r}, where the tables are anyway",
        )


def require_known_region(argument: str, value: object, own_region: str) -> None:
    """A stack that says its region: CDK writes replicas and their keys by region."""
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
    """One key for each replica of tables with a key of their own, none otherwise."""
    if not isinstance(arns, Mapping):
        refuse(argument, arns, "a mapping from region to the ARN of a KMS key")
    if not encrypted and arns:
        refuse(
            argument,
            dict(arns),
            "no keys, since the tables themselves have none; pass the key of the stack's region "
            "too (encryption_key, or kms_key_arn for the stack)",
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
    """A prefix of thread ids that a policy can hold a tenant to.

    Args:
        argument: Name of the argument.
        value: The prefix.
        in_object_keys: Whether it also begins keys of objects, which hold a colon encoded.
    """
    _require_match(argument, value, _TENANT_PREFIX, _TENANT_PREFIX_EXPECTED)
    if in_object_keys and ":" in _POLICY_VARIABLE.sub("", value):
        refuse(
            argument,
            value,
            "'_' or '-' with a bucket: the keys of objects hold a colon percent-encoded",
        )


def require_owner_prefix(argument: str, value: str) -> None:
    """A prefix of owners that a policy can hold a tenant to."""
    _require_match(argument, value, _TENANT_PREFIX, _TENANT_PREFIX_EXPECTED)


def require_root_label(argument: str, value: str) -> None:
    """A root label of namespaces that a policy can hold a tenant to."""
    _require_match(
        argument,
        value,
        _ROOT_LABEL,
        "characters of A-Z, a-z, 0-9, '_' and '-', and policy variables that begin with '${aws:', "
        "such as '${aws:PrincipalTag/tenant}'",
    )


def require_policy_name_prefix(argument: str, value: str) -> None:
    """The first part of names of managed policies."""
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
