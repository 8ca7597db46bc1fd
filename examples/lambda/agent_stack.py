"""The CDK app: tables, function, URL, logs and the callers' policy, in one stack.

Settings are context values (`-c key=value`; see README.md).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from aws_cdk import App, CfnOutput, Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore

from build_package import OUTPUT, Built

if TYPE_CHECKING:
    from pathlib import Path

STACK_NAME = "PurchaseDesk"
ADAPTER_ACCOUNT = "753240598075"
ADAPTER_VERSION = 27
"""Version of the layer with the Lambda Web Adapter 1.0.0
(https://github.com/aws/aws-lambda-web-adapter)."""
ADAPTER_LAYERS = {"arm64": "LambdaAdapterLayerArm64", "x86_64": "LambdaAdapterLayerX86"}
_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
_MEMORY_MB = 1769
"""Memory at which Lambda allocates one full vCPU
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""
_TIMEOUT = Duration.minutes(5)
_DEFAULT_CONCURRENCY = 20
_KNOWN = {"name", "model", "throwaway", "reserved_concurrency", "adapter_version"}


def make_stack(app: App, package: Path = OUTPUT, **arguments: Any) -> Stack:
    """Make the stack from the app's context.

    Args:
        app: The app.
        package: The output folder of `build_package.py`.
        **arguments: Arguments of `aws_cdk.Stack`.

    Raises:
        PackageError: There is no package.
        ValueError: A setting is invalid.
    """
    context = _context(app)
    name = context.get("name", STACK_NAME)
    stack = Stack(app, name, **arguments)
    store = _make_store(stack, name.lower(), throwaway=context.get("throwaway") == "true")
    function = _make_function(stack, Built.read(package), package, context)
    function.add_environment("SAVER_SETTINGS", stack.to_json_string(store.saver_settings))
    # Enough to run graphs and to list a user's threads: no deletes, no scans.
    store.grant_read_write(function)
    url = function.add_function_url(
        auth_type=lambda_.FunctionUrlAuthType.AWS_IAM,
        invoke_mode=lambda_.InvokeMode.RESPONSE_STREAM,
    )
    callers = _make_callers_policy(stack, function)
    CfnOutput(stack, "Url", value=url.url)
    CfnOutput(stack, "FunctionName", value=function.function_name)
    CfnOutput(stack, "CallersPolicyArn", value=callers.managed_policy_arn)
    return stack


def _context(app: App) -> dict[str, str]:
    given = {
        key: str(value)
        for key, value in app.node.get_all_context().items()
        # Skip the CDK's own settings.
        if ":" not in key and not key.startswith("@")
    }
    if unknown := given.keys() - _KNOWN:
        raise ValueError(f"unknown context: {sorted(unknown)}; there are {sorted(_KNOWN)}")
    return given


def _make_store(stack: Stack, prefix: str, *, throwaway: bool) -> CheckpointStore:
    return CheckpointStore(
        stack,
        "Checkpoints",
        checkpoints_table_name=f"{prefix}-checkpoints",
        writes_table_name=f"{prefix}-writes",
        # Runs set `user_id`, so that callers can list their conversations.
        thread_index_owner="user_id",
        removal_policy=RemovalPolicy.DESTROY if throwaway else RemovalPolicy.RETAIN,
        deletion_protection=not throwaway,
    )


def _make_function(
    stack: Stack, built: Built, package: Path, context: dict[str, str]
) -> lambda_.Function:
    layer = (
        f"arn:{stack.partition}:lambda:{stack.region}:{ADAPTER_ACCOUNT}:layer:"
        f"{ADAPTER_LAYERS[built.architecture]}:"
        f"{context.get('adapter_version', ADAPTER_VERSION)}"
    )
    log_group = logs.LogGroup(
        stack,
        "Logs",
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=RemovalPolicy.DESTROY,
    )
    # The CDK's default role may write to every log group.
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    function = lambda_.Function(
        stack,
        "Function",
        description="A LangGraph agent that keeps its threads in DynamoDB",
        runtime=lambda_.Runtime(f"python{built.python}", lambda_.RuntimeFamily.PYTHON),
        architecture=_ARCHITECTURES[built.architecture],
        code=lambda_.Code.from_asset(str(package / "package")),
        # The adapter's wrapper starts this file and forwards invocations as HTTP requests.
        handler="run.sh",
        layers=[lambda_.LayerVersion.from_layer_version_arn(stack, "Adapter", layer)],
        environment={
            "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap",
            "AWS_LWA_INVOKE_MODE": "response_stream",
            "AWS_LWA_PORT": "8080",
            "AWS_LWA_READINESS_CHECK_PATH": "/health",
            "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS": "200-299",
            "PYTHONDONTWRITEBYTECODE": "1",  # the file system is read-only
            **({"MODEL": context["model"]} if "model" in context else {}),
        },
        role=role,
        log_group=log_group,
        memory_size=_MEMORY_MB,
        timeout=_TIMEOUT,
        reserved_concurrent_executions=_concurrency(context),
    )
    _grant_model(function, context.get("model", ""))
    return function


def _concurrency(context: dict[str, str]) -> int | None:
    """Concurrency limit: it bounds the cost of a burst of requests or of a mistake."""
    wanted = context.get("reserved_concurrency", str(_DEFAULT_CONCURRENCY))
    if wanted == "none":
        return None
    if not wanted.isdecimal():
        raise ValueError(f"reserved_concurrency: {wanted!r} is neither a number nor none")
    return int(wanted)


def _grant_model(function: lambda_.Function, model: str) -> None:
    provider, _, name = model.partition(":")
    if provider != "bedrock_converse":
        return
    function.add_to_role_policy(
        iam.PolicyStatement(
            sid="Model",
            actions=["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
            resources=[f"arn:{Stack.of(function).partition}:bedrock:*::foundation-model/{name}"],
        )
    )


def _make_callers_policy(stack: Stack, function: lambda_.Function) -> iam.ManagedPolicy:
    """Managed policy for the roles of callers; without it nobody may call the function.

    Since October 2025 a function URL requires both permissions
    (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html).
    """
    return iam.ManagedPolicy(
        stack,
        "Callers",
        statements=[
            iam.PolicyStatement(
                sid="Url",
                actions=["lambda:InvokeFunctionUrl"],
                resources=[function.function_arn],
                conditions={"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
            ),
            iam.PolicyStatement(
                sid="ThroughTheUrl",
                actions=["lambda:InvokeFunction"],
                resources=[function.function_arn],
                conditions={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
            ),
        ],
    )


if __name__ == "__main__":
    desk = App()
    make_stack(
        desk,
        env=Environment(
            account=os.environ.get("CDK_DEFAULT_ACCOUNT"),
            region=os.environ.get("CDK_DEFAULT_REGION"),
        ),
    )
    desk.synth()
