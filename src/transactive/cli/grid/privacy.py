"""`transactive grid privacy`: how many homes a grid token's figures cover, and who chose it when."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec

from transactive.core.errors import StateError
from transactive.core.slots import time_text
from transactive.store import Store, holds_state
from transactive.texts.formatting import counted
from transactive.web.lines.privacy import choices, choose, least_homes
from transactive.web.lines.seen import SeenLines, seen_lines


def show_privacy(folder: Path, homes: int | None, *, json: bool) -> None:
    """Choose a number if one is given, then print what holds. Raises InputError, StateError."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    if homes is not None:
        choose(folder, homes, int(time.time()))
    least, lines = least_homes(folder), _lines(folder)
    groups = [] if lines is None else [count for count in lines.groups.homes.tolist() if count]
    if json:
        made = [{"homes": one.homes, "at": time_text(one.at)} for one in choices(folder)]
        print(msgspec.json.encode({"homes": least, "groups": groups, "choices": made}).decode())
        return
    print(f"each figure of a grid token covers at least {counted(least, 'home')}")
    if lines is not None:
        seen = int(lines.groups.shown.sum())
        told = ", ".join(str(count) for count in groups)
        print(f"groups of {told} homes; of {seen} of {counted(len(lines.groups.group), 'line')} the flow is shown")
    for one in choices(folder):
        print(f"{time_text(one.at)}: {counted(one.homes, 'home')} chosen", file=sys.stderr)


def _lines(folder: Path) -> SeenLines | None:
    """Lines as a grid token sees them; None without a network or a run."""
    from transactive.store.read.runs import Reader

    with closing(Store(folder)) as store:
        run = Reader(store).run()
        return None if run is None else seen_lines(run, least_homes(folder))
