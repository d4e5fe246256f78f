"""The pool of stakes on forecasts: a period's life to the last n¤, and what each attack on it comes to."""

from __future__ import annotations

from itertools import count

import pytest

from tests.contract.predicting_world import DEADLINE, EMPTY, MOST_STAKE, REACH, TERMS, PredictingWorld
from tests.contract.world import (
    CANDIDATE,
    OPERATOR,
    OWNER,
    PERIOD,
    RECOVERY,
    REGISTRAR,
    SLOT,
    STRANGER,
    refused,
)
from transactive.chain.prediction.scoring import packed, paid_n, sealed

MILLION = 10**6
SURE = (680, 690, 695, 700, 700, 705, 710, 720)
"""Around the 700 Wh that are metered in the slots that count."""
WIDE = (100, 300, 500, 600, 800, 1_000, 1_500, 2_500)
WRONG = (4_000, 4_100, 4_200, 4_300, 4_400, 4_500, 4_600, 4_700)
IMPORTED = [100, 300, 500, 200]


@pytest.fixture
def pw():
    return PredictingWorld.again()


def settle(world, made):
    world.stake(STRANGER, "settle", made[0].slot // 4, world.opened(made, 1), world.opened(made, 3))


def test_a_period_lives_to_the_last_unit(pw):
    agents = [(1, 3 * MILLION, SURE), (2, 5 * MILLION + 1, WIDE), (4, 2 * MILLION, WRONG)]
    before = pw.funds()
    for member, stake, forecast in agents:
        pw.wager(member, forecast, stake)
    with refused("forecast_pool: not now"):
        pw.reveal(1, 0, SURE)
    pw.after_gate()
    for number, (member, _, forecast) in enumerate(agents):
        pw.reveal(member, number, forecast)
    period = pw.period
    settle(pw, pw.run(IMPORTED))
    pw.stake(STRANGER, "pay", period)
    gained = [after - had for after, had in zip(pw.funds(), before, strict=True)]
    paid = paid_n([stake for _, stake, _ in agents], [forecast for *_, forecast in agents], 700, TERMS.scale)
    assert [gained[member] for member, *_ in agents] == [
        got - stake for got, (_, stake, _) in zip(paid, agents, strict=True)
    ]
    assert sum(gained) == 0
    assert gained[1] > 0 > gained[4]
    with refused("forecast_pool: over"):
        pw.stake(STRANGER, "pay", period)
    with refused("forecast_pool: over"):
        pw.stake(STRANGER, "refund", period)
    pw.stake(pw.members[4], "withdraw", pw.funds()[4])
    assert pw.client.read(pw.token, "balanceOf", pw.pool.address) == sum(pw.funds())
    with refused("forecast_pool: funds too low"):
        pw.stake(pw.members[4], "withdraw", 1)


def test_a_forecast_is_its_members_alone_and_never_changed(pw):
    pw.wager(1, SURE, MILLION)
    copied = sealed(SURE, bytes([1]) * 32, 1, pw.period)
    pw.stake(pw.members[2], "wager", pw.period, copied, MILLION)  # whoever copies a seal cannot open it
    with refused("forecast_pool: staked already"):
        pw.wager(1, WIDE, MILLION)
    pw.after_gate()
    with refused("forecast_pool: gate closed"):
        pw.wager(3, SURE, MILLION)
    pw.reveal(1, 0, SURE)
    for number, member, forecast, salt in ((1, 2, SURE, 1), (1, 2, SURE, 2), (0, 1, WIDE, 1), (0, 1, SURE, 1)):
        with refused("forecast_pool: other forecast"):
            pw.stake(pw.members[member], "show", pw.period, number, packed(forecast), bytes([salt]) * 32)
    with refused("forecast_pool: no such wager"):
        pw.reveal(1, 2, SURE)
    period, before = pw.period, pw.funds()
    settle(pw, pw.run(IMPORTED))
    pw.stake(STRANGER, "pay", period)
    gained = [after - had for after, had in zip(pw.funds(), before, strict=True)]
    assert gained[1] > MILLION > gained[2]  # what is not shown has the worst score


def test_quantiles_that_fall_are_not_shown(pw):
    word = packed(SURE) ^ (1 << 255) ^ (1 << 31)
    hidden = sealed_raw(word, 1, pw.period)
    pw.stake(pw.members[1], "wager", pw.period, hidden, MILLION)
    pw.after_gate()
    with refused("forecast_pool: quantiles fall"):
        pw.stake(pw.members[1], "show", pw.period, 0, word, bytes([1]) * 32)


def sealed_raw(content, member, period):
    """Seal of any word."""
    from transactive.core.proofs.keccak import keccak
    from transactive.core.proofs.merkle import word

    return keccak(word(content) + bytes([member]) * 32 + word(member) + word(period))


def test_a_late_forecast_is_not_shown(pw):
    pw.wager(1, SURE, MILLION)
    pw.after_gate()
    pw.now += TERMS.reveal
    with refused("forecast_pool: not now"):
        pw.reveal(1, 0, SURE)


def test_nobody_stakes_on_what_is_mostly_its_own(pw):
    for stranger in (STRANGER, OPERATOR):
        with refused("totals: not a member"):
            pw.stake(stranger, "wager", pw.period, bytes(32), MILLION)
    pw.stake(OPERATOR, "setReach", 1, 7 * REACH)  # as much as all the others
    pw.wager(1, SURE, MILLION)
    pw.stake(OPERATOR, "setReach", 2, 14 * REACH + 1)
    with refused("forecast_pool: mostly your own"):
        pw.wager(2, SURE, MILLION)
    pw.stake(OPERATOR, "setReach", 2, 0)
    with refused("forecast_pool: no reach"):
        pw.wager(2, SURE, MILLION)
    for who in (OWNER, pw.members[1]):
        with refused("forecast_pool: not the operator"):
            pw.stake(who, "setReach", 1, 1)


def test_a_stake_is_within_its_bounds(pw):
    for stake in (0, TERMS.least - 1, MOST_STAKE + 1):
        with refused("forecast_pool: stake out of bounds"):
            pw.wager(1, SURE, stake)
    with refused("forecast_pool: funds too low"):
        for member in count(1):
            pw.stake(pw.members[member], "withdraw", 10**12)
            pw.wager(member, SURE, MOST_STAKE)


def test_without_a_commitment_all_stakes_go_back(pw):
    before = pw.funds()
    pw.wager(1, SURE, MILLION)
    pw.wager(2, WIDE, 2 * MILLION)
    pw.after_gate()
    pw.reveal(1, 0, SURE)
    end = (pw.period * 4 + 4) * SLOT
    pw.now = end + DEADLINE - 1
    with refused("forecast_pool: wait"):
        pw.stake(STRANGER, "refund", pw.period)
    with refused("forecast_pool: not known"):
        pw.stake(STRANGER, "pay", pw.period)
    pw.now = end + DEADLINE
    pw.stake(STRANGER, "refund", pw.period)
    assert pw.funds() == before
    with refused("forecast_pool: over"):
        pw.stake(STRANGER, "settle", pw.period, EMPTY, EMPTY)


def test_a_forecast_that_nobody_could_meter_is_paid_back(pw):
    before = pw.funds()
    pw.wager(1, SURE, MILLION)
    pw.wager(2, WIDE, MILLION)
    period = pw.period
    made = pw.run([300, 100, 6, 593], [(2, 2)])  # six of 599 Wh, more than a hundredth
    settle(pw, made)
    pw.stake(STRANGER, "pay", period)
    assert pw.funds() == before


def test_a_place_that_is_taken_over_has_its_stakes(pw):
    pw.wager(1, SURE, MILLION)
    pw.do(REGISTRAR, "startRecovery", 1, CANDIDATE.address, contract=pw.registry)
    pw.now += RECOVERY
    pw.do(CANDIDATE, "finishRecovery", 1, contract=pw.registry)
    pw.do(STRANGER, "follow", 1)
    with refused("totals: not a member"):
        pw.stake(pw.members[1], "withdraw", 1)
    pw.stake(CANDIDATE, "withdraw", 10**12 - MILLION)
    assert pw.funds()[1] == 0


@pytest.mark.parametrize(
    ("place", "wrong", "reason"),
    [
        (0, 3, "no such total"), (1, 4, "no such total"), (2, 4, "no such total"), (3, 599, "bad times"),
        (4, 0, "bad times"), (8, PERIOD, "bad times"), (5, 0, "bad terms"), (6, 0, "bad terms"), (7, 0, "bad stakes"),
        (7, MOST_STAKE + 1, "bad stakes"),
    ],
)  # fmt: skip
def test_terms_that_no_pool_can_have(pw, place, wrong, reason):
    terms = [*TERMS.content]
    terms[place] = wrong
    pw.client.deploy(OWNER, "forecast_pool", pw.token.address, pw.c.address, *terms)
    with refused(f"forecast_pool: {reason}"):
        pw.mine()
