"""`transactive demo`: a real community through every room, then its page."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import msgspec

from transactive.cli.progress import slot_progress
from transactive.cli.show import show_summary
from transactive.config import DEMO, load_setting
from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.engine.replay import replay, slots_of


def run_demo(*, days: int, start: str, port: int, serve: bool, json: bool, state: Path | None, seed: str) -> None:
    """Replay the demo community; prints the summary on stdout, everything else on stderr."""
    if days < 1:
        raise InputError(f"--days {days}: give at least 1")
    began = time.perf_counter()
    setting = load_setting(DEMO)
    slots = slots_of(setting, parse_time(start), days)
    folder = state or Path(tempfile.mkdtemp(prefix="transactive-"))
    with slot_progress(len(slots), setting.community.name) as after_slot:
        outcome = replay(setting, slots, folder, seed=seed, after_slot=after_slot)
    summary = outcome.summary(time.perf_counter() - began)
    if json:
        print(msgspec.json.encode(summary).decode(), flush=True)
    else:
        show_summary(summary, outcome.bills, setting.community, slots, folder)
    sys.stdout.flush()
    if serve:
        from transactive.cli.serve import serve_state

        serve_state(folder, port)
