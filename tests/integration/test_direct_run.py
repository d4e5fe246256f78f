"""`mechanism = "direct"` in a run: deals become orders, trades, leaves and postings, on a bad network too."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.integration.conftest import START
from tests.integration.test_api import serving
from tests.integration.test_mechanisms import under
from transactive.config.community_file import load
from transactive.config.shipped import EXAMPLE
from transactive.core.community.rules import DirectRules
from transactive.core.errors import ConfigError, UnreadableState
from transactive.core.proofs.signed_orders import Fills
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time, time_text
from transactive.engine.observer import Observer
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import replay, slots_of
from transactive.insight.studies.measures import measures_of
from transactive.market import incentives
from transactive.market.mechanisms import Cleared
from transactive.store import Store
from transactive.store.direct.deals import DEALS_FILE, DealtSlot, KeptDeal, KeptReach, deals_of, keep_deals_of
from transactive.store.read.runs import Reader
from transactive.studies.compare import compare, variants
from transactive.texts.formatting import Words
from transactive.web.deals.part import deals_part, parts_of
from transactive.web.viewers import Viewer

BAD = DirectRules(loss_ppm=200_000, most_delay_ticks=1, cut_rounds=1, sealed_below=0, rest="supplier")


def on(setting, rules: DirectRules):
    """The demo's community that trades directly on such a network."""
    setting = under(setting, "direct")
    return replace(setting, community=msgspec.structs.replace(setting.community, direct=rules))


class Told(Observer):
    """Sessions of a walk."""

    def __init__(self) -> None:
        self.sessions: list[Cleared] = []
        self.surplus_n = 0

    def cleared(self, orders, grid, cleared) -> None:
        self.sessions.append(cleared)
        self.surplus_n += int(incentives.surplus_n(orders, cleared, orders.price).sum())


def walk(setting, slots: range) -> Told:
    made, told = recorded_run(setting, slots), Told()
    made.observers.append(told)
    made.run(lambda _: None)
    return told


@pytest.fixture(scope="module")
def chained(demo_setting, tmp_path_factory):
    """A day on the bad network, with chain and database."""
    folder, records = tmp_path_factory.mktemp("direct"), list[SlotBook]()
    setting = on(demo_setting, BAD)
    slots = slots_of(setting, parse_time(START), 1)
    whole, _ = replay(setting, slots, folder, seed="transactive", after_slot=records.append)
    return setting, slots, folder, whole, records


def test_a_day_on_a_bad_network_settles_to_the_last_unit(chained):
    _, _, folder, whole, records = chained
    assert whole.summary.ledger_equals_chain
    assert (whole.summary.energy_residual_wh, whole.summary.money_residual_n) == (0, "0")
    assert whole.summary.mechanism == "direct"
    traded = [record for record in records if record.clearing.traded_wh]
    assert traded
    prices = [set(record.positions.price.tolist()) for record in traded]
    assert any(len(found) > 1 for found in prices), "two halves that hear nothing of each other find two prices"
    with closing(Store(folder)) as store:
        kept = store.trading(traded[0].readings.slot, 14)
    assert kept is not None
    assert kept[2].digest() == traded[0].positions.digest()


def test_what_each_member_signed_covers_all_its_deals(chained):
    """Also what undoes an earlier deal, which none of its own orders would have allowed."""
    undone = 0
    for record in chained[-1]:
        places = {each.signed.order.account: each.signed.order for each in record.accepted}
        for member in np.unique(record.positions.member).tolist():
            rows = record.positions.member == member
            sides = []
            for is_buy, best in ((True, -1), (False, 1)):
                own = rows & (record.positions.is_buy == is_buy)
                steps = zip(record.positions.price[own].tolist(), record.positions.energy_wh[own].tolist(), strict=True)
                sides.append(tuple(sorted(steps, key=lambda step: best * step[0])))
            assert places[member].covers(Fills(*sides))
            undone += bool(sides[0] and sides[1])
    assert undone


def test_the_slot_page_shows_a_deal_to_its_two_and_to_who_runs_the_market(chained):
    _, _, folder, _, records = chained
    slot = next(record.readings.slot for record in records if record.clearing.traded_wh)
    (dealt,) = deals_of(folder, slot)
    with closing(Store(folder)) as store:
        reader = Reader(store)
        run = reader.run() or pytest.fail("no run")
        words, names = Words(run.community.currency, run.community.zone), run.names

        def shown(viewer: Viewer):
            return deals_part(reader, slot, run, viewer, words) or pytest.fail("no deals")

        whole = shown(Viewer("operator"))
        assert whole["hidden"] == 0
        assert [row[:2] for row in whole["rows"]] == [(names[each.buyer], names[each.seller]) for each in dealt.deals]
        for member in names:
            own = shown(Viewer("member", member))
            assert own["rows"] == [row for row in whole["rows"] if member in row[:2]]
            assert own["hidden"] == len(dealt.deals) - len(own["rows"])
        assert shown(Viewer("grid"))["rows"] == []
        assert deals_part(reader, slot + 1, run, Viewer("operator"), words) is None
    with serving(folder) as client:
        page = client.get(f"/slots/{time_text(slot)}").text
    assert "Who dealt with whom" in page
    assert f"{dealt.reached} of {dealt.nodes}" in page


