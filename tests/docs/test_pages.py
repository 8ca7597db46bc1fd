"""The documentation is true: each block of a page is run, in the order of the page."""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.docs.pages import DOCS, Block, Reader, blocks, environment, pages
from tests.support.buckets import Bucket
from tests.support.savers import native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.engines import Engine

# Blocks that need the extra `async`, which pins botocore.
ASYNC = "langgraph_checkpoint_dynamodb.aio"
# Blocks that need the extra `frameworks`, which `make frameworks` installs.
FRAMEWORKS = ("from bedrock_agentcore", "from deepagents", "langgraph dev")
FRAMEWORKS_ALONE = bool(os.environ.get("TEST_FRAMEWORKS"))


@pytest.fixture
def reader(
    engine: Engine, object_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reader]:
    """The reader of a page, on the engine. Tables and buckets that the page creates are deleted."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", engine.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", object_store)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", object_store)  # It is moto's server.
    monkeypatch.setenv("DYNAMODB_ENDPOINT_URL", engine.url)
    monkeypatch.chdir(tmp_path)
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    tables = set(dynamodb.list_tables()["TableNames"])
    buckets = {one["Name"] for one in s3.list_buckets()["Buckets"]}
    with Reader(tmp_path, environment()) as reader:
        yield reader
    for table in set(dynamodb.list_tables()["TableNames"]) - tables:
        dynamodb.delete_table(TableName=table)
    for name in {one["Name"] for one in s3.list_buckets()["Buckets"]} - buckets:
        Bucket(object_store, s3, name).drop()
    dynamodb.close()
    s3.close()


def is_for(page: Path) -> bool:
    """Whether a page runs in this environment: each page has its own."""
    text = "".join(block.text for block in blocks(page))
    if any(name in text for name in FRAMEWORKS):
        return FRAMEWORKS_ALONE
    return not FRAMEWORKS_ALONE and native() == (ASYNC in text)


@pytest.mark.sample(20)
@pytest.mark.parametrize(
    "page", [page for page in pages() if is_for(page)], ids=lambda page: str(page.relative_to(DOCS))
)
def test_a_page_works_as_it_stands(page: Path, reader: Reader) -> None:
    reader.read(blocks(page))


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(DOCS)))
def test_a_page_names_its_files_in_the_text_since_a_forge_shows_no_titles(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    files = re.finditer(r'^ *```\w+ title="(?!Output)([^"]+)"', text, flags=re.MULTILINE)
    unnamed = [
        file[1]
        for file in files
        if f"`{file[1]}`" not in text[: file.start()].rstrip().rsplit("\n\n", 1)[-1]
    ]
    assert unnamed == []


# --- the reader notices errors ---


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Block]]:
    """Makes a page from a text."""
    monkeypatch.setattr("tests.docs.pages.ROOT", tmp_path)

    def make(text: str) -> list[Block]:
        path = tmp_path / "page.md"
        path.write_text(text)
        return blocks(path)

    return make


GOOD = """
```python
x = 1
```

```python title="app.py"
import sys

print(sys.argv[1])
```

```bash
python app.py hello
```

```text title="Output"
hello
```

=== "A tab"

    ```python
    import asyncio

    await asyncio.sleep(0)
    print(x)
    ```

    ```text title="Output"
    1
    ```

<!-- not run: it needs an account -->
```bash
exit 1
```
"""


def test_a_good_page_passes(reader: Reader, page: Callable[[str], list[Block]]) -> None:
    found = page(GOOD)
    assert len(found) == 7
    reader.read(found)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("x = 1", "y = 1"),
        ("hello\n```\n\n===", "bye\n```\n\n==="),
        ("python app.py hello", "python app.py"),
        ("    1\n", "    2\n"),
        ("<!-- not run: it needs an account -->\n", ""),
        ("<!-- not run: it needs an account -->\n", "<!-- not run: -->\n"),
    ],
)
def test_a_page_that_does_not_work_fails(
    reader: Reader, page: Callable[[str], list[Block]], right: str, wrong: str
) -> None:
    assert right in GOOD
    with pytest.raises((AssertionError, NameError)):
        reader.read(page(GOOD.replace(right, wrong)))


@pytest.mark.parametrize(
    ("printed", "shown"), [("id 7f of 2", True), ("id 7f of 3", False), ("id 7\\nf of 2", False)]
)
def test_dots_stand_for_what_differs_each_time_within_a_line(
    reader: Reader, page: Callable[[str], list[Block]], printed: str, shown: bool
) -> None:
    found = page(
        f'```python\nprint("{printed}")\n```\n\n```text title="Output"\nid ... of 2\n```\n'
    )
    with nullcontext() if shown else pytest.raises(AssertionError):
        reader.read(found)


def test_a_server_runs_while_its_page_is_read(
    reader: Reader, page: Callable[[str], list[Block]]
) -> None:
    reader.read(
        page(
            "<!-- serves -->\n```bash\npython -m http.server --bind 127.0.0.1 8000\n```\n\n"
            "```bash\npython -c 'import urllib.request as r; "
            'print(r.urlopen("http://127.0.0.1:8000").status)\'\n```\n\n'
            '```text title="Output"\n200\n```\n'
        )
    )
