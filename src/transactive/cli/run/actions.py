"""`transactive demo` and `run`: data through every room, with the page beside it."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from transactive.cli.chain_options import target_of
from transactive.cli.compare.mechanisms import compare_for_page
from transactive.cli.progress import slot_progress
from transactive.cli.readings.held import held_readings
from transactive.cli.run.summary import show_summary
from transactive.cli.surroundings import ending_between_steps
from transactive.config.community_file import load as load_community
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO, FEEDER
from transactive.config.storage import storage_of
from transactive.core.errors import InputError
from transactive.core.governance.decided import with_decided
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.governance.decided_rules import take_up
from transactive.engine.governance.recorded_rules import recorded_alone
from transactive.engine.replay import Outcome, replay, slots_from, slots_of
from transactive.engine.state_folder import Word
from transactive.market.registry import load
from transactive.services.readings.inbox import note_community
from transactive.studies.gain.compared import reached
from transactive.web.viewers import open_here


def run_demo(
    *,
    days: int,
    start: str,
    port: int,
    serve: bool,
    json: bool,
    state: Path | None,
    seed: str,
    node: str | None,
    market: str,
    feeder: bool,
) -> None:
    """Replay the demo community, with the page from before the first slot until Ctrl-C."""
    setting = demo_setting(market, feeder=feeder)
    slots = demo_slots(setting, start, days)
    folder = state or Path(tempfile.mkdtemp(prefix="transactive-"))
    target = target_of(node, None, None, None, setting.community.ids)
    open_here(folder)
    page = page_beside(
        folder, port if serve else None, stay=serve, meanwhile=lambda: compare_for_page(setting, slots, folder)
    )
    with saying_how_to_go_on(folder), page:
        runner = partial(replay, setting, slots, folder, seed=seed, target=target)
        run_and_show(setting, slots, folder, runner, json=json)


def demo_setting(market: str, *, feeder: bool = False) -> Setting:
    """The demo community, or its feeder, with a mechanism. Raises ConfigError for one that is not installed."""
    load(market)
    setting = load_setting(FEEDER if feeder else DEMO)
    community = setting.community
    rules = msgspec.structs.replace(community.market, mechanism=market)
    return dataclasses.replace(setting, community=msgspec.structs.replace(community, market=rules))


def demo_slots(setting: Setting, start: str, days: int) -> range:
    """Slots of the demo. Raises InputError for no days, DataError where the data lack them."""
    if days < 1:
        raise InputError(f"--days {days}: give at least 1")
    return slots_of(setting, parse_time(start), days)


def run_community(
    path: Path,
    *,
    state: Path | None,
    json: bool,
    page: bool,
    stay: bool,
    port: int,
    seed: str,
    compiled: bool,
    node: str | None,
    deployment: Path | None,
    final_blocks: int,
    token: str | None,
    keys: Path | None,
    password_file: Path | None,
    discard_chain: bool,
    accept_corrections: str | None,
    profile: str | None,
) -> None:
    """Run a community's recorded data from its first slot to the end, or go on with an interrupted run."""
    folder = state or path.parent / f"{path.stem}.state"
    with saying_how_to_go_on(folder):
        if node is None or deployment is None:
            decided = recorded_alone(folder)
        else:
            length = load_community(path).clock.length
            decided = take_up(folder, node, deployment, length, storage_of(path.read_bytes()).url, final_blocks)
        setting = load_setting(path, profile=profile, revised=partial(with_decided, decided=decided))
        target = target_of(node, deployment, keys, password_file, setting.community.ids, token)
        target = dataclasses.replace(target, discard=discard_chain)
        slots = slots_from(setting)
        note_community(folder, path)
        word = Word(accept_corrections, int(time.time()))
        runner = partial(replay, setting, slots, folder, seed=seed, target=target, compiled=compiled, word=word)
        with page_beside(folder, port if page or stay else None, stay=stay):
            run_and_show(setting, slots, folder, runner, json=json)
        if told := held_readings(setting, path):
            print(told, file=sys.stderr)


class Runner(Protocol):
    """Runs slots: `replay` with all but what the command line hears."""

    def __call__(self, *, after_slot: Callable[[SlotBook], None], timer: Callable[[], float]) -> tuple[Outcome, bool]:
        """What a finished run has to say, and whether this call made it."""
        ...


def run_and_show(setting: Setting, slots: range, folder: Path, runner: Runner, *, json: bool) -> None:
    """Run, print the summary on stdout and everything else on stderr."""
    with slot_progress(len(slots), setting.community.name) as show_slot, ending_between_steps() as end_if_asked:

        def after_slot(book: SlotBook) -> None:
            show_slot(book)
            end_if_asked()

        outcome, fresh = runner(after_slot=after_slot, timer=time.perf_counter)
    part = reached(setting, slots, outcome.bills)
    summary = msgspec.structs.replace(outcome.summary, gain_share=part)
    outcome = msgspec.structs.replace(outcome, summary=summary)
    if not fresh:
        print(f"{folder}: this run is finished already; nothing was changed", file=sys.stderr)
    if json:
        print(msgspec.json.encode(outcome.summary).decode())
    else:
        show_summary(outcome, setting.community, slots, folder)
    sys.stdout.flush()


@contextmanager
def saying_how_to_go_on(folder: Path) -> Iterator[None]:
    """Say in one line that an interrupted run is not lost."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"interrupted; the same command with --state {folder} goes on from there", file=sys.stderr, flush=True)
        raise


@contextmanager
def page_beside(
    folder: Path, port: int | None, *, stay: bool, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Serve the page while the block runs and, with `stay`, on until Ctrl-C; `meanwhile` is done after the block."""
    if port is None:
        yield
        return
    from transactive.web.serving.page_process import PageProcess

    page = PageProcess(folder, port)
    print(f"page at {page.url}", file=sys.stderr, flush=True)
    try:
        yield
        if page.ended:
            print(f"the page ended, the run did not: transactive serve --state {folder}", file=sys.stderr, flush=True)
        elif stay:
            print(f"page stays at {page.url}, Ctrl-C ends it", file=sys.stderr, flush=True)
            meanwhile()
            page.wait()
    finally:
        page.stop()
