"""Put each kept fault back into the contracts, and count the calls until a rule is broken."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from tests.fuzz.adversary.community import Community
from tests.fuzz.adversary.direct import Direct
from tests.fuzz.adversary.markets import BalanceStage, BoardStage
from tests.fuzz.adversary.stage import BrokenRule, Faults, Stage
from tests.fuzz.life import Tally
from tests.fuzz.machine import new_machine
from tests.fuzz.mutant import mutant, names

MOST_CALLS, CALLS = 200_000, 500
HOME: dict[str, tuple[type[Stage], ...]] = {
    "settlement": (Community,),
    "disputes": (Community,),
    "demands": (Community,),
    "certificate_disputes": (Community,),
    "certificates": (Direct, Community),
    "carbon_credits": (Direct,),
    "balance_market": (BalanceStage, BoardStage),
    "trade_board": (BalanceStage, BoardStage),
}
"""Stages on which a contract is used as it is meant."""


@dataclass(frozen=True, slots=True)
class Hunted:
    """A fault: calls until a rule was broken, and which; no rule if none was."""

    name: str
    calls: int
    rule: str
    coalition: str = ""


def machine() -> str:
    """The fastest EVM that there is."""
    return "revm" if find_spec("pyrevm") else "py-evm"


def hunt(name: str, faults: Faults, seed: int, most: int = MOST_CALLS) -> Hunted:
    """Live on the stages of the faulty contracts in turn, until a rule is broken."""
    stages = list(dict.fromkeys(stage for contract in faults for stage in HOME[contract]))
    tally = Tally()
    for number in count(seed):
        for stage in stages:
            try:
                stage(new_machine(machine()), number, tally, faults).run(CALLS)
            except BrokenRule as broken:
                return Hunted(name, tally.total, broken.rule, broken.coalition)
            if tally.total >= most:
                return Hunted(name, tally.total, "")
    raise AssertionError


def hunt_by_name(name: str, seed: int) -> Hunted:
    """Compile a fault, and hunt for it."""
    with tempfile.TemporaryDirectory() as folder:
        made = mutant(name, Path(folder)).made
    return hunt(name, made, seed)


def hunts(seed: int, processes: int) -> Iterator[Hunted]:
    """All kept faults."""
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(partial(hunt_by_name, seed=seed), names())


def table(found: Sequence[Hunted], seed: int) -> str:
    """What was found, as Markdown."""
    head = [
        "## Faults put back",
        "",
        "Each fault that was once found is a patch in `tests/fuzz/mutants`. With it the stages are run from life",
        f"{seed} on, at most {MOST_CALLS:,} calls, until a rule is broken. Written by",
        '`make fuzz ARGS="--faults --report docs/fuzz.md"`.',
        "",
        "| fault | calls until a rule is broken | dishonest | rule |",
        "|---|---:|---|---|",
    ]
    rows = [
        f"| `{one.name}` | {one.calls:,} | {one.coalition} | {one.rule} |" if one.rule else
        f"| `{one.name}` | not within {one.calls:,} | | |"
        for one in found
    ]  # fmt: skip
    return "\n".join([*head, *rows, "", ""])
