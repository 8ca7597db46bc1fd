"""Tests that only `make frameworks` runs: deepagents depends on the SDKs of several models."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("TEST_FRAMEWORKS") else ["test_deepagents_memory.py"]
