"""What every handler needs of one run: its reader, its totals, its feed."""

from __future__ import annotations

from dataclasses import replace

from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.store.read.runs import Run, RunProgress
from transactive.store.read.totals import Counter, RunTotals
from transactive.texts.formatting import Words
from transactive.web.change_feed import ChangeFeed
from transactive.web.lines.privacy import least_homes
from transactive.web.lines.seen import SeenLines, seen_lines
from transactive.web.problems import NotBegun, NotFound
from transactive.web.viewers import Viewer


class RunContext:
    """One run, ready to be asked. words: in its currency and zone, once it was seen."""

    words: Words | None = None

    def __init__(self, feed: ChangeFeed) -> None:
        self.feed, self.reader = feed, feed.reader
        self.counter = Counter(feed.reader)
        self._lines: dict[int, SeenLines | None] = {}

    def run(self) -> Run:
        """The run. Raises NotBegun while it has not."""
        run = self.reader.run()
        if run is None:
            raise NotBegun("the run has not begun; ask again in a moment")
        self.words = Words(run.community.currency, run.community.zone)
        return run

    def look(self) -> tuple[Run, RunProgress, RunTotals]:
        """The run, how far it has come, and its totals up to there."""
        run, position = self.run(), self.reader.position()
        return run, position, self.counter.totals(run, position)

    def slot(self, run: Run, text: str) -> int:
        """Start of the slot that a text names. Raises InputError for no time, NotFound for no slot of the run."""
        slot = parse_time(text)
        if not run.holds(slot):
            raise NotFound(f"slot {text}: not in this run")
        return slot

    @property
    def least_homes(self) -> int:
        """Homes that each figure of a grid token covers at least."""
        return least_homes(self.reader.store.path.parent)

    def lines(self, run: Run, viewer: Viewer) -> SeenLines | None:
        """Lines as a viewer sees them, None without a network."""
        least = self.least_homes
        if least not in self._lines:
            self._lines = {least: seen_lines(run, least)}
        lines = self._lines[least]
        return lines and replace(lines, whole=viewer.sees_all)

    def member(self, run: Run, name: str) -> int:
        """Index of a member. Raises InputError for an unknown one."""
        return index_of(run, name)


def index_of(run: Run, name: str) -> int:
    """Index of a member of a run. Raises InputError for an unknown one."""
    ids = run.community.ids
    if name not in ids:
        raise InputError(f"member {name!r}: not in this community; its members are {', '.join(ids[:20])}")
    return ids.index(name)
