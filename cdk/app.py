"""The app: one stack, configured by the context (`-c key=value`; see README.md)."""

from __future__ import annotations

import os

from aws_cdk import App, Environment
from langgraph_checkpoint_dynamodb_cdk import CheckpointStoreStack, stack_settings

app = App()
settings = stack_settings(app.node.get_all_context())
CheckpointStoreStack(
    app,
    settings.stack_name,
    env=Environment(
        account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION")
    ),
    **settings.arguments,
)
app.synth()
