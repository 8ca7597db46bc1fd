"""The app: one stack, configured by the context (`cdk.json`, or `-c key=value`; see README.md)."""

from __future__ import annotations

import os
import sys

from aws_cdk import Annotations, App, Environment, Stack
from langgraph_checkpoint_dynamodb_cdk import CheckpointStoreStack, guard, stack_settings


def main() -> None:
    """Synthesize the stack, and reject a removal of deployed resources."""
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
        # The message names the setting and what is expected. A traceback would not help.
        sys.exit(f"error: {error}")
    assembly = app.synth()
    # Without credentials the CLI does not set the account, and cannot deploy.
    if account and region and not settings.allow_removal:
        template = assembly.get_stack_by_name(settings.stack_name).template
        if _annotate_removals(stack, template, account, region):
            app.synth(force=True)


def _annotate_removals(
    stack: Stack, template: dict[str, object], account: str, region: str
) -> bool:
    """Add an error for resources that would be removed, or a warning if they are unknown.

    Returns:
        Whether the stack has a new annotation.
    """
    name = stack.stack_name
    try:
        removed = guard.removed(guard.deployed_template(name, account, region), template)
    except guard.UnknownStackError as error:
        Annotations.of(stack).add_warning_v2(
            "langgraph:unknown-stack",
            f"the deployed stack {name} could not be read, so this deployment may remove resources "
            f"of forgotten settings: {error}",
        )
        return True
    if removed:
        Annotations.of(stack).add_error(guard.removal_error(name, removed))
    return bool(removed)


main()
