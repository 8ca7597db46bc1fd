"""For tests of applications: DynamoDB in the test's process, and temporary tables and savers.

`fixtures` provides them as pytest fixtures. Needs the extra `[testing]`.
"""

from langgraph_checkpoint_dynamodb.testing.engine import embedded_engine
from langgraph_checkpoint_dynamodb.testing.tables import (
    TemporaryTables,
    temporary_saver,
    temporary_tables,
)

__all__ = ["TemporaryTables", "embedded_engine", "temporary_saver", "temporary_tables"]
