"""The same days under several mechanisms, prices of carbon or levies, a process for each where they are many."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from time import process_time
from typing import cast

from transactive.config.setting import Setting
from transactive.core.community.community import Community
from transactive.core.community.sharing_rules import SHARING
from transactive.core.errors import ConfigError, StateError
from transactive.core.slots import time_text
from transactive.insight.studies.comparison import Comparison, MechanismFigures, Variant, added_to
from transactive.market import registry
from transactive.studies.gain.compared import with_shares
from transactive.studies.mechanism_run import trial

GAS_FROM = "snapshot of the contract tests: one commitment a slot, one netting a period, the same for every mechanism"
LEVIES, MOST_PER_T = ("off", "shadow", "floor", "fixed"), 10_000
"""Levies that need no series of prices, and the highest price of a tonne that a member may have [¤]."""
SHORT = 1_000
"""Slots times members of a walk that ends before a process for it has begun."""


def mechanisms_for(names: Sequence[str] | None, *, network: bool, sharing: bool = False) -> tuple[str, ...]:
    """The mechanisms to compare: those asked for, or all that a community can settle at, sharing first if it has keys.

    Raises ConfigError for one that is not installed, naming the known ones, or that this community cannot use.
    """
    known = registry.names()
    if names is None:
        able = (name for name in known if network or not isinstance(registry.load(name), registry.ByNode))
        return (*((SHARING,) if sharing else ()), *able)
    for name in names:
        if name == SHARING and not sharing:
            raise ConfigError(f"--mechanisms {name}: needs keys, and the community has no [sharing]; leave it out")
        if name == SHARING:
            continue
        if name not in known:
            raise ConfigError(f"--mechanisms {name} is not installed; known: {', '.join(known)}")
        if isinstance(registry.load(name), registry.ByNode) and not network:
            raise ConfigError(f"--mechanisms {name}: needs a network, and the community names none; leave it out")
    return tuple(dict.fromkeys(names))


def able_of(community: Community) -> dict[str, bool]:
    """What a community has that some mechanisms need, as `mechanisms_for` takes it."""
    return {"network": community.network is not None, "sharing": community.sharing is not None}


def variants(
    names: Sequence[str], carbon_prices: Sequence[int | None] = (None,), levies: Sequence[str | None] = (None,)
) -> list[Variant]:
    """Every mechanism at every price of carbon [¤/t] and under every levy; None is what the community has.

    Raises ConfigError for a price or a levy that cannot be.
    """
    for price in carbon_prices:
        if price is not None and not 0 <= price <= MOST_PER_T:
            raise ConfigError(f"--carbon-prices {price}: give whole numbers from 0 to {MOST_PER_T:,}")
    for levy in levies:
        if levy is not None and levy not in LEVIES:
            raise ConfigError(f"--levies {levy}: choose from {', '.join(LEVIES)}")
    return [
        Variant(name=name, carbon_price_per_t=price, levy=levy)
        for name, price, levy in dict.fromkeys(product(names, carbon_prices, levies))
    ]


def compare(
    setting: Setting,
    slots: range,
    chosen: Sequence[Variant],
    *,
    workers: int | None = None,
    timer: Callable[[], float] = process_time,
    done: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Walk through the slots under each variant.

    workers: processes; 1 keeps everything in this one, and so does a short walk by itself, else there is one a core or
    variant. timer: a clock in seconds for clearing. done: is told how many slots of all variants are through.
    """
    community = setting.community
    if workers is None:
        is_short = len(slots) * len(community.members) <= SHORT
        workers = 1 if is_short else os.cpu_count() or 1
    workers = min(workers, len(chosen))
    here = workers == 1
    found = tuple(
        _here(setting, slots, chosen, timer, done) if here else _spread(setting, slots, chosen, workers, done)
    )
    found = with_shares(setting, slots, found)
    return Comparison(
        community=community.name,
        currency=community.currency,
        first_slot=time_text(slots[0]),
        slot_minutes=community.market.slot_minutes,
        slots=len(slots),
        members=tuple(community.ids),
        gas_from=GAS_FROM,
        supply=tuple(setting.tariff(slot).supply for slot in slots),
        mechanisms=found,
        added=added_to(SHARING, found),
    )


# -- processes --------------------------------------------------------------------------------------


def _here(
    setting: Setting, slots: range, chosen: Sequence[Variant], timer: Callable[[], float], done: Callable[[int], None]
) -> Iterator[MechanismFigures]:
    """One variant after the other, in this process."""
    through = 0

    def after_slot() -> None:
        nonlocal through
        through += 1
        done(through)

    for variant in chosen:
        yield trial(setting, slots, variant, timer, after_slot)


def _spread(
    setting: Setting, slots: range, chosen: Sequence[Variant], workers: int, done: Callable[[int], None]
) -> list[MechanismFigures]:
    """Each variant in a process of its own, `workers` at a time; none outlives an error or Ctrl-C."""
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads of the libraries half alive
    waiting, through = list(chosen), 0
    running: dict[Connection, tuple[Variant, SpawnProcess]] = {}
    found: dict[Variant, MechanismFigures] = {}
    try:
        while waiting or running:
            begun = []
            while waiting and len(running) < workers:
                variant = waiting.pop(0)
                here, there = context.Pipe()
                process = context.Process(target=_in_process, args=(there, variant), daemon=True)
                process.start()
                there.close()
                running[here] = (variant, process)
                begun.append(here)
            for here in begun:  # large, so not with the start: what is interrupted there cannot be ended
                here.send((setting, slots))
            for ready in wait(list(running)):
                here = cast("Connection", ready)
                variant, process = running[here]
                answer = _hear(here, variant.label)
                if answer is None:
                    through += 1
                    done(through)
                else:
                    found[variant] = answer
                    del running[here]
                    process.join()
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()
    return [found[variant] for variant in chosen]


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


def _in_process(first: Connection, variant: Variant) -> None:
    """One variant in a process of its own; Ctrl-C is the first process's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        setting, slots = first.recv()
        first.send(trial(setting, slots, variant, process_time, lambda: first.send(None)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the first process raises it
        first.send(error)
