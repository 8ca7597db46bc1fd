"""What only `make frameworks` runs: deepagents brings the SDKs of several models with it."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("TEST_FRAMEWORKS") else ["test_deepagents_memory.py"]
