"""The same days under several mechanisms, a process for each, and the comparison as a file in a state folder."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from time import process_time

import msgspec

from transactive.config import Setting
from transactive.core.errors import ConfigError, StateError
from transactive.core.slots import time_text
from transactive.engine.trial import trial
from transactive.insight.comparison import Comparison, MechanismFigures
from transactive.market import registry

FILE = "compare.json"
"""Name of a comparison in a state folder, where the page finds it."""
GAS_FROM = "snapshot of the contract tests: one commitment a slot, one netting a period, the same for every mechanism"
POLL = 0.2
"""Seconds between two looks at how far the processes are."""


def mechanisms_for(names: Sequence[str] | None, *, network: bool) -> tuple[str, ...]:
    """The mechanisms to compare: those asked for, or all that a community can settle at.

    Raises ConfigError for one that is not installed, naming the known ones, or that this community cannot use.
    """
    if names is None:
        known = registry.names()
        return tuple(name for name in known if network or not isinstance(registry.load(name), registry.ByNode))
    for name in names:
        if isinstance(registry.load(name), registry.ByNode) and not network:
            raise ConfigError(f"--mechanisms {name}: needs a network, and the community names none; leave it out")
    return tuple(dict.fromkeys(names))


def compare(
    setting: Setting,
    slots: range,
    names: Sequence[str],
    *,
    workers: int | None = None,
    timer: Callable[[], float] = process_time,
    done: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Walk through the slots under each mechanism.

    workers: processes, one a core or mechanism by itself; 1 keeps everything in this one. timer: a clock in seconds for
    clearing. done: is told how many slots of all mechanisms are through.
    """
    community = setting.community
    workers = min(workers or os.cpu_count() or 1, len(names))
    found = _here(setting, slots, names, timer, done) if workers == 1 else _spread(setting, slots, names, workers, done)
    return Comparison(
        community=community.name,
        currency=community.currency,
        first_slot=time_text(slots[0]),
        slot_minutes=community.market.slot_minutes,
        slots=len(slots),
        members=tuple(community.ids),
        gas_from=GAS_FROM,
        supply=tuple(setting.tariff(slot).supply for slot in slots),
        mechanisms=tuple(found),
    )


def save(folder: Path, comparison: Comparison) -> None:
    """Put a comparison into a state folder, replacing an earlier one. Raises StateError if it cannot be written."""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{FILE}.part")
        partial.write_bytes(msgspec.json.encode(comparison))
        partial.replace(path)
    except OSError as error:
        raise StateError(f"{path}: cannot be written ({error.strerror}); choose another --state folder") from error


def load(folder: Path) -> Comparison | None:
    """The comparison of a state folder, if there is one. Raises StateError if it is of another version."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Comparison)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); compare anew") from None


# -- processes --------------------------------------------------------------------------------------


def _here(
    setting: Setting, slots: range, names: Sequence[str], timer: Callable[[], float], done: Callable[[int], None]
) -> Iterator[MechanismFigures]:
    """One mechanism after the other, in this process."""
    through = 0

    def after_slot() -> None:
        nonlocal through
        through += 1
        done(through)

    for name in names:
        yield trial(setting, slots, name, timer, after_slot)


def _spread(
    setting: Setting, slots: range, names: Sequence[str], workers: int, done: Callable[[int], None]
) -> list[MechanismFigures]:
    """Each mechanism in a process of its own, `workers` at a time."""
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads of the libraries half alive
    through = context.Value("q", 0)
    with ProcessPoolExecutor(workers, context, initializer=_remember, initargs=(through,)) as pool:
        jobs = [pool.submit(_in_process, setting, slots, name) for name in names]
        with _cancelled_on_error(jobs):
            waiting = set(jobs)
            while waiting:
                ended, waiting = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
                done(through.value)
                for job in ended:
                    job.result()
    return [job.result() for job in jobs]


@contextmanager
def _cancelled_on_error(jobs: Sequence[Future[MechanismFigures]]) -> Iterator[None]:
    """Take jobs that have not begun out of the queue when one fails or the user interrupts."""
    try:
        yield
    except BaseException:
        for job in jobs:
            job.cancel()
        raise


_through: Synchronized[int] | None = None


def _remember(through: Synchronized[int]) -> None:
    """Keep the counter that all processes share."""
    global _through  # noqa: PLW0603 - a process of the pool has no other place for what it was started with
    _through = through


def _in_process(setting: Setting, slots: range, name: str) -> MechanismFigures:
    """One mechanism in a process of the pool."""

    def after_slot() -> None:
        if _through is not None:
            with _through.get_lock():
                _through.value += 1

    return trial(setting, slots, name, process_time, after_slot)
