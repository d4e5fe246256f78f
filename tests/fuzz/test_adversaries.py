"""Dishonest roles on today's contracts break no rule, and with a fault put back they do."""

from __future__ import annotations

import pytest

from tests.fuzz import campaign, hunts
from tests.fuzz.adversary import hunt
from tests.fuzz.adversary.hunt import HOME, MOST_CALLS, Hunted, go_on, hunt_by_name, machine
from tests.fuzz.adversary.stage import BrokenRule, Faults, coalition
from tests.fuzz.campaign import STAGES
from tests.fuzz.hunts import Book, hunt_further
from tests.fuzz.life import Tally
from tests.fuzz.machine import new_machine
from tests.fuzz.mutant import mutant
from transactive.chain.artifact import CONTRACTS

LIVES = 3 if machine() == "revm" else 1
"""Calls on py-evm take twenty times as long."""
EARLY = "reversal_without_end"
"""A fault that compiles and is caught within seconds."""
CALLS_SOON = 20_000
SOON = {
    "absent_leaf": 40_000,
    "silence_is_final": 120_000,
    "spared_by_anybody": CALLS_SOON,
    "retraction_is_free": CALLS_SOON,
    "reversal_without_end": CALLS_SOON,
}
"""Faults that took money or certificates from others without any warning: caught within so many calls."""
FIRST_LIFE = 100
"""Number of the first life on each stage: the seed that is fixed."""


def lived(stage: str, lives: int, calls: int = 300) -> Tally:
    """Lives on a stage. Raises BrokenRule."""
    tally = Tally()
    for number in range(lives):
        STAGES[stage](new_machine(machine()), number, tally).run(calls)
    return tally


@pytest.mark.parametrize("stage", STAGES)
def test_dishonest_roles_break_no_rule(stage):
    tally = lived(stage, LIVES)
    assert tally.total >= 250 * tally.lives.total()
    accepted = {function for (_, function, _, reason) in tally.calls if not reason}
    assert len(accepted) >= 6
    assert len(tally.checked) >= 3


@pytest.mark.parametrize("stage", STAGES)
def test_a_life_on_a_stage_is_the_same_again(stage):
    one, two = (lived(stage, 1, 50) for _ in range(2))
    assert one.calls == two.calls
    assert one.checked == two.checked


@pytest.mark.parametrize("stage", STAGES.values())
def test_each_role_and_each_pair_is_dishonest_in_turn(stage):
    roles = len(stage.roles)
    wanted = roles + roles * (roles - 1) // 2
    assert len({coalition(stage.roles, stage.often, number) for number in range(2 * wanted)}) == wanted


def test_every_contract_has_a_stage_or_a_life():
    assert set(HOME) | set(campaign.LIVES) == set(CONTRACTS) | {"register"}


SEED = 1
"""Of a hunt that needs more than one life."""


@pytest.fixture(scope="module")
def early(tmp_path_factory) -> Faults:
    return mutant(EARLY, tmp_path_factory.mktemp("early")).made


def test_a_fault_is_caught_at_once_also_by_a_hunt_that_was_stopped(early):
    found = go_on(Hunted(EARLY), early, SEED)
    assert found.rule == "nobody reverses more than it has issued"
    assert found.calls <= CALLS_SOON
    stopped = go_on(Hunted(EARLY), early, SEED, most=1)
    assert (stopped.lives, stopped.rule) == (1, "")
    assert go_on(stopped, early, SEED, until=0) == stopped
    assert go_on(stopped, early, SEED) == found


def test_a_rule_that_breaks_without_the_fault_is_no_catch(early, monkeypatch):
    monkeypatch.setattr(hunt, "lived", lambda *_: (60_000, BrokenRule("everywhere", "nobody", "a rule")))
    found = go_on(Hunted(EARLY), early, 0)
    assert (found.calls, found.rule, found.is_over) == (240_000, "", True)


def test_a_hunt_is_kept_until_what_it_hunts_has_changed(tmp_path, monkeypatch):
    found = Hunted(EARLY, 3, 1_500)
    book = Book(tmp_path, 0)
    assert book.read(EARLY) == Hunted(EARLY)
    book.keep(found)
    assert hunt_further(EARLY, book, MOST_CALLS, until=0) == found  # no time is left
    assert Book(tmp_path, 1).read(EARLY) == Hunted(EARLY)
    monkeypatch.setattr(hunts, "_stages", lambda: "others")
    assert book.read(EARLY) == Hunted(EARLY)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(SOON.keys() - {EARLY}))
def test_a_fault_that_took_without_warning_is_caught_soon(name):
    """The others are counted by `make fuzz` (ARGS="--faults"), which takes hours."""
    found = hunt_by_name(name, FIRST_LIFE)
    assert found.rule, f"not within {found.calls} calls"
    assert found.calls <= SOON[name]
