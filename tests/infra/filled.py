"""A CloudFormation template with its parameters, conditions and functions evaluated.

A deployment shows that an engine accepts the template. This evaluates it for many more values than
can be deployed, to compare it with the construct's template for the same settings.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.support.iam import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

_PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_NAMES = ("TableName", "BucketName", "ManagedPolicyName", "FunctionName")
_NOTHING = object()


class RefusedError(Exception):
    """CloudFormation would reject these parameters; the message is the reason."""


@dataclass(frozen=True)
class Filled:
    """A template with values for its parameters.

    Attributes:
        template: The template, functions in their long form.
        given: The parameters that are set.

    Raises:
        RefusedError: A parameter is unknown or missing, or its value does not match its pattern or
            violates a rule.
    """

    template: Mapping[str, Any]
    given: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        declared = self.template.get("Parameters", {})
        for name, value in self.given.items():
            if name not in declared:
                raise RefusedError(f"there is no parameter {name}")
            _check(name, value, declared[name])
        for name, parameter in declared.items():
            if "Default" not in parameter and name not in self.given:
                raise RefusedError(f"{name} must be given")
        for rule in self.template.get("Rules", {}).values():
            if "RuleCondition" in rule and not self._holds(rule["RuleCondition"]):
                continue
            for assertion in rule["Assertions"]:
                if not self._holds(assertion["Assert"]):
                    raise RefusedError(assertion["AssertDescription"])

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Type and properties of each resource that is created."""
        return {
            name: {**found, "Properties": self.value(found["Properties"])}
            for name, found in self._made("Resources").items()
        }

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The outputs whose condition is true."""
        found = self._made("Outputs")
        return {name: self.value(output["Value"]) for name, output in found.items()}

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Properties of the resources of a type."""
        found = self.resources.values()
        return [one["Properties"] for one in found if one["Type"] == kind]

    def value(self, value: Any) -> Any:
        """A value as after the deployment."""
        match value:
            case {"Ref": "AWS::NoValue"}:
                return _NOTHING
            case {"Ref": name}:
                return self._ref(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self._arn(name)
            case {"Fn::If": [condition, first, second]}:
                holds = self._holds(self.template["Conditions"][condition])
                return self.value(first if holds else second)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(map(str, self.value(parts)))
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{(!?)([^}]+)\}", self._substituted, text)
            case {"Fn::Select": [index, parts]}:
                return self.value(parts)[int(index)]
            case {"Fn::Split": [separator, text]}:
                return self.value(text).split(separator)
            case dict():
                return self._object(value)
            case list():
                return [one for one in map(self.value, value) if one is not _NOTHING]
        return value

    def _object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        if any(key.startswith("Fn::") for key in value):
            raise ValueError(f"cannot fill in {value}")
        filled = {key: self.value(part) for key, part in value.items()}
        return {key: part for key, part in filled.items() if part is not _NOTHING}

    def _made(self, section: str) -> dict[str, Any]:
        conditions = self.template.get("Conditions", {})
        return {
            name: found
            for name, found in self.template[section].items()
            if "Condition" not in found or self._holds(conditions[found["Condition"]])
        }

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Condition": name}:
                return self._holds(self.template["Conditions"][name])
            case {"Fn::Not": [inner]}:
                return not self._holds(inner)
            case {"Fn::And": inner}:
                return all(map(self._holds, inner))
            case {"Fn::Or": inner}:
                return any(map(self._holds, inner))
            case {"Fn::Equals": [first, second]}:
                return str(self.value(first)) == str(self.value(second))
            case {"Fn::Contains": [several, one]}:
                return self.value(one) in self.value(several)
        raise ValueError(f"no condition: {condition}")

    def _substituted(self, found: re.Match[str]) -> str:
        literal, name = found[1], found[2]
        if literal:
            return f"${{{name}}}"
        resource, _, attribute = name.partition(".")
        return str(self._arn(resource) if attribute == "Arn" else self._ref(name))

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        parameters = self.template.get("Parameters", {})
        if name in parameters:
            value = self.given.get(name, parameters[name].get("Default"))
            return int(value) if parameters[name]["Type"] == "Number" else value
        kind, properties = self._resource(name)
        if kind == "AWS::IAM::ManagedPolicy":
            return self._arn(name)
        named = [properties[key] for key in _NAMES if key in properties]
        return self.value(named[0]) if named else "generated-name"

    def _arn(self, name: str) -> str:
        kind, properties = self._resource(name)
        match kind:
            case "AWS::DynamoDB::GlobalTable":
                return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self._ref(name)}"
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{self._ref(name)}"
            case "AWS::IAM::ManagedPolicy":
                return (
                    f"arn:aws:iam::{ACCOUNT}:policy/{self.value(properties['ManagedPolicyName'])}"
                )
        raise ValueError(f"no ARN known for a {kind}")

    def _resource(self, name: str) -> tuple[str, dict[str, Any]]:
        made = self._made("Resources")
        if name not in made:
            raise ValueError(f"{name} is not made with {json.dumps(dict(self.given))}")
        # Names only: other properties may refer to resources that refer back to this one.
        named = {
            key: value
            for key, value in made[name]["Properties"].items()
            if key in _NAMES and self.value(value) is not _NOTHING
        }
        return made[name]["Type"], named


def _check(name: str, value: str, declared: Mapping[str, Any]) -> None:
    if declared["Type"] == "Number" and not re.fullmatch("[0-9]+", value):
        raise RefusedError(f"{name} must be a number")
    if "MaxValue" in declared and int(value) > declared["MaxValue"]:
        raise RefusedError(f"{name} must be at most {declared['MaxValue']}")
    if "AllowedValues" in declared and value not in declared["AllowedValues"]:
        raise RefusedError(f"{name} must be one of {declared['AllowedValues']}")
    if not re.fullmatch(declared.get("AllowedPattern", ".*"), value):
        raise RefusedError(f"{name} must be {declared['ConstraintDescription']}")
    if len(value) > declared.get("MaxLength", len(value)):
        raise RefusedError(f"{name} must be at most {declared['MaxLength']} characters")
