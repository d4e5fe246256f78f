"""What `transactive demo --live` does: a street with broker, homes and boxes, and its market live beside the page."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from transactive.cli.run.actions import page_beside, run_and_show
from transactive.cli.surroundings import end_if_asked
from transactive.config.setting import load_setting
from transactive.core.errors import InputError
from transactive.core.slots import DAY
from transactive.engine.live.session import Pace, go_live
from transactive.engine.live.waiting import WallClock
from transactive.links.addresses import broker_parts
from transactive.services.readings.inbox import note_community
from transactive.studies.live_street.broker import broker_of_its_own
from transactive.studies.live_street.street import FIRST, SLOT, StreetClock, boxes_of, write_street
from transactive.web.viewers import open_here

PATIENCE, SPREAD, AT_GATE = 600, 60, 60


def run_street(
    *, port: int | None, json: bool, state: Path | None, seed: str, broker: str | None, speed: float, slots: int
) -> None:
    """Let a street live for some slots, and serve its page until Ctrl-C unless there is none.

    Raises InputError for a folder that has something in it, and where there is no broker.
    """
    folder = state or Path(tempfile.mkdtemp(prefix="transactive-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError(f"--state {folder}: a live demo begins in an empty folder; give another")
    if broker is not None:
        broker_parts(broker)
    live = folder / "market"
    with ExitStack() as parts:
        url = broker or parts.enter_context(broker_of_its_own(folder))
        path, clock = write_street(folder), StreetClock(speed)
        own = range(FIRST, FIRST + slots * SLOT, SLOT)
        setting = load_setting(path, until=own.stop + DAY).read_by(FIRST)
        note_community(live, path)
        parts.enter_context(boxes_of(folder, live, url, clock, _tell))
        open_here(live)
        pace = Pace(patience=PATIENCE, spread=SPREAD, at_gate=AT_GATE)
        wall = WallClock(speed, clock.begin, clock.since, end_if_asked)
        tell = partial(_tell, "market")
        parts.enter_context(_saying_where_it_is(live))
        parts.enter_context(page_beside(live, port, stay=True))
        runner = partial(go_live, setting, own, live, seed=seed, pace=pace, broker=url, tell=tell, clock=wall)
        run_and_show(setting, own, live, runner, json=json)


@contextmanager
def _saying_where_it_is(live: Path) -> Iterator[None]:
    """Say in one line where to look at a street that was interrupted: its time went on, so it cannot."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"interrupted; look at it with transactive serve --state {live}", file=sys.stderr, flush=True)
        raise


def _tell(who: str, text: str) -> None:
    """Say on stderr what happens, and to whom."""
    print(f"{who:>6}: {text}", file=sys.stderr, flush=True)
