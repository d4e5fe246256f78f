"""What `transactive live` and `journal replay` do: a session on a recording, and the replay of its journal."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from transactive.cli.run.actions import page_beside, run_and_show, saying_how_to_go_on
from transactive.cli.surroundings import end_if_asked
from transactive.config.community_file import load
from transactive.config.setting import load_setting
from transactive.core.errors import InputError
from transactive.core.slots import DAY, time_text
from transactive.engine.live.session import Pace, go_live, rehearse, replay_journal
from transactive.engine.live.waiting import WallClock
from transactive.engine.replay import slots_from
from transactive.engine.state_folder import begun_at
from transactive.links.addresses import broker_parts
from transactive.services.readings.inbox import note_community
from transactive.store import Store, holds_state


def run_live(
    path: Path, pace: Pace, *, state: Path | None, json: bool, port: int | None, stay: bool, seed: str
) -> None:
    """Rehearse a community's market live on its recording, or go on with an interrupted session."""
    folder = state or path.parent / f"{path.stem}.live"
    with saying_how_to_go_on(folder):
        setting = load_setting(path)
        slots = slots_from(setting)
        note_community(folder, path)
        runner = partial(rehearse, setting, slots, folder, seed=seed, pace=pace, look=end_if_asked)
        with page_beside(folder, port, stay=stay):
            run_and_show(setting, slots, folder, runner, json=json)


def run_with_boxes(
    path: Path,
    pace: Pace,
    broker: str,
    days: int,
    *,
    state: Path | None,
    json: bool,
    port: int | None,
    stay: bool,
    seed: str,
) -> None:
    """Run a community's market on the wall clock, with the boxes that report over a broker."""
    folder = state or path.parent / f"{path.stem}.live"
    if days < 1:
        raise InputError(f"--days {days}: give at least 1")
    broker_parts(broker)
    with saying_how_to_go_on(folder):
        slots = _slots_of(path, folder, days)
        setting = load_setting(path, until=slots.stop + DAY).read_by(slots[0])
        note_community(folder, path)
        clock = WallClock(look=end_if_asked)
        runner = partial(go_live, setting, slots, folder, seed=seed, pace=pace, broker=broker, tell=_tell, clock=clock)
        print(f"first slot {time_text(slots[0])}, {slots.step // 60} minutes each", file=sys.stderr, flush=True)
        with page_beside(folder, port, stay=stay):
            run_and_show(setting, slots, folder, runner, json=json)


def _slots_of(path: Path, folder: Path, days: int) -> range:
    """Slots from the next gate on, or from where the session in the folder began."""
    clock = load(path).clock
    begun = None
    if holds_state(folder):
        with closing(Store(folder)) as store:
            begun = begun_at(store)
    if begun is None:
        begun = -(-int(time.time()) // clock.length) * clock.length + clock.lead * clock.length
    return range(begun, begun + days * DAY, clock.length)


def _tell(text: str) -> None:
    """Say on stderr what happens."""
    print(text, file=sys.stderr, flush=True)


def run_journal(file: Path, path: Path, folder: Path, *, seed: str, json: bool) -> None:
    """Run what a journal settles anew."""
    if not file.is_file():
        raise InputError(f"{file}: is no file; give journal.sqlite of the session's folder")
    setting = load_setting(path)
    slots = slots_from(setting)
    with saying_how_to_go_on(folder):
        runner = partial(replay_journal, setting, slots, file, folder, seed=seed)
        run_and_show(setting, slots, folder, runner, json=json)
