"""Tests that need a browser are collected only if `TEST_WEB` is set."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("TEST_WEB") else ["browser"]
