"""What needs a browser is collected where `TEST_WEB` asks for it."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("TEST_WEB") else ["browser"]
