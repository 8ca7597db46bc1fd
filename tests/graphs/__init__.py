"""LangGraph's own graphs on the saver, each compared with the same graph in memory."""

import pytest

# Its comparisons say what differs only if pytest gets to rewrite them before they are imported.
pytest.register_assert_rewrite("tests.support.graphs")
