"""LangGraph's own graphs on the saver, each compared with the same graph in memory."""

import pytest

# Its assertions show differences only if pytest rewrites them before they are imported.
pytest.register_assert_rewrite("tests.support.graphs")
