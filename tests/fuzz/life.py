"""A life: random calls on a contract and on its Python twin, with the same reason or the same change each time."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fuzz.bound import Bound, Person, locked_functions
from tests.fuzz.echo import Echo
from tests.fuzz.machine import Machine
from transactive.chain.revert_reasons import UNKNOWN
from transactive.core.errors import ContractRevert

SWAPPED = 0.06
"""Share of calls that anybody at all makes instead of who could be right: so every role tries every function."""
ECHOED = 0.3
"""Share of payments on which a hostile token calls back."""
CHECK_EVERY = 50
DRAWN = 400
"""Moves from which the functions come that everybody tries, once in a life."""

Tried = tuple[str, str, str, str]


@dataclass(slots=True)
class Tally:
    """What was tried: calls by contract, function, role and reason (empty: it went through), and what was compared."""

    calls: Counter[Tried] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    lives: Counter[str] = field(default_factory=Counter)
    steps: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What was tried on the register of certificates, which is no contract: step and code of the refusal."""

    def __iadd__(self, other: Tally) -> Tally:
        self.calls += other.calls
        self.checked += other.checked
        self.lives += other.lives
        self.steps += other.steps
        return self

    @property
    def total(self) -> int:
        """All calls."""
        return self.calls.total()


@dataclass(frozen=True, slots=True)
class Call:
    """One call and what the twin does for it, given the caller's address. pays: whether tokens move in it."""

    who: Person
    function: str
    arguments: Sequence[Any]
    mirror: Callable[[str], object]
    value: int = 0
    on: Bound | None = None
    pays: bool = False


class Life(ABC):
    """What all lives share. A subclass deploys, offers moves and checks."""

    contract = ""

    def __init__(self, machine: Machine, seed: int, tally: Tally) -> None:
        self.machine, self.tally = machine, tally
        self.rng = random.Random(f"{self.contract} {seed}")
        self.title = f"{self.contract} life {seed} on {machine.name}"
        self.now = 0
        self.made = 0
        self.people: list[Person] = []
        self.echo: Echo | None = None
        self.c: Bound = self.begin()
        tally.lives[self.contract] += 1

    # -- a subclass says

    @abstractmethod
    def begin(self) -> Bound:
        """Deploy all and give the contract of this life."""

    @abstractmethod
    def move(self) -> Call | None:
        """Any next call; None if only time goes on."""

    @abstractmethod
    def check(self) -> None:
        """Compare all that can be read."""

    def end(self) -> None:  # noqa: B027 - a life that holds nothing has nothing to do
        """Let everybody out, if the contract holds anything."""

    # -- the rest follows

    def run(self, calls: int) -> None:
        """Make so many calls, then the end."""
        following, halfway = CHECK_EVERY, calls // 2
        while self.made < calls:
            if self.made >= halfway:
                self.everybody_tries_everything()
                halfway = calls
            call = self.move()
            if call is not None:
                self.make(replace(call, who=self.rng.choice(self.people)) if self.rng.random() < SWAPPED else call)
            if self.made >= following:
                self.check()
                following += CHECK_EVERY
        self.end()

    def everybody_tries_everything(self) -> None:
        """One call of each function that comes up soon, made by one person of each role."""
        drawn = [call for call in (self.move() for _ in range(DRAWN)) if call is not None]
        functions = {(call.on, call.function): call for call in drawn}
        roles = {person.role: person for person in self.people}
        for call in functions.values():
            for person in roles.values():
                self.both(replace(call, who=person))

    def make(self, call: Call) -> bool:
        """Make a call on both sides; a hostile token may answer with one of its own. True if it went through."""
        inner = None
        if self.echo and call.pays and self.rng.random() < ECHOED:
            inner = self.move()
        if inner is None or inner.on not in (None, self.c) or inner.value:
            return self.both(call)
        assert self.echo
        inner = replace(inner, who=self.echo.person)
        answers: list[str | None] = []

        def mirror(caller: str) -> None:
            call.mirror(caller)
            answers.append(self.nested(inner))

        self.echo.arm(self.c.address, self.c.data(inner.function, inner.arguments))
        done = self.both(replace(call, mirror=mirror))
        assert self.echo.answer() == (answers[0] if done else "not asked"), (self.title, call, inner)
        if done:
            self.tally.calls[self.contract, inner.function, "token, called back", answers[0] or ""] += 1
            self.made += 1
        else:
            self.echo.disarm()
        return done

    def nested(self, inner: Call) -> str | None:
        """What a call from inside a payment must come to: the lock refuses without a word."""
        if inner.function in locked_functions(self.contract):
            return UNKNOWN
        return reason_of(inner.mirror, inner.who.address)

    def both(self, call: Call) -> bool:
        """Make a call on both sides and compare the outcome."""
        on = call.on or self.c
        self.machine.at = self.now
        wanted = reason_of(call.mirror, call.who.address)
        got = reason_of(self.send, call, on)
        assert got == wanted, f"{self.title}: {call} gave {got}, the twin {wanted}"
        self.tally.calls[on.name, call.function, call.who.role, wanted or ""] += 1
        self.made += 1
        return wanted is None

    def send(self, call: Call, on: Bound) -> None:
        if self.echo and call.who is self.echo.person:
            self.echo.execute(on.address, on.data(call.function, call.arguments))
        else:
            on.do(call.who.address, call.function, *call.arguments, value=call.value)

    def equal(self, what: str, found: object, wanted: object) -> None:
        """Compare something read with what the twin says, and count it."""
        assert found == wanted, f"{self.title}: {what}: {found}, the twin {wanted}"
        self.tally.checked[what] += 1


def reason_of(call: Callable[..., object], *arguments: Any) -> str | None:
    """Reason of a refusal, None if it went through."""
    try:
        call(*arguments)
    except ContractRevert as error:
        return str(error)
    return None
