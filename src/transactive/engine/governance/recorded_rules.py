"""What members decided on, as a state has recorded it: what a run goes by, whatever has become of its chain."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec

from transactive.config.setting import Setting, load_setting
from transactive.core.governance.decided import Decided, with_decided
from transactive.store import Store, holds_state
from transactive.store.folder import hold
from transactive.tabular.source import Source

KEY = "decided rules"


def recorded(folder: Path) -> list[Decided]:
    """Decisions that a state has recorded, oldest first; none of a folder without a state."""
    if not holds_state(folder):
        return []
    with closing(Store(folder)) as store:
        return decided_in(store)


def recorded_alone(folder: Path) -> list[Decided]:
    """The same for a run that goes on. Raises StateError where another process is on the folder."""
    if not holds_state(folder):
        return []
    with hold(folder):
        return recorded(folder)


def decided_setting(
    path: Path,
    readings: Source | None = None,
    until: int | None = None,
    profile: str | None = None,
    folder: Path | None = None,
) -> Setting:
    """A community file with its data, under what members decided on as its run recorded it.

    folder: of the run; without it the one beside the file. The rest is as of `load_setting`.
    """
    decided = recorded(folder or beside(path))
    return load_setting(path, readings, until, profile, revised=partial(with_decided, decided=decided))


def beside(community: Path) -> Path:
    """Where the state of a community lies if nobody says otherwise: of its run, or of its live market."""
    run, live = (community.parent / f"{community.stem}.{ending}" for ending in ("state", "live"))
    return live if holds_state(live) and not holds_state(run) else run


def note(folder: Path, decided: Sequence[Decided], store_url: str | None = None) -> None:
    """Let a state have recorded these decisions, all of a run, oldest first."""
    if list(decided) != recorded(folder):
        with hold(folder), closing(Store.settled(folder, store_url)) as store:
            store.set(**{KEY: msgspec.json.encode(list(decided)).decode()})


def decided_in(store: Store) -> list[Decided]:
    """What a state has recorded."""
    text = store.setting(KEY)
    return [] if text is None else msgspec.json.decode(text, type=list[Decided])
