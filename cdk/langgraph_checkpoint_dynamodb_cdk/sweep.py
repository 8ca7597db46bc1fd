"""The sweep on a schedule: a Lambda function, and the rule that calls it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy, Token
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from langgraph_checkpoint_dynamodb_cdk import checks
from langgraph_checkpoint_dynamodb_cdk.access import document
from langgraph_checkpoint_dynamodb_cdk.acknowledged import acknowledge_sweep

if TYPE_CHECKING:
    from constructs import Construct

    from langgraph_checkpoint_dynamodb_cdk.access import Statement

_HANDLER = "langgraph_checkpoint_dynamodb.upkeep.handler"
_INVALID_NAME_CHARACTERS = re.compile(r"[^A-Za-z0-9_-]")
MIN_AGE_SECONDS = 3600
"""Minimum of `older_than_seconds`: the saver sweeps nothing that is younger than an hour."""


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """Settings of the scheduled sweep.

    Attributes:
        schedule: The EventBridge schedule expression.
        package: Path of the zip file with the function's code.
        older_than_seconds: Minimum age of orphans, in seconds.
        name: Name of the function, its role, its rule and its log group; `None` for generated
            names.

    Raises:
        ValueError: A value is invalid; the message names it.
    """

    schedule: str
    package: str
    older_than_seconds: int
    name: str | None

    def __post_init__(self) -> None:
        checks.require_schedule("sweep_schedule", self.schedule)
        checks.require_between("sweep_older_than_seconds", self.older_than_seconds, MIN_AGE_SECONDS)
        checks.require_text("sweep_package", self.package, "the path of a zip file")
        if self.name is not None:
            checks.require_function_name("name", self.name)


def sweep_name(prefix: str) -> str:
    """Make a name of the function from a table name or policy name, which allow more characters."""
    valid = prefix if Token.is_unresolved(prefix) else _INVALID_NAME_CHARACTERS.sub("-", prefix)
    return f"{valid}-sweep"


def make_sweep(
    scope: Construct,
    settings: SweepSettings,
    *,
    saver_settings: str,
    statements: tuple[Statement, ...],
) -> lambda_.Function:
    """Make the function that sweeps, its role and its schedule.

    Args:
        scope: The scope of the resources.
        settings: Settings of the sweep.
        saver_settings: Arguments of the saver, as JSON.
        statements: Policy statements of the function's role.

    Returns:
        The function.
    """
    log = logs.LogGroup(
        scope,
        "SweepLog",
        log_group_name=None if settings.name is None else f"/aws/lambda/{settings.name}",
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=RemovalPolicy.DESTROY,
    )
    role = iam.Role(
        scope,
        "SweepRole",
        role_name=settings.name,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={
            "sweep": iam.PolicyDocument.from_json(document(statements)),
            "logs": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="Logs",
                        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                        resources=[log.log_group_arn],
                    )
                ]
            ),
        },
    )
    function = lambda_.Function(
        scope,
        "Sweep",
        function_name=settings.name,
        description="Removes what processes left behind in the tables of LangGraph's checkpoints.",
        role=role.without_policy_updates(),
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler=_HANDLER,
        code=lambda_.Code.from_asset(settings.package),
        timeout=Duration.minutes(15),
        memory_size=512,
        environment={
            "SAVER_SETTINGS": saver_settings,
            "SWEEP_OLDER_THAN_SECONDS": str(settings.older_than_seconds),
        },
        log_group=log,
        logging_format=lambda_.LoggingFormat.JSON,
        application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
        # The function calls itself until large tables are swept, which Lambda's loop detection
        # would stop.
        recursive_loop=lambda_.RecursiveLoop.ALLOW,
    )
    # Not inline in the role: the policy names the function, which depends on the role.
    iam.Policy(
        scope,
        "SweepAgain",
        roles=[role],
        statements=[
            iam.PolicyStatement(
                sid="Again", actions=["lambda:InvokeFunction"], resources=[function.function_arn]
            )
        ],
    )
    events.Rule(
        scope,
        "SweepSchedule",
        rule_name=settings.name,
        description="Calls the sweep of LangGraph's checkpoints.",
        schedule=events.Schedule.expression(settings.schedule),
        targets=[targets.LambdaFunction(function)],
    )
    objects = [
        arn
        for statement in statements
        if statement["Sid"] == "Objects"
        for arn in statement["Resource"]
    ]
    acknowledge_sweep(role, function, [log.log_group_arn, *objects])
    return function
