"""For the tests of applications: an engine in the process, tables and savers of a test's own.

`fixtures` has them as fixtures of pytest. Needs the extra `[testing]`.
"""

from langgraph_checkpoint_dynamodb.testing.engine import embedded_engine
from langgraph_checkpoint_dynamodb.testing.tables import (
    TemporaryTables,
    temporary_saver,
    temporary_tables,
)

__all__ = ["TemporaryTables", "embedded_engine", "temporary_saver", "temporary_tables"]
