"""What `transactive live` and `journal replay` do: a session on a recording, and the replay of its journal."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from transactive.cli.run.command import page_beside, run_and_show, saying_how_to_go_on
from transactive.config.setting import load_setting
from transactive.core.errors import InputError
from transactive.engine.live.session import Pace, rehearse, replay_journal
from transactive.engine.replay import slots_from


def run_live(
    path: Path, pace: Pace, *, state: Path | None, json: bool, port: int | None, stay: bool, seed: str
) -> None:
    """Rehearse a community's market live on its recording, or go on with an interrupted session."""
    folder = state or path.parent / f"{path.stem}.live"
    if pace.speed is not None and pace.speed <= 0:
        raise InputError(f"--speed {pace.speed:g}: give seconds of the market in one on the wall, such as 1800")
    with saying_how_to_go_on(folder):
        setting = load_setting(path)
        slots = slots_from(setting)
        runner = partial(rehearse, setting, slots, folder, seed=seed, pace=pace)
        with page_beside(folder, port, stay=stay):
            run_and_show(setting, slots, folder, runner, json=json)


def run_journal(file: Path, path: Path, folder: Path, *, seed: str, json: bool) -> None:
    """Run what a journal settles anew."""
    if not file.is_file():
        raise InputError(f"{file}: is no file; give journal.sqlite of the session's folder")
    setting = load_setting(path)
    slots = slots_from(setting)
    with saying_how_to_go_on(folder):
        runner = partial(replay_journal, setting, slots, file, folder, seed=seed)
        run_and_show(setting, slots, folder, runner, json=json)
