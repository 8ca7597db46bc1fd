"""The tables of other packages, read as they lie: which threads they hold, and all of each.

Their own savers list no threads and tell no task paths, and none of them returns all that it has
stored; each module says what is missing. One of them cannot even be installed beside this package.
So the items themselves are read here, by operations as those of our own tables.
"""

from langgraph_checkpoint_dynamodb.moving.foreign.amazon_dynamodb import AmazonDynamodbTable
from langgraph_checkpoint_dynamodb.moving.foreign.checkpoint_aws import CheckpointAwsTable
from langgraph_checkpoint_dynamodb.moving.foreign.dynamodb_checkpoint import DynamodbCheckpointTable

__all__ = ["AmazonDynamodbTable", "CheckpointAwsTable", "DynamodbCheckpointTable"]
