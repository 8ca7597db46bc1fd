"""Headless Chromium for tests, and for the pictures of the documentation."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

_ARGUMENTS = (
    # CI runs as root, where Chromium's sandbox does not work. The pages are our own.
    "--no-sandbox",
    "--disable-gpu",
    # No background requests of Chromium itself.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium: the executable that `CHROMIUM` names, else the `chromium` on the path.

    Raises:
        RuntimeError: Chromium is not installed.
    """
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise RuntimeError("there is no chromium; install it, or name its path: CHROMIUM=...")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield started
        started.close()
