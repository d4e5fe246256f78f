"""What a disk may hold after the power failed: all that was synced, and of the rest whatever chance leaves.

A write that was not synced is there, is not there, or is there in part: the first sectors of it, or some of them, with
the bytes that were there before in the others. Writes may reach the disk in any order. A deletion counts at once, as
SQLite syncs the folder after it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.power.recording import Step

SECTOR = 512


def disk_after(before: Mapping[str, bytes], steps: Sequence[Step], draw: random.Random) -> dict[str, bytes]:
    """Contents of all files by path, if the power fails after these steps on what was there before."""
    disk = {path: bytearray(data) for path, data in before.items()}
    waiting: dict[str, list[Step]] = {}
    for step in steps:
        if step.kind == "open":
            disk.setdefault(step.path, bytearray())
        elif step.kind in {"write", "truncate"}:
            waiting.setdefault(step.path, []).append(step)
        elif step.kind == "sync":
            for written in waiting.pop(step.path, []):
                _apply(disk.setdefault(step.path, bytearray()), written)
        elif step.kind == "delete":
            waiting.pop(step.path, None)
            disk.pop(step.path, None)
    for path, unsynced in waiting.items():
        for step in unsynced:
            _apply_by_chance(disk.setdefault(path, bytearray()), step, draw)
    return {path: bytes(data) for path, data in disk.items() if not path.endswith("-shm")}


def _apply(file: bytearray, step: Step) -> None:
    """Do to a file what a step did."""
    if step.kind == "truncate":
        del file[step.at :]
        return
    if len(file) < step.at:
        file.extend(bytes(step.at - len(file)))
    file[step.at : step.at + len(step.data)] = step.data


def _apply_by_chance(file: bytearray, step: Step, draw: random.Random) -> None:
    """Do it, or leave it, or do part of it."""
    luck = draw.random()
    if luck < 0.35:
        return
    if luck < 0.65 or step.kind == "truncate":
        _apply(file, step)
        return
    sectors = range(0, len(step.data), SECTOR)
    whole = draw.randrange(len(sectors) + 1)
    some = [at for place, at in enumerate(sectors) if (place < whole if luck < 0.85 else draw.random() < 0.5)]
    for at in some:
        _apply(file, Step("write", step.path, step.at + at, step.data[at : at + SECTOR]))


def put_disk(disk: Mapping[str, bytes], folder: Path) -> None:
    """Write contents into a folder under the names of their files."""
    for path, data in disk.items():
        (folder / Path(path).name).write_bytes(data)
