"""What `transactive live` and `journal replay` do: a session on a recording, and the replay of its journal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from transactive.cli.run.actions import page_beside, run_and_show, saying_how_to_go_on
from transactive.cli.surroundings import end_if_asked
from transactive.config.community_file import load
from transactive.config.setting import Setting, load_setting
from transactive.core.errors import InputError
from transactive.core.governance.decided import Decided, with_decided
from transactive.core.slots import DAY, time_text
from transactive.engine.governance.decided_rules import asking
from transactive.engine.governance.live_rules import (
    AfterSlot,
    Ask,
    journaled,
    live_by_decisions,
    replay_by_decisions,
    told,
)
from transactive.engine.live.session import Pace, go_live, rehearse, replay_journal
from transactive.engine.live.waiting import WallClock
from transactive.engine.replay import Outcome, slots_from
from transactive.engine.state_folder import begun_at
from transactive.links.addresses import broker_parts
from transactive.services.feeds.ages import lines_of_ages
from transactive.services.readings.inbox import note_community
from transactive.store import Store, holds_state


class GovernorOption(NamedTuple):
    """Where members decide, and how many blocks on top of one make it final."""

    node: str
    deployment: Path
    final_blocks: int


def run_live(
    path: Path,
    pace: Pace,
    governor: GovernorOption | None,
    *,
    state: Path | None,
    json: bool,
    port: int | None,
    stay: bool,
    seed: str,
) -> None:
    """Rehearse a community's market live on its recording, or go on with an interrupted session."""
    folder = state or path.parent / f"{path.stem}.live"
    with saying_how_to_go_on(folder):
        setting = load_setting(path, revised=partial(with_decided, decided=journaled(folder)))
        slots = slots_from(setting)
        note_community(folder, path)

        def runner(*, after_slot: AfterSlot, timer: Callable[[], float]) -> tuple[Outcome, bool]:
            def session(decided: Sequence[Decided], settled: AfterSlot) -> tuple[Outcome, bool]:
                ruled = load_setting(path, revised=partial(with_decided, decided=decided))
                return rehearse(
                    ruled, slots, folder, seed=seed, pace=pace, look=end_if_asked, after_slot=settled, timer=timer
                )

            return live_by_decisions(
                folder, slots.step, _ask(folder, governor, slots), session, after_slot, setting.store_url
            )

        with page_beside(folder, port, stay=stay):
            run_and_show(setting, slots, folder, runner, json=json)


def run_with_boxes(
    path: Path,
    pace: Pace,
    governor: GovernorOption | None,
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

        def ruled(decided: Sequence[Decided]) -> Setting:
            revised = partial(with_decided, decided=decided)
            return load_setting(path, until=slots.stop + DAY, revised=revised).read_by(slots[0])

        setting = ruled(journaled(folder))
        note_community(folder, path)
        clock = WallClock(look=end_if_asked)

        def runner(*, after_slot: AfterSlot, timer: Callable[[], float]) -> tuple[Outcome, bool]:
            def session(decided: Sequence[Decided], settled: AfterSlot) -> tuple[Outcome, bool]:
                return go_live(
                    ruled(decided), slots, folder, seed=seed, pace=pace, broker=broker, tell=_tell, clock=clock,
                    after_slot=settled, timer=timer,
                )  # fmt: skip

            return live_by_decisions(
                folder, slots.step, _ask(folder, governor, slots), session, after_slot, setting.store_url
            )

        print(f"first slot {time_text(slots[0])}, {slots.step // 60} minutes each", file=sys.stderr, flush=True)
        for line in lines_of_ages(path, clock.now):  # what is wrong with them stops no market
            _tell(line)
        with page_beside(folder, port, stay=stay):
            run_and_show(setting, slots, folder, runner, json=json)


def _ask(folder: Path, governor: GovernorOption | None, slots: range) -> Ask | None:
    """Asks the chain on which members decide, and tells what is new; None without one."""
    if governor is None:
        return None
    ask = asking(folder, governor.node, governor.deployment, slots.step, _tell, governor.final_blocks)

    def aloud(after: int, open_from: int) -> list[Decided]:
        fresh = ask(after, max(open_from, slots[0]))
        for one in fresh:
            _tell(told(one))
        return fresh

    return aloud


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
    """Run what a journal settles anew, under the rules that it says."""
    if not file.is_file():
        raise InputError(f"{file}: is no file; give journal.sqlite of the session's folder")
    setting = load_setting(path)
    slots = slots_from(setting)

    def runner(*, after_slot: AfterSlot, timer: Callable[[], float]) -> tuple[Outcome, bool]:
        def session(decided: Sequence[Decided], settled: AfterSlot) -> tuple[Outcome, bool]:
            ruled = load_setting(path, revised=partial(with_decided, decided=decided))
            return replay_journal(ruled, slots, file, folder, seed=seed, after_slot=settled, timer=timer)

        return replay_by_decisions(file, folder, session, after_slot, setting.store_url)

    with saying_how_to_go_on(folder):
        run_and_show(setting, slots, folder, runner, json=json)
