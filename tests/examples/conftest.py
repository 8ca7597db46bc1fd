"""What only `make deepagents` runs: its package brings the SDKs of several models with it."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("TEST_DEEPAGENTS") else ["test_deepagents_memory.py"]
