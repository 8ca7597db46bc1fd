"""Pages of the documentation, and a reader that runs their blocks in the order of the page.

- `python`: run in one namespace for the page; `await` is allowed anywhere.
- `bash`: run by bash in a folder of the page's own. Exported variables carry over to the next
  block. After a comment `<!-- serves -->` the block is a server on 127.0.0.1, an engine on port
  8000 or an application on 8080, which runs until the page ends.
- any language with `title="app.py"`: a file in that folder. The text before it must name the file
  too, as only the site shows titles.
- `text title="Output"`: the output of the block before it; `...` matches anything within a line.
- `<!-- not run: reason -->` before a block says why it is not run.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from tests.support.engines import free_port, wait_until_open

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
_PORT = re.compile(r"(127\.0\.0\.1[: ]|--port )80[08]0\b")
_COMMENT = re.compile(r"<!-- (serves|not run: (?P<reason>.+?)) -->\s*", re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_SECONDS = 120


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        place: Page and line.
        language: Language of the block.
        title: File name, if the block is a file; or `Output`.
        text: Contents.
        remark: The comment before the block: `serves`, or `not run`.
    """

    place: str
    language: str
    title: str | None
    text: str
    remark: str | None


def pages() -> list[Path]:
    """Every page."""
    return sorted(DOCS.rglob("*.md"))


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, including those in lists and tabs."""
    tokens = MarkdownIt().parse(_unfolded(page.read_text(encoding="utf-8")))
    found = []
    remark = None
    for token in tokens:
        if token.type == "html_block":
            comment = _COMMENT.fullmatch(token.content)
            remark = comment and ("not run" if comment["reason"] else "serves")
        elif token.type == "fence":
            language, _, rest = token.info.partition(" ")
            title = _TITLE.search(rest)
            line = token.map[0] + 1 if token.map else 0
            place = f"{page.relative_to(ROOT)}:{line}"
            found.append(Block(place, language, title and title[1], token.content, remark))
            remark = None
        elif token.type not in ("paragraph_close", "list_item_close"):
            remark = None
    return found


def _unfolded(text: str) -> str:
    """The page without the indents of tabs and admonitions; line numbers stay the same."""
    lines = text.splitlines()
    inside = False
    for number, line in enumerate(lines):
        if line.startswith(("=== ", "!!! ", "??? ")):
            inside, lines[number] = True, ""
        elif inside and line.strip() and not line.startswith("    "):
            inside = False
        elif inside:
            lines[number] = line[4:]
    return "\n".join(lines)


@dataclass
class Reader:
    """Runs the blocks of a page, in order.

    Attributes:
        folder: Where files of the page are written and its commands run.
        environment: Variables of the next command.
        module: The namespace of the page's Python.
        output: Output of the previous block.
    """

    folder: Path
    environment: Mapping[str, str]
    module: ModuleType = field(default_factory=lambda: ModuleType("__main__"))
    output: str = ""
    port: int = field(default_factory=free_port)
    _servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._imported = set(sys.modules)
        self._main = sys.modules["__main__"]
        # Types that are defined on a page are looked up in their module.
        sys.modules["__main__"] = self.module
        sys.path.insert(0, str(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        sys.modules["__main__"] = self._main
        sys.path.remove(str(self.folder))
        for name in set(sys.modules) - self._imported:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(self.folder):
                del sys.modules[name]
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        for server in self._servers:
            server.terminate()
            server.wait(_SECONDS)

    def read(self, found: Sequence[Block]) -> None:
        """Run these blocks."""
        for block in found:
            text = _PORT.sub(rf"\g<1>{self.port}", block.text)
            if block.title == "Output":
                assert _is_as_shown(self.output, text), f"{block.place}: printed was\n{self.output}"
            elif block.remark == "not run":
                continue
            elif block.title:
                path = self.folder / block.title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            elif block.language == "python":
                self._run_python(block, text)
            elif block.language == "bash":
                self._run_bash(block, text)
            elif block.language == "json":
                json.loads(text)

    def _run_python(self, block: Block, text: str) -> None:
        code = compile(text, block.place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            awaited = eval(code, self.module.__dict__)  # noqa: S307 - our own pages
            if inspect.iscoroutine(awaited):
                self._loop.run_until_complete(awaited)
        self.output = printed.getvalue()

    def _run_bash(self, block: Block, text: str) -> None:
        if block.remark == "serves":
            server = subprocess.Popen(  # noqa: S603 - our own pages
                ["/bin/bash", "-c", f"exec {text.strip()}"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            self._servers.append(server)
            wait_until_open(block.place, self.port, server)
            return
        variables = self.folder / ".variables"
        done = subprocess.run(  # noqa: S603 - our own pages
            ["/bin/bash", "-euo", "pipefail", "-c", f"{text}\nenv -0 > {variables}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block.place}: {done.stdout}{done.stderr}"
        self.output = done.stdout
        exported = variables.read_text(encoding="utf-8").rstrip("\0").split("\0")
        self.environment = dict(one.split("=", 1) for one in exported)


def _is_as_shown(printed: str, shown: str) -> bool:
    """Whether the page shows what was printed, apart from `...` and line ends."""
    trimmed = re.sub(" +$", "", printed, flags=re.MULTILINE)
    return re.fullmatch(re.escape(shown).replace(re.escape("..."), ".*"), trimmed) is not None


def environment(**more: str) -> dict[str, str]:
    """Variables of a page's commands: those of the tests, with this Python first on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, **more}
