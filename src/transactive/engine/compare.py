"""The same days under several mechanisms, a process for each."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from time import process_time
from typing import cast

from transactive.config import Setting
from transactive.core.errors import ConfigError, StateError
from transactive.core.slots import time_text
from transactive.engine.trial import trial
from transactive.insight.comparison import Comparison, MechanismFigures
from transactive.market import registry

GAS_FROM = "snapshot of the contract tests: one commitment a slot, one netting a period, the same for every mechanism"


def mechanisms_for(names: Sequence[str] | None, *, network: bool) -> tuple[str, ...]:
    """The mechanisms to compare: those asked for, or all that a community can settle at.

    Raises ConfigError for one that is not installed, naming the known ones, or that this community cannot use.
    """
    known = registry.names()
    if names is None:
        return tuple(name for name in known if network or not isinstance(registry.load(name), registry.ByNode))
    for name in names:
        if name not in known:
            raise ConfigError(f"--mechanisms {name} is not installed; known: {', '.join(known)}")
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
    """Each mechanism in a process of its own, `workers` at a time; none outlives an error or Ctrl-C."""
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads of the libraries half alive
    waiting, through = list(names), 0
    running: dict[Connection, tuple[str, SpawnProcess]] = {}
    found: dict[str, MechanismFigures] = {}
    try:
        while waiting or running:
            begun = []
            while waiting and len(running) < workers:
                name = waiting.pop(0)
                here, there = context.Pipe()
                process = context.Process(target=_in_process, args=(there, name), daemon=True)
                process.start()
                there.close()
                running[here] = (name, process)
                begun.append(here)
            for here in begun:  # large, so not with the start: what is interrupted there cannot be ended
                here.send((setting, slots))
            for ready in wait(list(running)):
                here = cast("Connection", ready)
                name, process = running[here]
                answer = _hear(here, name)
                if answer is None:
                    through += 1
                    done(through)
                else:
                    found[name] = answer
                    del running[here]
                    process.join()
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()
    return [found[name] for name in names]


def _hear(process: Connection, name: str) -> MechanismFigures | None:
    """What a process tells: None after each slot, then its figures.

    Raises its error, or StateError if it ended without a word.
    """
    try:
        told = process.recv()
    except EOFError:
        raise StateError(f"the process of {name} was ended from outside; free memory and compare anew") from None
    if isinstance(told, Exception):
        raise told
    return cast("MechanismFigures | None", told)


def _in_process(first: Connection, name: str) -> None:
    """One mechanism in a process of its own; Ctrl-C is the first process's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        setting, slots = first.recv()
        first.send(trial(setting, slots, name, process_time, lambda: first.send(None)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the first process raises it
        first.send(error)
