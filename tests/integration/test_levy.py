"""A run with a carbon levy: exact, covered by locks, and given back to the last unit."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.integration.conftest import START
from transactive.config.setting import Setting
from transactive.core.community.carbon_rules import LevyRules
from transactive.core.community.rules import AccountRules
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of

EUR_75_36 = 75_360_000


def with_levy(setting: Setting, **rules) -> Setting:
    """The same community with a levy; batteries follow their homes, so that nobody buys back what it made itself."""
    carbon = msgspec.structs.replace(setting.community.carbon, levy=LevyRules(**rules))
    trading = msgspec.structs.replace(setting.community.trading, plans="alone")
    return replace(setting, community=msgspec.structs.replace(setting.community, carbon=carbon, trading=trading))


def run(setting: Setting, days: int = 1):
    """Walk without a chain; the records and the walk."""
    records: list[SlotBook] = []
    walk = recorded_run(setting, slots_of(setting, parse_time(START), days))
    walk.run(records.append)
    return records, walk


def amounts(record, kind, column):
    chosen = record.postings.kind == kind
    found = np.zeros(14, np.int64)
    np.add.at(found, getattr(record.postings, column)[chosen], record.postings.amount_n[chosen])
    return found


@pytest.fixture(scope="module")
def fixed(demo_setting):
    return run(with_levy(demo_setting, mode="fixed"))


def test_a_levy_is_due_on_grid_energy_without_a_certificate(fixed):
    records, walk = fixed
    for record in records:
        paid = amounts(record, PostingKind.LEVY, "payer")
        claimed = record.certificates.state != 1  # what a home or its battery took
        travelled = claimed & (record.certificates.device // 2 != record.certificates.owner)
        matched = np.zeros(14, np.int64)
        np.add.at(matched, record.certificates.owner[travelled], record.certificates.energy_wh[travelled])
        unmatched_mg = (record.readings.import_wh - matched) * walk.known.grid_g(record.readings.slot)
        assert int(paid.sum()) == int(unmatched_mg.sum()) * EUR_75_36 // 10**6
        assert (np.abs(paid - unmatched_mg * EUR_75_36 // 10**6) <= 1).all()


def test_a_day_gives_back_what_it_took_to_the_last_unit(fixed):
    records, walk = fixed
    paid = sum(amounts(record, PostingKind.LEVY, "payer") for record in records)
    back = sum(amounts(record, PostingKind.LEVY_RETURN, "payee") for record in records)
    assert int(paid.sum()) == int(back.sum()) > 0
    assert int(back.max() - back.min()) <= 1
    assert walk.ledger.levied_n == 0
    assert [int(record.postings.net_n(21).sum()) for record in records] == [0] * len(records)


@pytest.mark.parametrize(
    ("rules", "rate"),
    [
        ({"mode": "off"}, 0),
        ({"mode": "floor", "paid_micro_per_t": 60_000_000}, 15_360_000),
        ({"mode": "floor", "paid_micro_per_t": 80_000_000}, 0),
        ({"mode": "oracle", "step_ppm_per_period": 100_000}, 82_896_000),
    ],
    ids=str,
)
def test_the_rate_follows_the_rules(demo_setting, rules, rate):
    quoted = np.full_like(demo_setting.environment.carbon_price, 200_000_000)
    setting = replace(demo_setting, environment=replace(demo_setting.environment, carbon_price=quoted))
    records, walk = run(with_levy(setting, **rules))
    assert walk.levies.rate(records[0].readings.slot) == rate
    due = sum(int(amounts(record, PostingKind.LEVY, "payer").sum()) for record in records)
    assert due == int(walk.tally.levy_n.sum())
    assert (due > 0) == (rate > 0)


def test_a_shadow_levy_is_counted_and_changes_nothing(demo_setting, fixed):
    (_, off), (_, shadow) = run(with_levy(demo_setting, mode="off")), run(with_levy(demo_setting, mode="shadow"))
    assert (off.ledger.balances_n == shadow.ledger.balances_n).all()
    assert int(shadow.tally.levy_n.sum()) > 0 == int(off.tally.levy_n.sum())
    kinds = (PostingKind.LEVY, PostingKind.LEVY_RETURN)
    assert not any(np.isin(record.postings.kind, kinds).any() for record in run(demo_setting)[0])


def test_storage_offsets_and_feebate_use_the_treasury_as_they_say(demo_setting, fixed):
    due = int(fixed[1].tally.levy_n.sum())
    _, kept = run(with_levy(demo_setting, mode="fixed", use="offsets"))
    assert (kept.ledger.levied_n, int(kept.tally.levy_returned_n.sum())) == (due, 0)
    records, storage = run(with_levy(demo_setting, mode="fixed", use="storage"))
    assert storage.ledger.levied_n + int(storage.tally.levy_returned_n.sum()) == due
    for record in records:
        served = record.certificates.device[record.certificates.device % 2 == 1] // 2
        assert set(np.flatnonzero(amounts(record, PostingKind.LEVY_RETURN, "payee"))) <= set(served.tolist())
    records, feebate = run(with_levy(demo_setting, mode="fixed", use="feebate"))
    assert feebate.ledger.levied_n == 0
    for record in records:
        paid, back = (
            amounts(record, kind, column)
            for kind, column in ((PostingKind.LEVY, "payer"), (PostingKind.LEVY_RETURN, "payee"))
        )
        assert int(paid.sum()) == int(back.sum())


def test_locks_cover_a_levy_of_a_thousand_a_tonne_when_funds_are_short(demo_setting):
    """Orders are refused and what is taken beyond them is advanced; a broken lock would end the run."""
    setting = with_levy(demo_setting, mode="fixed", price_micro_per_t=10**9)
    poor = AccountRules(opening_n=8 * 10**9, top_up_below_n=0, top_up_to_n=0)
    records, walk = run(replace(setting, community=msgspec.structs.replace(setting.community, accounts=poor)), days=2)
    assert walk.tally.refused > 100
    assert any((record.postings.kind == PostingKind.ADVANCE).any() for record in records)
    assert int(walk.tally.traded_wh) > 0
    assert int(walk.ledger.balances_n.min()) >= 0


def test_a_price_of_carbon_saves_carbon(demo_setting):
    """Two June days at 50 a tonne emit less, and what is bought ahead is more."""
    members = tuple(msgspec.structs.replace(m, carbon_price_per_t=50) for m in demo_setting.community.members)
    aware = replace(demo_setting, community=msgspec.structs.replace(demo_setting.community, members=members))
    (_, plain), (_, with_price) = run(demo_setting, days=2), run(aware, days=2)
    assert int(with_price.tally.location_mg.sum()) < int(plain.tally.location_mg.sum())
    assert with_price.tally.traded_wh > plain.tally.traded_wh
