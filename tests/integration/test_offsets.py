"""A run that offsets by itself: credits bought and retired inside settlement, to the last unit and the last mg."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.conftest import START
from transactive.carbon.credits.file import CreditsFile, FileBatch, FileListing, steps_of
from transactive.carbon.credits.register import Project
from transactive.carbon.credits.steps import AnyStep, Offset, RegisterProject
from transactive.config.setting import Setting
from transactive.core.community.carbon_rules import LevyRules, OffsetRules
from transactive.core.community.members import OffsetPolicy
from transactive.core.community.rules import AccountRules
from transactive.core.credit_notes import Need, Retired
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of

MEMBERS, MG = 14, 10**6
PROJECTS = tuple(
    Project(id=kind, kind=kind, methodology=f"EX-{kind}", jurisdiction="XX", auditor="ann")
    for kind in ("removal", "avoidance")
)


def offered(*listings: tuple[str, str, int, int]) -> tuple[AnyStep, ...]:
    """Steps that offer credits: kind, seller, kg, µ¤/t of each listing, each of a batch of its own."""
    batches = tuple(
        FileBatch(project=kind, vintage=2015 + n, serial=f"s{n}", kg=10 * kg, owner=seller)
        for n, (kind, seller, kg, _) in enumerate(listings)
    )
    sales = tuple(
        FileListing(serial=f"s{n}", seller=seller, kg=kg, price_micro_per_t=price)
        for n, (_, seller, kg, price) in enumerate(listings)
    )
    return steps_of(CreditsFile(projects=PROJECTS, batches=batches, listings=sales))


def with_policies(setting: Setting, policies: dict[int, OffsetPolicy], steps: tuple[AnyStep, ...], **carbon) -> Setting:
    """The same community with other policies and credits on offer; carbon: rules that change."""
    community = setting.community
    members = tuple(
        msgspec.structs.replace(member, offset=policies.get(index)) for index, member in enumerate(community.members)
    )
    rules = msgspec.structs.replace(community.carbon, **carbon)
    trading = msgspec.structs.replace(community.trading, plans="alone")  # nobody buys back what it made itself
    made = msgspec.structs.replace(community, members=members, carbon=rules, trading=trading)
    return replace(setting, community=made, credits=steps)


def run(setting: Setting, days: int = 2):
    records: list[SlotBook] = []
    walk = recorded_run(setting, slots_of(setting, parse_time(START), days))
    walk.run(records.append)
    return records, walk


def rows(record):
    """Offsets of a slot: payer, payee, kg, price, amount."""
    p = record.postings
    chosen = p.kind == PostingKind.OFFSET
    return list(zip(*(c[chosen].tolist() for c in (p.payer, p.payee, p.energy_wh, p.price, p.amount_n)), strict=True))


def all_rows(records):
    return [row for record in records for row in rows(record)]


ALL = OffsetPolicy(most_micro_per_t=10**9)


@pytest.fixture(scope="module")
def covered(demo_setting):
    """Two days in which home 3 offsets all, home 5 half by removals; home 0 and somebody outside sell."""
    offers = offered(("avoidance", "x", 3, 20), ("removal", "house-01", 500, 30), ("removal", "x", 500, 10**10))
    half = OffsetPolicy(most_micro_per_t=30, coverage_ppm=500_000, kinds=("removal",))
    return run(with_policies(demo_setting, {3: ALL, 5: half}, offers))


def test_a_period_ends_with_its_residual_carbon_covered_in_whole_kg(covered):
    records, walk = covered
    for member, coverage in ((3, 10**6), (5, 500_000)):
        retired, ahead = 0, 0
        for day in (records[:24], records[24:]):
            unmatched = sum(_unmatched(record, walk)[member] for record in day)
            wanted = -(-unmatched * coverage // 10**6)
            need = max(-(-(wanted - ahead) // MG), 0)
            kg = sum(row[2] for row in all_rows(day) if row[0] == member)
            assert kg == need
            ahead += kg * MG - wanted
            retired += kg
        assert 0 <= ahead < MG
        assert int(walk.offsets.ahead_mg[member]) == ahead
        assert int(walk.tally.offset_kg[member]) == retired > 0
    assert walk.offsets.uncovered_mg == 0


def _unmatched(record, walk):
    """Residual carbon of a slot [mg] from registers and bundles alone."""
    c = record.certificates
    travelled = (c.state != 1) & (c.device // 2 != c.owner)
    matched = np.zeros(MEMBERS, np.int64)
    np.add.at(matched, c.owner[travelled], c.energy_wh[travelled])
    return (record.readings.import_wh - matched) * walk.known.grid_g(record.readings.slot)


def test_each_kg_is_paid_at_its_price_to_its_seller_and_has_one_receipt(covered):
    records, walk = covered
    found = all_rows(records)
    assert all(amount == kg * price for _, _, kg, price, amount in found)
    assert {payee for _, payee, *_ in found} == {0, walk.accounts.credits}
    assert [sum(kg for payer, payee, kg, *_ in found if payee == walk.accounts.credits)] == [3]  # the cheap ones first
    notes = [note for record in records for note in record.notes if isinstance(note, Retired)]
    assert [(n.account, n.seller, n.kg, n.price_micro_per_t) for n in notes] == [row[:4] for row in found]
    assert {note.receipt for note in notes} == set(range(len(notes)))
    assert all(note.kind == "removal" for note in notes if note.account == 5)
    walk.offsets.market.register.check()
    assert next(s for s in walk.offsets.market.log if isinstance(s, Offset)).by == notes[0].beneficiary


def test_the_books_balance_and_a_bill_does_not_count_what_was_chosen(demo_setting, covered):
    records, walk = covered
    assert all(int(record.postings.net_n(walk.accounts.total).sum()) == 0 for record in records)
    _, plain = run(with_policies(demo_setting, {}, ()))
    paid = np.zeros(walk.accounts.on_chain, np.int64)
    for payer, payee, _, _, amount in all_rows(records):
        paid[payer] -= amount
        paid[payee] += amount
    withdrawn = walk.ledger.balances_n - plain.ledger.balances_n
    assert withdrawn[1:].tolist() == paid[1:].tolist()  # account 0 takes all that it has at the end
    assert walk.tally.with_market_n.tolist() == plain.tally.with_market_n.tolist()
    assert walk.tally.offset_n.tolist() == (-paid[:MEMBERS]).tolist()


def test_nobody_spends_what_it_does_not_have_and_partial_cover_is_said(demo_setting):
    poor = AccountRules(opening_n=9 * 10**9, top_up_below_n=0, top_up_to_n=0)
    dear = offered(("removal", "x", 1_000, 800_000_000))
    policies = dict.fromkeys(range(MEMBERS), OffsetPolicy(most_micro_per_t=10**9))
    setting = with_policies(demo_setting, policies, dear)
    setting = replace(setting, community=msgspec.structs.replace(setting.community, accounts=poor))
    records, walk = run(setting)
    assert walk.tally.offset_paid_n > 0
    assert walk.offsets.uncovered_mg > 10**7
    needs = [note for note in records[-1].notes if isinstance(note, Need)]
    assert sum(max(-need.ahead_mg, 0) for need in needs) == walk.offsets.uncovered_mg
    assert int(walk.ledger.balances_n.min()) >= 0
    assert int(walk.offsets.ahead_mg.sum()) == (
        int(walk.tally.offset_kg.sum()) * MG - sum(int(_unmatched(record, walk).sum()) for record in records)
    )


def test_a_dear_offer_and_a_wrong_kind_serve_nobody(demo_setting):
    policy = OffsetPolicy(most_micro_per_t=99, kinds=("removal",), vintage_from=2015, methodologies=("EX-removal",))
    offers = offered(("removal", "x", 50, 100), ("avoidance", "x", 50, 1))
    records, walk = run(with_policies(demo_setting, {3: policy}, offers), days=1)
    assert all_rows(records) == []
    assert walk.offsets.uncovered_mg == sum(int(_unmatched(record, walk)[3]) for record in records)


def test_a_levy_for_offsets_buys_for_everybody_what_members_leave(demo_setting):
    rules = {
        "levy": LevyRules(mode="fixed", use="offsets"),
        "offsets": OffsetRules(file="x", community=OffsetPolicy(most_micro_per_t=10**9)),
    }
    offers = offered(("removal", "x", 10_000, 60_000_000))
    records, walk = run(with_policies(demo_setting, {3: ALL}, offers, **rules))
    tally, account = walk.tally, walk.accounts.levy
    own = [row for row in all_rows(records) if row[0] == 3]
    bought = [row for row in all_rows(records) if row[0] == account]
    assert sum(row[4] for row in bought) == tally.treasury_offset_n > 0
    assert int(tally.levy_n.sum()) == tally.treasury_offset_n + walk.ledger.levied_n
    everything = sum(int(_unmatched(record, walk).sum()) for record in records)
    assert 0 <= (sum(row[2] for row in own) + tally.treasury_offset_kg) * MG - everything < 2 * MG
    notes = [n for record in records for n in record.notes if isinstance(n, Retired) and n.account == account]
    assert {note.beneficiary for note in notes} == {"Demo community"}
    dearer = with_policies(demo_setting, {}, offered(("removal", "x", 9_999, 10**9)), **rules)
    (_, dear), priced = run(dearer, days=1), 10**9
    assert dear.ledger.levied_n >= 0
    assert dear.ledger.levied_n < priced  # all whole kg that the treasury could pay
    assert dear.offsets.uncovered_mg > 0


def test_members_take_turns_in_choosing_first(demo_setting):
    offers = offered(("removal", "x", 3, 1), ("removal", "x", 9_999, 2))
    firsts = []
    for day in (START, "2017-06-06T00:00Z"):
        setting = with_policies(demo_setting, {3: ALL, 5: ALL}, offers)
        walk = recorded_run(setting, slots_of(setting, parse_time(day), 1))
        records: list[SlotBook] = []
        walk.run(records.append)
        firsts.append(all_rows(records)[0][0])
    assert sorted(firsts) == [3, 5]


@given(data=st.data())
def test_random_periods_lose_no_mg_no_kg_and_no_unit(demo_setting, data):
    """Offsets alone, on drawn carbon, funds and offers: kg and mg close, money follows kg, nobody overspends."""
    from transactive.core.accounts import Accounts
    from transactive.engine.credits.offsetting import Offsetting
    from transactive.settlement.funds import spend
    from transactive.settlement.ledger import Ledger

    drawn = st.tuples(
        st.sampled_from(("removal", "avoidance")), st.sampled_from(("x", "house-01", "house-02")),
        st.integers(1, 40), st.integers(0, 300),
    )  # fmt: skip
    policy = st.builds(
        OffsetPolicy,
        most_micro_per_t=st.integers(0, 300),
        coverage_ppm=st.integers(0, 10**6),
        kinds=st.sampled_from(((), ("removal",))),
    )
    policies = data.draw(st.dictionaries(st.integers(0, 4), policy, max_size=5))
    setting = with_policies(demo_setting, policies, offered(*data.draw(st.lists(drawn, max_size=6))))
    clock = setting.community.clock
    offsets = Offsetting(setting, range(0, 5 * 86_400, 3_600), setting.credits)
    accounts, wanted, retired = Accounts(MEMBERS), np.zeros(MEMBERS, np.int64), np.zeros(MEMBERS, np.int64)
    for period in range(data.draw(st.integers(1, 4))):
        ledger = Ledger(accounts)
        funds = np.array(data.draw(st.lists(st.integers(0, 3_000), min_size=MEMBERS, max_size=MEMBERS)))
        ledger.deposit(np.append(funds, np.zeros(len(accounts_rest(accounts)), np.int64)))
        carbon = np.array(data.draw(st.lists(st.integers(0, 9 * MG), min_size=MEMBERS, max_size=MEMBERS)))
        slot = period * 86_400 + 82_800
        assert clock.ends_period(slot)
        postings = offsets.cover(slot, carbon, spend(slot, PostingKind.OFFSET, []), ledger)
        net = postings.net_n(accounts.total)
        assert int(net.sum()) == 0
        gained = np.zeros(accounts.total, np.int64)
        np.add.at(gained, postings.payee, postings.amount_n)
        assert (funds + net[:MEMBERS] - gained[:MEMBERS] >= 0).all()
        assert (postings.amount_n == postings.energy_wh * postings.price).all()
        for payer, price in zip(postings.payer.tolist(), postings.price.tolist(), strict=True):
            assert price <= policies[payer].most_micro_per_t
        np.add.at(retired, postings.payer, postings.energy_wh)
        for member, wish in policies.items():
            wanted[member] += -(-int(carbon[member]) * wish.coverage_ppm // 10**6)
        assert (offsets.ahead_mg[:-1] == retired * MG - wanted).all()
        assert (offsets.ahead_mg < MG).all()
        offsets.market.register.check()
    assert sum(offsets.market.register.retired_kg.values()) == int(retired.sum())


def accounts_rest(accounts):
    return range(accounts.members, accounts.on_chain)


def test_the_log_of_a_run_begins_with_its_offers(covered):
    assert isinstance(covered[1].offsets.market.log[0], RegisterProject)
