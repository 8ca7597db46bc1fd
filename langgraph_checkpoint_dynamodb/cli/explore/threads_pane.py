"""The pane of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from rich.console import Group
from rich.text import Text
from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from langgraph_checkpoint_dynamodb.cli.explore.pane import Lines, Pane
from langgraph_checkpoint_dynamodb.cli.explore.rendering import Columns, age, one_line
from langgraph_checkpoint_dynamodb.items.threads import Status

if TYPE_CHECKING:
    from typing import ClassVar

    from rich.console import RenderableType
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from langgraph_checkpoint_dynamodb.cli.explore.reader import Reader, Thread
    from langgraph_checkpoint_dynamodb.cli.explore.rendering import Palette
    from langgraph_checkpoint_dynamodb.items.threads import ThreadInfo

_STATUSES: tuple[Status | None, ...] = (None, *get_args(Status))


class Box(Input):
    """A line to write in, which is left by keys that are shown meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Find"),
        Binding("down", "app.focus_next", "List"),
        Binding("escape", "app.retreat", "Close"),
    ]


class ThreadsPane(Pane):
    """Threads, page by page: those that are listed with what is known of them, else their ids.

    Args:
        reader: What reads them.
        owner: Only those of this owner; `None` for all.
    """

    TITLE = "Threads"

    class Chosen(Message):
        """A thread was chosen.

        Attributes:
            thread_id: The thread.
        """

        def __init__(self, thread_id: str) -> None:
            super().__init__()
            self.thread_id = thread_id

    def __init__(self, reader: Reader, owner: str | None) -> None:
        super().__init__(id="threads")
        self._reader = reader
        self._threads: list[Thread] = []
        self._shown: list[Thread] = []
        self._next: Any = None
        self._more = True
        self._loading = False
        self._needle = ""
        self.owner = owner
        self.status: Status | None = None

    def content(self) -> ComposeResult:
        """A line to filter by, and the threads."""
        yield Box(placeholder="part of a title or an id", id="filter", compact=True)
        yield Box(placeholder="owner; empty for everybody", id="owner", compact=True)
        yield Lines()

    def on_mount(self) -> None:
        """Read the first page."""
        for box in self.query(Input):
            box.display = False
        self.reload()

    @property
    def thread_id(self) -> str | None:
        """The highlighted thread."""
        place = self.query_one(Lines).highlighted
        return self._shown[place].thread_id if place is not None and self._has(place) else None

    def reload(self) -> None:
        """Read anew from the first page on."""
        self._threads, self._next, self._more = [], None, True
        self.problem("")
        self._load()

    def next_status(self) -> None:
        """Show the threads of the next status alone, in turn."""
        if not self._reader.lists_threads:
            self.problem("Threads have a status where the saver has a thread_index.")
            return
        self.status = _STATUSES[(_STATUSES.index(self.status) + 1) % len(_STATUSES)]
        self.reload()

    def ask(self, name: str) -> None:
        """Show the box to filter by, or that for the owner."""
        if name == "owner" and not self._reader.lists_threads:
            self.problem("Threads have an owner where the saver has a thread_index.")
            return
        box = self.query_one(f"#{name}", Input)
        box.display = True
        self.call_after_refresh(box.focus)

    def leave(self) -> bool:
        """Close the box that is open, and filter no more; false if none is."""
        box = self.query_one("#filter", Input)
        owner = self.query_one("#owner", Input)
        if not box.display and not owner.display:
            return False
        owner.display = False
        box.display = False
        box.value = ""
        self.target.focus()
        return True

    def restyle(self) -> None:
        """Show the same in other colours, or at another time."""
        self._show()

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        self._needle = event.value.strip().casefold()
        self._show()

    @on(Input.Submitted, "#filter")
    def _open(self, event: Input.Submitted) -> None:
        """Go to what was found, else open the thread of exactly this id."""
        wanted = event.value.strip()
        if wanted and not self._shown:
            self.post_message(self.Chosen(wanted))
        else:
            self.target.focus()

    @on(Input.Submitted, "#owner")
    def _owned(self, event: Input.Submitted) -> None:
        self.owner = event.value.strip() or None
        event.input.display = False
        self.target.focus()
        self.reload()

    @on(Lines.OptionSelected)
    def _choose(self, event: Lines.OptionSelected) -> None:
        if self._has(event.option_index):
            self.post_message(self.Chosen(self._shown[event.option_index].thread_id))
        else:
            self._load_more()

    @on(Lines.OptionHighlighted)
    def _reach(self, event: Lines.OptionHighlighted) -> None:
        if not self._has(event.option_index):
            self._load_more()

    @on(Lines.EndSeen)
    def _end_seen(self) -> None:
        # Of few that are found the end is always seen: all of the table would be read.
        # And what was told before the last page came is not so any more.
        if not self._needle and self.query_one(Lines).end_seen:
            self._load_more()

    def _has(self, place: int) -> bool:
        return place < len(self._shown)

    def _load_more(self) -> None:
        if self._more and not self._loading:
            self._load()

    def _load(self) -> None:
        self._loading = True
        self.work(self._read(), "threads")

    async def _read(self) -> None:
        start = self._next
        try:
            page = await self._reader.threads(self.owner, self.status, start)
        except Exception:
            self._more, self._loading = False, False
            self._show()
            raise
        self._loading = False
        known = {one.thread_id for one in self._threads}
        self._threads += [one for one in page.threads if one.thread_id not in known]
        self._next, self._more = page.next, page.next is not None
        self._show()

    def _show(self) -> None:
        palette, now = self.palette, self._reader.clock()
        owned = self.owner is not None
        self._shown = [one for one in self._threads if self._is_wanted(one)]
        lines: list[tuple[str | None, RenderableType]] = [
            (f"thread {one.thread_id}", thread_line(one, palette, now, owned=owned))
            for one in self._shown
        ]
        if self._more:
            lines.append((None, Columns(Text("  ... more", palette.muted))))
        self.query_one(Lines).show(lines)
        self.border_title = one_line(self._title())

    def _title(self) -> str:
        count = f"{len(self._threads):,}{'+' if self._more else ''}"
        found = f"{len(self._shown):,} of {count}" if self._needle else count
        parts = [f"Threads {found}", self.status or "", self.owner or ""]
        return " · ".join(filter(None, parts))

    def _is_wanted(self, one: Thread) -> bool:
        title = "" if one.info is None else one.info.title or ""
        return self._needle in one.thread_id.casefold() or self._needle in title.casefold()


