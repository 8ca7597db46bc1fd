"""The app: one stack, configured by the context (`cdk.json`, or `-c key=value`; see README.md)."""

from __future__ import annotations

import os
import sys

from aws_cdk import Annotations, App, Environment, Stack
from langgraph_checkpoint_dynamodb_cdk import CheckpointStoreStack, guard, stack_settings


def main() -> None:
    """Synthesize the stack, and refuse to take away what is deployed of it."""
    app = App()
    account, region = (os.environ.get(f"CDK_DEFAULT_{name}") for name in ("ACCOUNT", "REGION"))
    try:
        settings = stack_settings(app.node.get_all_context())
        stack = CheckpointStoreStack(
            app,
            settings.stack_name,
            env=Environment(account=account, region=region),
            **settings.arguments,
        )
    except ValueError as error:
        # It names the setting and what is expected; where in here that was found helps nobody.
        sys.exit(f"error: {error}")
    assembly = app.synth()
    # Without credentials the CLI knows no account, and nothing is deployed.
    if account and region and not settings.allow_removal:
        wanted = assembly.get_stack_by_name(settings.stack_name).template
        if _objects(stack, wanted, account, region):
            app.synth(force=True)


def _objects(stack: Stack, wanted: dict[str, object], account: str, region: str) -> bool:
    """Have the CLI refuse what would be lost, or warn where that cannot be seen."""
    name = stack.stack_name
    try:
        taken = guard.lost(guard.deployed_template(name, account, region), wanted)
    except guard.UnknownStackError as error:
        Annotations.of(stack).add_warning_v2(
            "langgraph:unknown-stack",
            f"it was not seen what {name} has, so settings that were forgotten take away what they "
            f"stand for: {error}",
        )
        return True
    if taken:
        Annotations.of(stack).add_error(guard.refusal(name, taken))
    return bool(taken)


main()
