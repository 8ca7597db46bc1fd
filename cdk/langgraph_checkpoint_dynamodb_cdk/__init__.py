"""AWS CDK construct and stack for the DynamoDB tables of langgraph-checkpoint-dynamodb."""

from langgraph_checkpoint_dynamodb_cdk.access import RIGHTS, Rights, Role
from langgraph_checkpoint_dynamodb_cdk.base import CheckpointStoreBase
from langgraph_checkpoint_dynamodb_cdk.checkpoint_store import CheckpointStore
from langgraph_checkpoint_dynamodb_cdk.context import StackSettings, stack_settings
from langgraph_checkpoint_dynamodb_cdk.stack import CheckpointStoreStack

__all__ = [
    "RIGHTS",
    "CheckpointStore",
    "CheckpointStoreBase",
    "CheckpointStoreStack",
    "Rights",
    "Role",
    "StackSettings",
    "stack_settings",
]