def test_nodes_that_did_not_hear_of_each_other_are_parts_of_the_network():
    def dealt(*unheard: tuple[int, ...]) -> DealtSlot:
        told = tuple(KeptReach(member, missing, 9, None) for member, missing in enumerate(unheard))
        return DealtSlot(36, 3, len(told), 0, 9, 99, (), told)

    assert parts_of(dealt((), (), ())) == [{0, 1, 2}]
    assert parts_of(dealt((2,), (), (0,))) == [{0, 1, 2}], "through the second"
    assert parts_of(dealt((2, 3), (2, 3), (0, 1), (0, 1))) == [{0, 1}, {2, 3}]
    assert parts_of(dealt((), (0, 2), ())) == [{1}, {0, 2}]


def test_a_line_of_deals_that_was_written_again_counts_once(tmp_path):
    first, second = (DealtSlot(slot, 3, 2, 2, 9, 99, (KeptDeal(0, 1, 5, 100),)) for slot in (36, 3600))
    for each in (first, second, first):
        keep_deals_of(tmp_path, each)
    with (tmp_path / DEALS_FILE).open("ab") as file:
        file.write(b'{"slot":36,"torn')
    assert deals_of(tmp_path, 36) == (first,)
    keep_deals_of(tmp_path, second)
    assert deals_of(tmp_path, 3600) == (second,)
    (tmp_path / DEALS_FILE).write_bytes(b'{"slot":36,\n')
    with pytest.raises(UnreadableState, match="restore it"):
        deals_of(tmp_path, 36)


def noon(setting) -> range:
    """Some slots with sun."""
    return slots_of(setting, parse_time(START), 1)[17:21]


def test_the_same_seed_gives_the_same_day_and_another_one_another(demo_setting):
    slots = noon(demo_setting)
    first, again = (walk(on(demo_setting, BAD), slots) for _ in range(2))
    assert [each.positions.digest() for each in first.sessions] == [each.positions.digest() for each in again.sessions]
    assert [each.traffic for each in first.sessions] == [each.traffic for each in again.sessions]
    other = walk(on(demo_setting, msgspec.structs.replace(BAD, seed=1)), slots)
    assert [each.positions.digest() for each in first.sessions] != [each.positions.digest() for each in other.sessions]


def test_members_agree_on_what_the_auction_would_give(demo_setting):
    slots = noon(demo_setting)
    auction = walk(demo_setting, slots)
    agreed = walk(on(demo_setting, DirectRules(rest="supplier", rounds=1)), slots)
    assert agreed.surplus_n >= 0.999 * auction.surplus_n > 0
    assert all(each.traffic is not None and each.traffic.reached == each.traffic.nodes for each in agreed.sessions)


def test_what_undoes_a_deal_keeps_to_what_its_member_allows_too(demo_setting, tmp_path):
    """Else what is signed would go beyond it, and the run could not go on."""
    setting = on(demo_setting, msgspec.structs.replace(BAD, rounds=4, cut_rounds=2))
    members = tuple(
        msgspec.structs.replace(each, never_pay_above_micro_per_kwh=100_000) if place % 2 else each
        for place, each in enumerate(setting.community.members)
    )
    setting = replace(setting, community=msgspec.structs.replace(setting.community, members=members))
    records = list[SlotBook]()
    slots = slots_of(setting, parse_time(START), 1)[15:23]
    replay(setting, slots, tmp_path, seed="transactive", after_slot=records.append)
    assert any(record.clearing.traded_wh for record in records)
    for record in records:
        bought = record.positions.is_buy & (record.positions.member % 2 == 1)
        assert record.positions.price[bought].max(initial=0) <= 100_000


def test_what_nobody_dealt_with_goes_to_the_auction(demo_setting):
    slots = noon(demo_setting)
    silent = msgspec.structs.replace(BAD, loss_ppm=1_000_000, rest="auction", rounds=1)
    auction, rest = walk(demo_setting, slots), walk(on(demo_setting, silent), slots)
    assert [each.positions.digest() for each in rest.sessions] == [each.positions.digest() for each in auction.sessions]
    nothing = walk(on(demo_setting, msgspec.structs.replace(silent, rest="supplier")), slots)
    assert not any(each.clearing.traded_wh for each in nothing.sessions)


def test_compare_tells_what_negotiating_took(demo_setting):
    slots = noon(demo_setting)
    found = compare(demo_setting, slots, variants(["uniform", "direct"]), workers=1)
    auction, direct = found.mechanisms
    assert auction.datagrams is None
    assert direct.datagrams
    assert direct.sent_bytes
    assert int(direct.welfare_n) >= 0.999 * int(auction.welfare_n)
    rows = {row.name: row.show(direct, Words("USD")) for row in measures_of(found.mechanisms)}
    assert rows["Datagrams between members"] == f"{direct.datagrams:,}"
    assert len(measures_of((auction,))) == len(rows) - 2


def test_keys_of_direct_trading_need_it(tmp_path):
    text = EXAMPLE.read_text().replace("[tariff]", "[direct]\nrounds = 2\n\n[tariff]", 1)
    path = tmp_path / "community.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="needs market"):
        load(path)
    path.write_text(text.replace('mechanism = "uniform"', 'mechanism = "direct"'))
    assert load(path).direct == DirectRules(rounds=2)
    path.write_text(text.replace("rounds = 2", "seed = 1" + "0" * 80).replace('"uniform"', '"direct"'))
    with pytest.raises(ConfigError, match=r"direct\.seed"):
        load(path)
