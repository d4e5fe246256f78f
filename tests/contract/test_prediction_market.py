"""The market for predictions: a question's life to the last n¤, and what each attack on it comes to."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.contract.predicting_world import (
    ALL,
    BLUR,
    BOUNDS,
    DEADLINE,
    EMPTY,
    LIQUIDITY,
    SLOPE,
    PredictingWorld,
)
from tests.contract.world import CANDIDATE, OPERATOR, RECOVERY, REGISTRAR, SLOT, STRANGER, refused
from transactive.chain.prediction.lmsr import loss_n, price_ppm

CAP = 2 * BLUR * SLOPE
MILLION = 10**6


@pytest.fixture
def pw():
    return PredictingWorld.again()


def paid_by_all(world: PredictingWorld, question: int) -> list[int]:
    """What each member redeems."""
    return [world.act(member, "redeem", question) for member in world.members]


def test_a_question_lives_to_the_last_unit(pw):
    before = pw.wallet(pw.members[0])
    question = pw.question()
    assert before - pw.wallet(pw.members[0]) == loss_n(3, LIQUIDITY) == pw.ask("loss", 3, LIQUIDITY) == 10_986_124
    cost = -pw.act(pw.members[1], "buy", question, 1, MILLION, ALL)
    assert cost == 344_567  # ten million times ln((e**0.1 + 2) / 3), and the margin
    assert pw.ask("price", question, 1) == price_ppm([0, MILLION, 0], LIQUIDITY, 1) == 355_913
    assert pw.act(pw.members[1], "sell", question, 1, MILLION // 2, 0) == 175_103
    made = pw.run([300, 500, 200, 100])  # 700 Wh in the two slots: the outcome in the middle
    with refused("prediction_market: not over"):
        pw.act(pw.members[1], "redeem", question)
    pw.resolve(question, made)
    assert paid_by_all(pw, question) == [0, MILLION // 2, 0, 0, 0, 0, 0, 0]
    left = pw.act(pw.members[0], "sweep", question)
    assert left == 10_986_124 + cost - 175_103 - MILLION // 2
    assert pw.client.read(pw.token, "balanceOf", pw.market.address) == 0


@pytest.mark.parametrize(
    ("imported", "worth"),
    [(349, (100, 0, 0)), (350, (100, 0, 0)), (351, (99, 1, 0)), (400, (50, 50, 0)), (449, (1, 99, 0)),
     (450, (0, 100, 0)), (950, (0, 100, 0)), (1_025, (0, 25, 75)), (1_050, (0, 0, 100)), (9_000, (0, 0, 100))],
)  # fmt: skip
def test_what_a_share_is_worth_goes_over_in_a_straight_line(pw, imported, worth):
    question = pw.question()
    pw.resolve(question, pw.run([77, imported, 0, 33]))
    pw.mine()
    found, whole = pw.ask("worthOf", question)
    assert (tuple(found[:3]), whole) == (worth, 2 * BLUR)
    assert not any(found[3:])


def test_a_moved_wh_never_pays_more_than_the_slope(pw):
    """Who holds all that one may, and moves its meter across a bound, wins no more than it costs."""
    question = pw.question(liquidity=10**9)
    pw.act(pw.members[1], "buy", question, 1, CAP, ALL)
    with refused("prediction_market: holds enough"):
        pw.act(pw.members[1], "buy", question, 1, 1, ALL)
    worths = []
    for energy in range(340, 460):
        # from the twin's rule of the last test: parts above the first bound
        above = min(max(energy - BOUNDS[0] + BLUR, 0), 2 * BLUR)
        worths.append(CAP * above // (2 * BLUR))
    assert max(after - before for before, after in pairwise(worths)) == SLOPE
    pw.resolve(question, pw.run([0, 401, 0, 0]))
    assert pw.act(pw.members[1], "redeem", question) == worths[401 - 340]


def test_nothing_counts_but_what_is_committed_and_final(pw):
    question = pw.question()
    first = pw.slot
    for energy in (300, 500, 200, 100):
        pw.book.add(0, 0, energy, energy=True)
        pw.commit()
    pending = list(pw.chain)
    with refused("totals: not final"):
        pw.resolve(question, pending)
    pw.propose()
    with refused("totals: not final"):
        pw.resolve(question, pending)
    pw.finalise()
    assert pw.slot == first + 4
    before, after = pw.opened(pending, 0), pw.opened(pending, 2)
    forged = (after[0], (*after[1][:4], after[1][4] + 7), after[2])
    for wrong, reason in (
        ((before, forged), "not final"), ((before, pw.opened(pending, 3)), "other slot"),
        ((EMPTY, after), "other slot"), ((after, before), "other slot"), ((pw.opened(pending, 1), after), "other slot"),
    ):  # fmt: skip
        with refused(f"totals: {reason}"):
            pw.act(STRANGER, "resolve", question, *wrong)
    pw.act(STRANGER, "resolve", question, before, after)
    assert pw.ask("outcomeOf", question)[0] == 700
    with refused("totals: known"):
        pw.resolve(question, pending)
    with refused("prediction_market: over"):
        pw.act(STRANGER, "void", question)


def test_a_whole_period_needs_no_slot_before(pw):
    question = pw.question(first=pw.slot + 4, last=pw.slot + 7)
    pw.run([9, 9, 9, 9])
    made = pw.run([300, 500, 200, 100])
    pw.act(STRANGER, "resolve", question, EMPTY, pw.opened(made, 3))
    assert pw.ask("outcomeOf", question)[0] == 1_100


def test_without_an_outcome_each_share_pays_its_part_of_one(pw):
    question = pw.question()
    pw.act(pw.members[1], "buy", question, 0, 3 * MILLION + 1, ALL)
    pw.act(pw.members[2], "buy", question, 2, 2 * MILLION, ALL)
    with refused("prediction_market: wait"):
        pw.act(STRANGER, "void", question)
    pw.now = (pw.slot + 3) * SLOT + DEADLINE
    pw.act(STRANGER, "void", question)
    for function, reason in (("void", "over"), ("resolve", "void")):
        with refused(f"prediction_market: {reason}"):
            pw.act(STRANGER, function, question, *([EMPTY, EMPTY] if function == "resolve" else []))
    pw.act(pw.members[0], "sweep", question)  # leaves what the others can claim, whoever is first
    assert paid_by_all(pw, question) == [0, MILLION, 2 * MILLION // 3, 0, 0, 0, 0, 0]
    assert pw.client.read(pw.token, "balanceOf", pw.market.address) <= 1


def test_a_little_that_nobody_metered_lets_a_question_count(pw):
    question = pw.question()
    pw.act(pw.members[1], "buy", question, 0, 3 * MILLION, ALL)
    made = pw.run([300, 600, 6, 100], [(0, 0), (2, 2), (3, 0)])  # of its slots 6 of 606 Wh, less than a hundredth
    pw.resolve(question, made)
    assert pw.ask("outcomeOf", question)[2] == 6
    assert pw.act(pw.members[1], "redeem", question) == 0  # it counts: 606 Wh is the middle


def test_one_wh_too_many_that_nobody_metered_makes_it_invalid(pw):
    question = pw.question()
    pw.act(pw.members[1], "buy", question, 0, 3 * MILLION, ALL)
    made = pw.run([300, 593, 6, 100], [(2, 2)])  # six of 599 Wh
    pw.resolve(question, made)
    assert pw.act(pw.members[1], "redeem", question) == MILLION


def test_trading_ends_before_the_first_slot_and_only_members_trade(pw):
    question = pw.question()
    for stranger in (STRANGER, OPERATOR):
        with refused("totals: not a member"):
            pw.act(stranger, "buy", question, 0, 1, ALL)
    paid = -pw.act(pw.members[1], "buy", question, 0, MILLION, ALL)
    with refused("prediction_market: price moved"):
        pw.act(pw.members[2], "buy", question, 0, MILLION, paid)
    with refused("prediction_market: price moved"):
        pw.act(pw.members[1], "sell", question, 0, MILLION, paid)
    with refused("prediction_market: shares too low"):
        pw.act(pw.members[2], "sell", question, 0, 1, 0)
    for wrong, reason in (((question + 1, 0, 1), "no such question"), ((question, 3, 1), "no such outcome")):
        with refused(f"prediction_market: {reason}"):
            pw.act(pw.members[1], "buy", *wrong, ALL)
    with refused("prediction_market: no shares"):
        pw.act(pw.members[1], "buy", question, 0, 0, ALL)
    pw.now = (pw.slot + 1) * SLOT
    for function, limit in (("buy", ALL), ("sell", 0)):
        with refused("prediction_market: closed"):
            pw.act(pw.members[1], function, question, 0, 1, limit)


def test_nobody_takes_what_belongs_to_another(pw):
    question, other = pw.question(), pw.question(by=5)
    pw.act(pw.members[1], "buy", question, 1, MILLION, ALL)
    with refused("prediction_market: not over"):
        pw.act(pw.members[0], "sweep", question)
    pw.resolve(question, pw.run([300, 500, 200, 100]))
    with refused("prediction_market: not the asker"):
        pw.act(pw.members[5], "sweep", question)
    assert pw.act(pw.members[1], "redeem", question) == MILLION
    assert pw.act(pw.members[1], "redeem", question) == 0
    pw.act(pw.members[0], "sweep", question)
    assert pw.act(pw.members[0], "sweep", question) == 0
    assert pw.ask("getQuestion", other)[7] == pw.client.read(pw.token, "balanceOf", pw.market.address)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"lane": 3}, "no such total"),
        ({"last": 1_600_004}, "no such total"),
        ({"first": 1_600_002, "last": 1_600_001}, "no such total"),
        ({"closes": 1_600_001 * SLOT + 1}, "bad end of trading"),
        ({"closes": 1}, "bad end of trading"),
        ({"liquidity": MILLION - 1}, "bad liquidity"),
        ({"liquidity": 2**62 + 1}, "bad liquidity"),
        ({"blur": 0}, "bad bounds"),
        ({"bounds": []}, "bad bounds"),
        ({"bounds": [49]}, "bad bounds"),
        ({"bounds": [400, 499]}, "bad bounds"),
    ],
)
def test_questions_that_nobody_can_ask(pw, terms, reason):
    with refused(f"prediction_market: {reason}"):
        pw.question(**terms)


def test_who_took_a_place_over_redeems_and_who_lost_it_does_not(pw):
    """The shares are the place's, not the key's."""
    question, old = pw.question(), pw.members[1]
    pw.act(old, "buy", question, 1, MILLION, ALL)
    pw.resolve(question, pw.run([300, 500, 200, 100]))
    pw.do(REGISTRAR, "startRecovery", 1, CANDIDATE.address, contract=pw.registry)
    pw.now += RECOVERY
    pw.do(CANDIDATE, "finishRecovery", 1, contract=pw.registry)
    pw.do(STRANGER, "follow", 1)
    with refused("totals: not a member"):
        pw.act(old, "redeem", question)
    assert pw.act(CANDIDATE, "redeem", question) == MILLION