def thread_line(
    one: Thread, palette: Palette, now: float, *, owned: bool = False
) -> RenderableType:
    """A thread on two lines, or on one where there is no more to say than its id.

    Args:
        one: The thread.
        palette: Colours.
        now: The time, in seconds since the epoch.
        owned: Whether all threads are of one owner, who is not named then.
    """
    info = one.info
    name = one_line(one.thread_id)
    if info is None:
        return Columns(Text.assemble(("○ ", palette.muted), (name, palette.plain)))
    mark, colour, said = _status(info, palette)
    when = Text(age(now - info.updated.timestamp()), palette.muted)
    title = one_line(info.title or name)
    first = Columns(Text.assemble((mark, colour), (f" {title}", palette.plain)), when)
    owner = "" if owned else info.owner or ""
    below = " · ".join(filter(None, ["" if info.title is None else name, owner]))
    if not below and not said:
        return first
    second = Columns(Text(f"  {one_line(below)}", palette.muted), Text(said, colour))
    return Group(first, second)


def _status(info: ThreadInfo, palette: Palette) -> tuple[str, str, str]:
    if info.status == "failed":
        return "✖", palette.bad, "failed"
    if info.status == "waiting":
        return "◆", palette.warn, f"waits for {info.interrupts}"
    return "○", palette.muted, ""
