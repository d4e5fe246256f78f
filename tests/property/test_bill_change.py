"""Why a bill changed: causes add up to the change, whatever the sums."""

from hypothesis import given
from hypothesis import strategies as st

from transactive.web.history.bill_change import bill_causes, bill_n

MONEY = st.integers(-(10**15), 10**15)


@st.composite
def sums(draw):
    without, paid, advanced = draw(MONEY), draw(MONEY), draw(MONEY)
    return {
        "consumption_wh": draw(st.integers(0, 10**9)),
        "without_n": without,
        "paid_n": paid,
        "advanced_n": advanced,
        "saved_n": without - paid - advanced,
    }


@given(sums(), sums())
def test_causes_add_up_to_the_change(now, before):
    causes = bill_causes(now, before)
    assert sum(each.amount_n for each in causes) == bill_n(now) - bill_n(before)
    assert len({each.cause for each in causes}) == len(causes)


def test_more_use_at_a_dearer_price_and_less_saved():
    before = {"consumption_wh": 100_000, "without_n": 30_000, "paid_n": 28_000, "advanced_n": 0, "saved_n": 2_000}
    now = {"consumption_wh": 150_000, "without_n": 60_000, "paid_n": 59_000, "advanced_n": 0, "saved_n": 1_000}
    told = [(each.cause, each.amount_n, each.text.split(":")[0]) for each in bill_causes(now, before)]
    assert told == [
        ("use", 15_000, "More was used, at the price of the period before"),
        ("price", 15_000, "A kWh used would have cost more alone"),
        ("market", 1_000, "The market saved less"),
    ]


def test_a_home_that_earned_alone_has_one_cause_for_use_and_price():
    before = {"consumption_wh": 100, "without_n": -5_000, "paid_n": -6_000, "advanced_n": 0, "saved_n": 1_000}
    now = {"consumption_wh": 900, "without_n": -2_000, "paid_n": -3_000, "advanced_n": 0, "saved_n": 1_000}
    assert [(each.cause, each.amount_n) for each in bill_causes(now, before)] == [("alone", 3_000)]
