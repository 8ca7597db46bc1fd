"""Hooks of MkDocs: pages may link to files of the repository, as Markdown on a forge does.

Files named in `PAGES` become pages of the site. A link to another file or folder, which is not on
the site, becomes its plain text. A link to what does not exist ends the build.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent.parent
PAGES = (
    "benchmarks/RESULTS.md",
    "CHANGELOG.md",
    "cdk/README.md",
    "cloudformation/README.md",
    "examples/lambda/README.md",
    "examples/web/README.md",
    "terraform/README.md",
)
_PLACE = "repository/"
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie elsewhere, and the pictures beside them."""
    pictures = [
        str(path.relative_to(ROOT))
        for page in PAGES
        for path in (ROOT / page).parent.rglob("*.svg")
        if not any(part.startswith(".") or part == "node_modules" for part in path.parts)
    ]
    for path in dict.fromkeys((*PAGES, *pictures)):
        files.append(File.generated(config, _PLACE + path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Have links lead where a file is on the site."""
    source = page.file.src_uri
    elsewhere = source.startswith(_PLACE)
    origin = source.removeprefix(_PLACE) if elsewhere else f"docs/{source}"

    def led(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link["path"]))
        if not (ROOT / target).exists():
            raise PluginError(f"{origin}: [{link['text']}] leads to {target}, which is not there")
        on_site = _on_site(target, image=bool(link["image"]))
        if on_site is None:
            return link["text"]
        path = posixpath.relpath(on_site, posixpath.dirname(source))
        return f"{link['image']}[{link['text']}]({path}{link['anchor'] or ''})"

    return _LINK.sub(led, markdown)


def _on_site(target: str, *, image: bool) -> str | None:
    """Where a file of the repository is among the sources of the site, if it is."""
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    if image or target in PAGES:
        return _PLACE + target
    return None
