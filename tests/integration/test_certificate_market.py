"""A run in which certificates are kept, sold and bought apart from energy: books, footprints, statement, page."""

import csv
import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.integration.conftest import START, call
from tests.integration.samples import write_community
from tests.unpacked import unpacked
from transactive.config.setting import Setting, load_setting
from transactive.core.certificates import CertificateState
from transactive.core.community.carbon_rules import LevyRules
from transactive.core.community.certificate_rules import CertificateWishes
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.kernel import Kernel
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import replay, slots_from, slots_of

SELLS = CertificateWishes(exports="sell", ask_micro_per_kwh=2_000)
BUYS = CertificateWishes(imports="buy", bid_micro_per_kwh=20_000)
KEEPS = CertificateWishes(exports="keep", imports="none")


def wishing(setting: Setting, levy: str = "fixed") -> Setting:
    """The demo's homes: some sell, some buy, one keeps; with a levy that is posted.

    Batteries follow their own homes, so that nobody buys back from a neighbour's what it made itself.
    """
    who = {0: SELLS, 1: SELLS, 2: KEEPS, 4: SELLS, 5: BUYS, 8: BUYS, 9: BUYS, 12: BUYS}
    members = tuple(
        msgspec.structs.replace(member, certificates=who.get(place, CertificateWishes()))
        for place, member in enumerate(setting.community.members)
    )
    carbon = msgspec.structs.replace(setting.community.carbon, levy=LevyRules(mode=levy))  # type: ignore[arg-type]
    trading = msgspec.structs.replace(setting.community.trading, plans="alone")
    made = msgspec.structs.replace(setting.community, members=members, carbon=carbon, trading=trading)
    return replace(setting, community=made)


def walked(setting: Setting) -> tuple[list[SlotBook], Kernel]:
    records: list[SlotBook] = []
    walk = recorded_run(setting, slots_of(setting, parse_time(START), 2))
    walk.run(records.append)
    return records, walk


@pytest.fixture(scope="module")
def bundled(demo_setting):
    carbon = msgspec.structs.replace(demo_setting.community.carbon, levy=LevyRules(mode="fixed"))
    trading = msgspec.structs.replace(demo_setting.community.trading, plans="alone")
    made = msgspec.structs.replace(demo_setting.community, carbon=carbon, trading=trading)
    return walked(replace(demo_setting, community=made))


@pytest.fixture(scope="module")
def apart(demo_setting):
    return walked(wishing(demo_setting))


@pytest.fixture(scope="module")
def state(demo_setting, tmp_path_factory):
    """A state folder of the same two days, with a chain."""
    folder = tmp_path_factory.mktemp("apart")
    setting = wishing(demo_setting)
    replay(setting, slots_of(setting, parse_time(START), 2), folder, seed="transactive")
    return folder


def energy_postings(record):
    """Postings that neither certificates nor the levy change."""
    p = record.postings
    rows = np.stack((p.kind, p.payer, p.payee, p.energy_wh, p.price, p.amount_n), axis=1)
    return rows[~np.isin(p.kind, (PostingKind.CERTIFICATES, PostingKind.LEVY, PostingKind.LEVY_RETURN))].tolist()


def test_certificates_are_sold_and_the_books_sum_to_nothing(apart):
    records, walk = apart
    assert walk.tally.certificates_wh > 1_000
    assert walk.tally.money_residual_n == walk.tally.energy_residual_wh == 0
    assert int(walk.tally.certificates_n.sum()) == 0
    for record in records:
        assert int(record.postings.net_n(walk.accounts.total).sum()) == 0


def test_energy_is_traded_and_paid_as_if_nobody_had_a_wish(apart, bundled):
    for with_wishes, without in zip(apart[0], bundled[0], strict=True):
        assert energy_postings(with_wishes) == energy_postings(without)
        assert (with_wishes.footprints.location_mg == without.footprints.location_mg).all()


