"""Hunt for one fault that was put back into the contracts: live on their stages until a rule is broken."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.adversary.community import Community
from tests.fuzz.adversary.direct import Direct
from tests.fuzz.adversary.markets.balance import BalanceStage
from tests.fuzz.adversary.markets.board import BoardStage
from tests.fuzz.adversary.stage import BrokenRule, Faults, Stage
from tests.fuzz.deals_stage import Deals
from tests.fuzz.groups_stage import Groups
from tests.fuzz.life import Tally
from tests.fuzz.lost_keys_stage import LostKeys
from tests.fuzz.machine import new_machine
from tests.fuzz.mutant import mutant
from tests.fuzz.votes_stage import Votes

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
    "judges": (Deals,),
    "deals": (Deals,),
    "group_link": (Groups,),
    "group_disputes": (Groups,),
    "rules": (Votes,),
    "governor": (Votes,),
}
"""Stages on which a contract is used as it is meant."""
LOST_KEYS = ("request_goes_to_the_new_key",)
"""Faults that show only where members come from a registry."""


@dataclass(frozen=True, slots=True)
class Hunted:
    """How far the hunt for a fault has come: lives and calls; the rule that was broken, and who was dishonest."""

    name: str
    lives: int = 0
    calls: int = 0
    rule: str = ""
    coalition: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it was caught, or the calls are used up."""
        return bool(self.rule) or self.calls >= MOST_CALLS


def machine() -> str:
    """The fastest EVM that there is."""
    return "revm" if find_spec("pyrevm") else "py-evm"


def go_on(found: Hunted, faults: Faults, seed: int, most: int = MOST_CALLS, until: float = float("inf")) -> Hunted:
    """Live on the stages of the faulty contracts in turn, until a rule is broken, or `most` calls or the time is up.

    A rule that the same life breaks without the fault is no catch. Where a hunt was stopped changes nothing.
    seed: number of the first life on each stage; until: Unix time [s].
    """
    homes: list[type[Stage]] = [stage for contract in faults for stage in HOME[contract]]
    if found.name in LOST_KEYS:
        homes = [LostKeys]
    stages = list(dict.fromkeys(homes))
    while not found.rule and found.calls < most and time.time() < until:
        stage, number = stages[found.lives % len(stages)], seed + found.lives // len(stages)
        calls, broken = lived(stage, number, faults)
        if broken and lived(stage, number, {})[1]:
            broken = None
        rule, who = (broken.rule, broken.coalition) if broken else ("", "")
        found = replace(found, lives=found.lives + 1, calls=found.calls + calls, rule=rule, coalition=who)
    return found


def lived(stage: type[Stage], number: int, faults: Faults) -> tuple[int, BrokenRule | None]:
    """One life: calls that were made, and the rule that was broken."""
    tally = Tally()
    try:
        stage(new_machine(machine()), number, tally, faults).run(CALLS)
    except BrokenRule as broken:
        return tally.total, broken
    return tally.total, None


def hunt_by_name(name: str, seed: int) -> Hunted:
    """Compile a fault, and hunt for it."""
    with tempfile.TemporaryDirectory() as folder:
        made = mutant(name, Path(folder)).made
    return go_on(Hunted(name), made, seed)
