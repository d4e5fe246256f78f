"""A stage: contracts, a clock, honest people with duties, and a coalition that does whatever it likes."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from itertools import combinations, count
from typing import Any, ClassVar

from eth_utils.crypto import keccak

from tests.fuzz.bound import Bound, Person
from tests.fuzz.life import Tally, reason_of
from tests.fuzz.machine import Machine
from transactive.chain.artifact import Artifact, artifact

Faults = Mapping[str, Artifact]
"""Contracts that carry a fault, by name."""


class BrokenRule(AssertionError):
    """Something that must never happen has happened. coalition: who was dishonest."""

    def __init__(self, where: str, coalition: str, rule: str) -> None:
        super().__init__(f"{where}, dishonest: {coalition}: {rule}")
        self.rule, self.coalition = rule.partition(":")[0], coalition


def coalition(roles: tuple[str, ...], often: str, number: int) -> frozenset[str]:
    """Dishonest roles of a stage: each alone, then each pair; every other time one with the role that can do most."""
    found = [frozenset(some) for size in (1, 2) for some in combinations(roles, size)]
    these = [some for some in found if (often in some) == (number % 2 == 0)]
    return these[number // 2 % len(these)]


class Stage(ABC):
    """What all stages share. A subclass deploys, lets the coalition act, and lets everybody leave."""

    contract: ClassVar[str]
    """Name of the stage in tallies and on the command line."""
    roles: ClassVar[tuple[str, ...]]
    """Who may be dishonest."""
    often: ClassVar[str]
    """Who is dishonest twice as often."""

    def __init__(self, machine: Machine, number: int, tally: Tally, faults: Faults | None = None) -> None:
        self.machine, self.tally, self.faults = machine, tally, faults or {}
        self.rng = random.Random(f"{self.contract} {number}")
        self.coalition = coalition(self.roles, self.often, number)
        self.title = f"{self.contract} life {number} on {machine.name}"
        self.now = self.made = 0
        self.bounds: dict[str, Bound] = {}
        self._duties: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self.begin()
        tally.lives[self.contract] += 1

    # -- a subclass says

    @abstractmethod
    def begin(self) -> None:
        """Deploy all, and give people what they need."""

    @abstractmethod
    def mischief(self) -> None:
        """One act of the coalition, or none."""

    @abstractmethod
    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        """A call went through: follow it, and look whether a rule is broken."""

    @abstractmethod
    def leave(self) -> None:
        """Everybody honest takes out what is its own."""

    @property
    @abstractmethod
    def steps(self) -> tuple[int, ...]:
        """How far time goes on at once [s]."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen here."""
        return False

    # -- the rest follows

    def run(self, calls: int) -> None:
        """Let so many calls happen, then the end."""
        while self.made < calls and not self.is_over:
            if self.rng.random() < 0.3:
                self.advance(self.now + self.rng.choice(self.steps))
            else:
                self.mischief()
        self.leave()

    def deploy(self, by: Person, name: str, *arguments: Any, key: str = "") -> Bound:
        """A contract, with its fault if it has one."""
        made = self.faults.get(name) or artifact(name)
        self.machine.at = self.now
        c = Bound.deploy_code(self.machine, by.address, name, made.bytecode, made.abi, *arguments)
        self.bounds[key or name] = c
        return c

    def call(self, who: Person, on: Bound, function: str, *arguments: Any) -> str | None:
        """Make a call: reason of its refusal, None if it went through."""
        self.machine.at = self.now
        reason = reason_of(on.do, who.address, function, *arguments)
        self.tally.calls[on.name, function, who.role, reason or ""] += 1
        self.made += 1
        if reason is None:
            self.happened(who, on, function, arguments)
        return reason

    def must(self, who: Person, on: Bound, function: str, *arguments: Any, rule: str) -> None:
        """Make a call that nobody may be able to prevent."""
        reason = self.call(who, on, function, *arguments)
        self.hold(reason is None, f"{rule}: {on.name}.{function} of {who.role} refused with {reason!r}")

    def hold(self, truth: bool, rule: str) -> None:
        """A rule; counted when it holds. Raises BrokenRule."""
        if not truth:
            who = " and ".join(sorted(self.coalition))
            raise BrokenRule(f"{self.title}, call {self.made}", who, rule)
        self.tally.checked[rule.partition(":")[0]] += 1

    def honest(self, role: str) -> bool:
        """Whether who has this role keeps to the rules."""
        return role not in self.coalition

    # -- time

    def due(self, when: int, duty: Callable[[], None]) -> None:
        """Let an honest person act at a time."""
        heappush(self._duties, (when, next(self._order), duty))

    def advance(self, to: int) -> None:
        """Let time go on; whoever has a duty until then does it in time."""
        while self._duties and self._duties[0][0] <= to:
            when, _, duty = heappop(self._duties)
            self.now = max(self.now, when)
            duty()
            if self.rng.random() < 0.15:  # in the same second
                self.mischief()
        self.now = max(self.now, to)


def some_bytes(rng: random.Random) -> bytes:
    """Any word."""
    return keccak(rng.randbytes(8))