def test_wishes_are_kept(apart):
    buyers, sellers = set(), set()
    for record in apart[0]:
        c, p = record.certificates, record.postings
        others = c.device // 2 != c.owner
        assert not (others & (c.owner == 2)).any()  # takes energy only
        assert not (others & (c.device // 2 == 2)).any()  # keeps its own
        chosen = p.kind == PostingKind.CERTIFICATES
        buyers |= set(p.payer[chosen].tolist())
        sellers |= set(p.payee[chosen].tolist())
    assert buyers <= {5, 8, 9, 12}
    assert sellers <= {0, 1, 4}
    assert len(buyers) > 1 < len(sellers)


def test_a_levy_is_due_on_what_is_still_without_a_certificate(apart):
    records, walk = apart
    for record in records:
        c = record.certificates
        mine = (c.state != CertificateState.HELD) & (c.device // 2 != c.owner)
        matched = np.zeros(14, np.int64)
        np.add.at(matched, c.owner[mine], c.energy_wh[mine])
        unmatched_mg = (record.readings.import_wh - matched) * walk.known.grid_g(record.readings.slot)
        paid = np.zeros(14, np.int64)
        levied = record.postings.kind == PostingKind.LEVY
        np.add.at(paid, record.postings.payer[levied], record.postings.amount_n[levied])
        assert (np.abs(paid - unmatched_mg * 75_360_000 // 10**6) <= 1).all()


def test_nobody_buys_beyond_its_funds(demo_setting):
    setting = wishing(demo_setting)
    accounts = msgspec.structs.replace(setting.community.accounts, opening_n=7 * 10**8, top_up_below_n=0, top_up_to_n=0)
    poor = replace(setting, community=msgspec.structs.replace(setting.community, accounts=accounts))
    records, walk = walked(poor)
    assert int(walk.ledger.balances_n.min()) >= 0
    for record in records:
        advanced = record.postings.payee[record.postings.kind == PostingKind.ADVANCE]
        buyers = record.postings.payer[record.postings.kind == PostingKind.CERTIFICATES]
        assert not set(advanced.tolist()) & set(buyers.tolist())


def test_ledger_equals_chain_and_the_statements_of_both_sides_hold(state, tmp_path):
    with unpacked(state) as database:
        names = [f"house-{number:02d}" for number in (*range(1, 12), 13, 16, 17)]
        pair = database.execute(
            "select payee, payer from postings where kind = ? order by energy_wh desc", (int(PostingKind.CERTIFICATES),)
        ).fetchone()
    found = []
    for member in (names[place] for place in pair):
        path = tmp_path / f"{member}.json"
        assert call("statement", "--state", state, "--member", member, "-o", path).code == 0
        made = call("verify", path, "--state", state)
        assert made.code == 0, made.out
        found.append(json.loads(path.read_text())["totals"])
    seller, buyer = found
    assert seller["certificates_sold_wh"] > 0 < buyer["certificates_bought_wh"]
    assert int(seller["certificates_net_n"]) > 0 > int(buyer["certificates_net_n"])
    page = tmp_path / "buyer.html"
    assert call("statement", "--state", state, "--member", names[pair[1]], "-o", page).code == 0
    assert "Certificates apart from energy" in page.read_text()
    table = tmp_path / "buyer.csv"
    assert call("statement", "--state", state, "--member", names[pair[1]], "-o", table).code == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == 48
    assert sum(int(row["claimed_wh"]) for row in rows) == buyer["claimed_wh"]
    assert sum(int(row["received_n"]) - int(row["paid_n"]) for row in rows) == int(buyer["balance_n"])


@pytest.mark.long
def test_an_interrupted_run_trades_the_same_certificates(tmp_path):
    setting = load_setting(write_community(tmp_path))
    wishes = {"a": SELLS, "b": BUYS, "c": SELLS}
    members = tuple(msgspec.structs.replace(m, certificates=wishes[m.id]) for m in setting.community.members)
    setting = replace(setting, community=msgspec.structs.replace(setting.community, members=members))
    slots = slots_from(setting)[:24]
    whole, _ = replay(setting, slots, tmp_path / "whole", seed="transactive")
    assert whole.summary.carbon.certificates.traded_wh > 0

    class Stop(Exception):
        pass

    def stop(record: SlotBook) -> None:
        if record.readings.slot == slots[13]:
            raise Stop

    with pytest.raises(Stop):
        replay(setting, slots, tmp_path / "parts", seed="transactive", after_slot=stop)
    resumed, _ = replay(setting, slots, tmp_path / "parts", seed="transactive")
    assert (resumed.summary.state_hash, resumed.bills) == (whole.summary.state_hash, whole.bills)
    assert resumed.summary.carbon == whole.summary.carbon
    orders = []
    for folder in ("whole", "parts"):
        with closing(sqlite3.connect(tmp_path / folder / "market.sqlite")) as database:
            orders.append(database.execute("select * from certificate_orders order by slot, row").fetchall())
    assert orders[0] == orders[1] != []


def test_orders_are_kept_with_what_they_were_given(state):
    with unpacked(state) as database:
        rows = database.execute(
            "select is_buy, sum(energy_wh), sum(allocated_wh) from certificate_orders group by is_buy"
        ).fetchall()
        posted = database.execute(
            "select sum(energy_wh) from postings where kind = ?", (int(PostingKind.CERTIFICATES),)
        ).fetchone()
    (_, offered, sold), (_, wanted, bought) = rows
    assert sold == bought == posted[0] > 0
    assert sold <= offered
    assert bought <= wanted
