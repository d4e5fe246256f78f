"""Credits, offsets, avoided emissions and the levy by example, and credits under random steps."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import whole
from transactive.carbon.credits.avoided import AvoidedLedger, avoided_mg, combined_margin_g, is_additional
from transactive.carbon.credits.offsets import Offer, Purchase, choose, need_kg, wanted_mg
from transactive.carbon.credits.register import BUFFER, CreditRegister, Project
from transactive.carbon.levy import LevyMode, bounded, feebate, levy, most_per_wh, rate, storage_incentive
from transactive.core.community.members import OffsetPolicy
from transactive.core.errors import CertificateError

EUR_75_36 = 75_360_000
FOREST = Project(id="forest", kind="removal", methodology="VM0047", jurisdiction="DE", auditor="tüv")
STOVES = Project(id="stoves", kind="avoidance", methodology="VMR0006", jurisdiction="KE", auditor="vvb")


def register():
    book = CreditRegister()
    for project in (FOREST, STOVES):
        book.register(project)
        book.approve(project.auditor, project.id)
    return book


def issued(kg=1_000):
    book = register()
    return book, book.issue("tüv", "forest", 2024, "VCS-1-2024-1", kg, "coop").number


# -- credits ----------------------------------------------------------------------------------------


def test_a_batch_leaves_its_part_in_the_buffer():
    book, batch = issued(1_001)
    assert (book.held_kg(batch, "coop"), book.held_kg(batch, BUFFER)) == (800, 201)
    book.check()


def test_d9_a_serial_is_used_once_and_there_is_no_way_back():
    book, _ = issued()
    with pytest.raises(CertificateError, match="was used before; a serial is written once"):
        book.issue("tüv", "forest", 2025, "VCS-1-2024-1", 5, "coop")
    assert not [name for name in dir(book) if "unset" in name or "free" in name]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"auditor": "vvb"}, "is not the auditor of forest"),
        ({"project": "moon"}, "project 'moon' is not registered"),
        ({"serial": ""}, "serial '' is missing"),
        ({"owner": BUFFER}, "cannot hold credits"),
        ({"owner": ""}, "cannot hold credits"),
        ({"kg": 0}, "0 kg cannot be issued"),
    ],
)
def test_what_is_wrong_with_an_issue_is_said_and_changes_nothing(change, said):
    book = register()
    wish = {"auditor": "tüv", "project": "forest", "vintage": 2024, "serial": "a", "kg": 5, "owner": "coop"} | change
    with pytest.raises(CertificateError, match=said):
        book.issue(**wish)
    assert book == register()


def test_retired_credits_are_gone_and_leave_a_receipt():
    book, batch = issued()
    words = {"beneficiary": "house-04", "reason": "home 2024", "period": "2024"}
    first = book.retire(batch, "coop", 300, **words)
    second = book.retire(batch, "coop", 100, **words)
    assert ((first.first_kg, first.end_kg), (second.first_kg, second.end_kg)) == ((0, 300), (300, 400))
    with pytest.raises(CertificateError, match="coop holds 400 kg of VCS-1-2024-1, not 401"):
        book.retire(batch, "coop", 401, **words)
    for name in words:
        with pytest.raises(CertificateError, match=f"{name} is missing"):
            book.retire(batch, "coop", 1, **(words | {name: ""}))
    book.check()


def test_the_buffer_is_not_sold_and_answers_for_reversals():
    book, batch = issued()
    with pytest.raises(CertificateError, match="the buffer is not traded"):
        book.transfer(batch, BUFFER, "x", 1)
    with pytest.raises(CertificateError, match="'buffer' cannot hold credits"):
        book.transfer(batch, "coop", BUFFER, 1)
    with pytest.raises(CertificateError, match="the buffer is not retired"):
        book.retire(batch, BUFFER, 1, beneficiary="x", reason="y", period="z")
    with pytest.raises(CertificateError, match="vvb is not the auditor of forest"):
        book.reverse("vvb", batch, 1)
    with pytest.raises(CertificateError, match="0 kg cannot be"):
        book.reverse("tüv", batch, 0)
    assert book.reverse("tüv", batch, 150) == 0
    assert book.reverse("tüv", batch, 60) == 10
    with pytest.raises(CertificateError, match="can lose 790 kg more, not 791"):
        book.reverse("tüv", batch, 791)
    assert book.reverse("tüv", batch, 790) == 790
    assert book.held_kg(batch, "coop") == 800
    book.check()


@pytest.mark.parametrize(
    ("batch", "kg", "said"), [(9, 1, "batch 9 is not known"), (0, 0, "0 kg cannot be issued or moved")]
)
def test_a_transfer_names_what_it_lacks(batch, kg, said):
    book, _ = issued()
    with pytest.raises(CertificateError, match=said):
        book.transfer(batch, "coop", "x", kg)
    with pytest.raises(CertificateError, match="cannot hold credits"):
        book.transfer(0, "coop", "", 1)


@pytest.mark.parametrize("seed", range(4))
def test_random_lives_make_no_credit_and_lose_none(seed):
    book, dice = register(), random.Random(seed)
    names, accepted = ["a", "b", BUFFER], Counter[bool]()
    for number in range(600):
        before = (dict(book.holdings), len(book.batches), len(book.receipts), dict(book.reversed_kg))
        batch, who, kg = dice.randrange(8), dice.choice(names), dice.randrange(0, 60)
        try:
            match dice.randrange(5):
                case 0:
                    auditor = dice.choice(["tüv", "vvb"])
                    book.issue(auditor, "forest", 2020, str(dice.randrange(60)), kg, who)
                case 1 | 2:
                    book.transfer(batch, who, dice.choice(names), kg)
                case 3:
                    book.retire(batch, who, kg, beneficiary=who, reason="r", period=str(number))
                case 4:
                    book.reverse("tüv", batch, kg)
            accepted[True] += 1
        except CertificateError:
            accepted[False] += 1
            after = (dict(book.holdings), len(book.batches), len(book.receipts), dict(book.reversed_kg))
            assert before == after
        book.check()
    assert min(accepted.values()) > 60


# -- offsets -----------------------------------------------------------------------------------------------------------


def test_a_need_is_whole_kg_and_takes_off_what_was_retired_ahead():
    half = OffsetPolicy(coverage_ppm=500_000, most_micro_per_t=1)
    assert need_kg(wanted_mg(half, 3_000_001), 0) == 2
    assert need_kg(wanted_mg(half, 3_000_001), 499_999) == 2
    assert need_kg(wanted_mg(half, 3_000_001), 500_001) == 1
    assert need_kg(wanted_mg(half, 3_000_001), 9_000_000) == 0
    assert need_kg(wanted_mg(OffsetPolicy(most_micro_per_t=1), 0), 0) == 0


def test_the_cheapest_allowed_offers_serve_a_need():
    book = register()
    new = book.issue("tüv", "forest", 2024, "new", 1_000, "x").number
    old = book.issue("tüv", "forest", 2010, "old", 1_000, "x").number
    stoves = book.issue("vvb", "stoves", 2024, "stoves", 1_000, "x").number
    offers = [
        Offer(batch=new, seller="x", kg=5, price_micro_per_t=30),
        Offer(batch=old, seller="x", kg=5, price_micro_per_t=1),
        Offer(batch=stoves, seller="x", kg=5, price_micro_per_t=2),
        Offer(batch=new, seller="y", kg=5, price_micro_per_t=20),
        Offer(batch=new, seller="z", kg=5, price_micro_per_t=31),
    ]
    policy = OffsetPolicy(most_micro_per_t=30, kinds=("removal",), vintage_from=2020, methodologies=("VM0047",))
    plenty = choose(book, policy, offers, kg=20, funds_n=10**9)
    assert plenty == [Purchase(offer=3, kg=5, amount_n=100), Purchase(offer=0, kg=5, amount_n=150)]
    assert choose(book, policy, offers, kg=7, funds_n=139) == [
        Purchase(offer=3, kg=5, amount_n=100),
        Purchase(offer=0, kg=1, amount_n=30),
    ]
    assert choose(book, OffsetPolicy(most_micro_per_t=2), offers, kg=7, funds_n=10**9) == [
        Purchase(offer=1, kg=5, amount_n=5),
        Purchase(offer=2, kg=2, amount_n=4),
    ]
    assert choose(book, policy, offers, kg=7, funds_n=-1) == []


# -- avoided emissions ------------------------------------------------------------------------------


def test_a14_gross_avoided_emissions():
    assert avoided_mg(whole(50_000_000), whole(0), whole(450)) == 22_500 * 10**6  # 22.5 t


def test_storage_that_charged_on_coal_owes_and_carries_it_forward():
    ledger = AvoidedLedger()
    gross = avoided_mg(whole(0, 900), whole(1_000, 0), whole(900, 400))
    assert gross == 900 * 400 - 1_000 * 900
    assert ledger.credit("battery", whole(0, 1), gross, 0, 0) == 0
    assert ledger.carried_mg == gross
    assert ledger.credit("battery", whole(2), 3_000_000, 100_000, 50_000) == 2
    assert ledger.carried_mg == gross + 3_000_000 - 150_000 - 2_000_000


def test_a_wh_is_a_certificate_or_a_credit_never_both():
    ledger = AvoidedLedger()
    ledger.certify("pv", 0)
    with pytest.raises(CertificateError, match="has certificates"):
        ledger.credit("pv", whole(1, 0), 10**9, 0, 0)
    ledger.credit("pv", whole(1), 10**9, 0, 0)
    with pytest.raises(CertificateError, match="credited as avoided"):
        ledger.certify("pv", 1)
    with pytest.raises(CertificateError, match="already credited"):
        ledger.credit("pv", whole(1), 10**9, 0, 0)
    with pytest.raises(CertificateError, match="cannot be below 0"):
        ledger.credit("pv", whole(2), 10**9, -1, 0)


def test_margins_and_additionality():
    assert combined_margin_g(800, 400, 750_000) == 700
    assert [is_additional(age, "pv", {"old"}) for age in (0, 36, 37, -1)] == [True, True, False, False]
    assert is_additional(500, "old", {"old"})


# -- levy --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grams", "hundredths"), [(490, "3.69"), (820, "6.18"), (450, "3.39"), (200, "1.51"), (41, "0.31")]
)
def test_reference_price_per_kwh(grams, hundredths):
    """ct/kWh at 75.36 EUR/t."""
    levied = levy(whole(grams * 10**9), EUR_75_36).sum()  # of a GWh: 10^6 kWh, in n¤
    assert f"{levied / 10**6 / 10**7:.2f}" == hundredths


@pytest.mark.parametrize(
    ("mode", "price", "paid", "expected"),
    [
        (LevyMode.OFF, 75, 0, 0),
        (LevyMode.SHADOW, 75, 0, 75),
        (LevyMode.FLOOR, 75, 60, 15),
        (LevyMode.FLOOR, 75, 80, 0),
        (LevyMode.FIXED, 75, 60, 15),
        (LevyMode.ORACLE, 75, 60, 15),
    ],
)
def test_what_was_paid_already_is_taken_off(mode, price, paid, expected):
    assert rate(mode, price, paid) == expected


def test_a_quoted_price_moves_in_bounded_steps():
    assert bounded(100, 200, 100_000) == 110
    assert bounded(100, 10, 100_000) == 90
    assert bounded(100, 105, 100_000) == 105


CARBON = st.lists(st.integers(0, 10**9), min_size=1, max_size=9)


@given(CARBON, st.integers(0, 10**9), st.data())
def test_the_treasury_is_the_sum_of_levies_and_returns_it(base, price, data):
    base_mg = whole(*base)
    paid = levy(base_mg, price)
    assert int(paid.sum()) == sum(base) * price // 10**6
    assert (paid >= 0).all()
    assert all(n <= -(-mg * price // 10**6) for n, mg in zip(paid.tolist(), base, strict=True))
    wh = whole(*data.draw(st.lists(st.integers(0, 10**6), min_size=len(base), max_size=len(base))))
    assert int(feebate(base_mg, wh, price).sum()) == 0
    given_back = storage_incentive(int(paid.sum()), wh)
    assert int(given_back.sum()) == (int(paid.sum()) if wh.any() else 0)


@given(st.integers(0, 10**6), st.integers(0, 2_000), st.integers(0, 10**9))
def test_a_lock_covers_the_levy(wh, grams, price):
    assert int(levy(whole(wh * grams), price).sum()) <= wh * most_per_wh(grams, price)


def test_feebate_charges_above_the_mean_and_pays_below():
    assert feebate(whole(900, 100), whole(1, 1), 10**6).tolist() == [-400, 400]
    assert feebate(whole(900, 100), whole(0, 0), 10**6).tolist() == [0, 0]
