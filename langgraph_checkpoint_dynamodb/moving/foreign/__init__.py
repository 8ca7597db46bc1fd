"""Reads the tables of other packages: their threads, and all that is stored of each.

Those packages' own savers list no threads and return no task paths, and none of them returns all
that it has stored; each module here says what its saver leaves out. One of the packages cannot be
installed beside this one. So the items are read directly, by operations like those for this
package's own tables.
"""

from langgraph_checkpoint_dynamodb.moving.foreign.amazon_dynamodb import AmazonDynamodbTable
from langgraph_checkpoint_dynamodb.moving.foreign.checkpoint_aws import CheckpointAwsTable
from langgraph_checkpoint_dynamodb.moving.foreign.dynamodb_checkpoint import DynamodbCheckpointTable

__all__ = ["AmazonDynamodbTable", "CheckpointAwsTable", "DynamodbCheckpointTable"]
