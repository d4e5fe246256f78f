"""`transactive insights`: what a member's meter says."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter


def insights(*, state: Path, member: str, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Show findings for a member: next bill, one change, always-on load, heating and cooling, a car.

    Parameters
    ----------
    state
        State folder of a run or a demo.
    member
        Whose meter.
    json
        Print one JSON object on stdout.
    """
    from transactive.core.errors import StateError
    from transactive.core.slots import time_text
    from transactive.store import Store, holds_state
    from transactive.store.read.advice import read_advice
    from transactive.store.read.runs import Reader
    from transactive.web.run_context import index_of

    if not holds_state(state):
        raise StateError(f"{state}: holds no run; give the --state folder of one")
    with closing(Store(state)) as store:
        run = Reader(store).run()
        told = read_advice(store, index_of(run, member)) if run else None
    if told is None:
        raise StateError(f"{state}: no day is over yet; run on, and ask again")
    _show(member, time_text(told[0]), told[1], json=json)


def _show(member: str, at: str, told: list[Any], *, json: bool) -> None:
    """One JSON object, or for each finding its title and below it the text and the source."""
    import msgspec

    if json:
        print(msgspec.json.encode({"member": member, "time": at, "findings": told}).decode())
        return
    print(f"{member}, as known at {at}")
    for one in told:
        print(f"\n{one.title}\n  {one.text}\n  Source: {one.source}")
