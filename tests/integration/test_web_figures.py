"""What the page says, against the run that it reads: every figure from the database equals the run's own."""

import threading
from contextlib import closing

import msgspec
import numpy as np
import pytest

from transactive.core.postings import PostingKind
from transactive.core.slots import parse_time
from transactive.engine.replay import replay, slots_of
from transactive.store import Store
from transactive.store.read.runs import Reader, Run, RunProgress
from transactive.store.read.slot_columns import each_slot, has
from transactive.store.read.totals import Counter, RunTotals
from transactive.store.row_blocks import pack_postings
from transactive.store.schema import POSTINGS
from transactive.store.write.slot_rows import SlotRows
from transactive.texts.formatting import Words, counted, percent, span_of_time, stamp
from transactive.web.charts.draw import ticks
from transactive.web.charts.flow import PIPES, Flow
from transactive.web.order_reasons import books
from transactive.web.pages.community import community_page, proof
from transactive.web.pages.parts.issues import issues
from transactive.web.pages.slot import POSTED, slot_page
from transactive.web.viewers import OWNER, Viewer

WORDS = Words("USD")


@pytest.fixture(scope="module")
def reader(demo_run):
    with closing(Store(demo_run.folder)) as store:
        yield Reader(store)


@pytest.fixture(scope="module")
def run(reader) -> Run:
    found: Run | None = reader.run()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def totals(reader, run) -> RunTotals:
    return Counter(reader).totals(run, reader.position())


@pytest.fixture(scope="module")
def poor(demo_setting, tmp_path_factory):
    """A day in which accounts hold next to nothing: orders are refused and the supplier advances."""
    broke = msgspec.structs.replace(
        demo_setting.community.accounts, opening_n=700_000_000, top_up_below_n=0, top_up_to_n=0
    )
    community = msgspec.structs.replace(demo_setting.community, accounts=broke)
    setting = type(demo_setting)(community, demo_setting.measured, demo_setting.environment)
    folder = tmp_path_factory.mktemp("poor")
    replay(setting, slots_of(setting, parse_time("2017-06-05T00:00Z"), 1), folder, seed="poor")
    with closing(Store(folder)) as store:
        yield Reader(store)


# -- totals ---------------------------------------------------------------------------------------


def test_savings_are_the_runs_own_bills_before_the_battery_credit(demo_run, totals):
    for member, bill in zip(totals.members, demo_run.outcome.bills, strict=True):
        assert (member.without_n, member.with_n) == (bill.without_market_n, bill.with_market_n)
        assert (member.bought_wh, member.sold_wh) == (bill.bought_wh, bill.sold_wh)
        assert (member.location_mg, member.market_mg) == (bill.location_mg, bill.market_mg)
    credit = sum(b.with_market_credit_n - b.without_market_credit_n for b in demo_run.outcome.bills)
    assert totals.saved_n + credit == sum(bill.saved_n for bill in demo_run.outcome.bills)


def test_battery_levels_are_those_that_the_run_credits(demo_run, totals):
    cheapest = min(record.tariff.supply for record in demo_run.records)
    devices = demo_run.setting.community.devices
    deliverable = devices.deliverable_wh(np.array([member.charged_wh for member in totals.members]))
    assert (deliverable * cheapest).tolist() == [bill.with_market_credit_n for bill in demo_run.outcome.bills]


def test_community_totals_equal_the_summary(demo_run, totals):
    summary = demo_run.outcome.summary
    assert (totals.slots, totals.complete_slots, totals.orders) == (168, 168, summary.orders)
    assert totals.traded_wh == summary.traded_wh
    assert (totals.energy_residual_wh, totals.money_residual_n) == (0, 0)
    imported = sum(member.import_wh for member in totals.members)
    assert totals.local_wh * 1_000_000 // imported == round(summary.local_share * 1_000_000)
    consumed = sum(member.consumption_wh for member in totals.members)
    kept = (consumed - totals.grid_import_wh) * 1_000_000 // consumed
    assert kept == round(summary.self_sufficiency * 1_000_000)
    assert totals.blocks == summary.chain.slot_commits


def test_totals_counted_slot_by_slot_equal_those_counted_at_once(demo_run, reader, run, totals):
    counter = Counter(reader)
    for slot in demo_run.slots:
        grown = counter.totals(run, RunProgress(slot, slot, slot))
    assert grown == totals


def test_totals_start_again_when_another_run_takes_the_folder(reader, run):
    counter = Counter(reader)
    far = reader.position()
    counter.totals(run, far)
    first = RunProgress(run.first_slot, run.first_slot, run.first_slot)
    assert counter.totals(run, first).slots == 1


def test_totals_are_the_same_for_readers_at_the_same_time(reader, run, totals):
    counter, found = Counter(reader), []
    threads = [
        threading.Thread(target=lambda: found.append(counter.totals(run, reader.position()).saved_n)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [totals.saved_n] * 4


def test_a_money_gap_in_one_slot_shows_in_the_books(demo_run, tmp_path):
    broken = tmp_path / "market.sqlite"
    broken.write_bytes((demo_run.folder / "market.sqlite").read_bytes())
    with closing(Store(tmp_path)) as store:
        slot, columns = next(each_slot(store, POSTINGS, has(POSTINGS.c.kinds, PostingKind.BOUGHT)))
        columns["amount_n"][np.flatnonzero(columns["kind"] == PostingKind.BOUGHT)[0]] += 7
        with store.transaction() as connection:
            SlotRows(connection, slot).put_block(POSTINGS, pack_postings(columns)[0], **pack_postings(columns)[1])
        reader = Reader(store)
        run = reader.run()
        assert run is not None
        totals = Counter(reader).totals(run, reader.position())
        assert totals.money_residual_n == 7
        assert issues(run, totals, WORDS)[0].title == "Money does not balance"


# -- a slot ---------------------------------------------------------------------------------------


def test_flows_of_every_slot_add_up_to_the_meters(demo_run, reader):
    for record in demo_run.records:
        readings = reader.readings(record.readings.slot)
        assert readings is not None
        assert readings.digest() == record.readings.digest()
        flow = Flow.of(readings)
        imported, exported = int(readings.import_wh.sum()), int(readings.export_wh.sum())
        from_sun = flow.sun_to_homes + flow.sun_to_batteries + flow.sun_to_grid
        assert from_sun == int(readings.generation_wh.sum())
        into_homes = flow.sun_to_homes + flow.batteries_to_homes + flow.grid_to_homes
        assert into_homes <= int(readings.consumption_wh.sum())
        assert flow.grid_to_homes + flow.grid_to_batteries == max(imported - exported, 0)
        assert flow.sun_to_grid + flow.batteries_to_grid == max(exported - imported, 0)
        assert min(getattr(flow, pipe.name) for pipe in PIPES) >= 0


def test_every_order_has_a_reason_that_its_figures_bear_out(demo_run, reader, run):
    seen = set()
    for record in demo_run.records:
        slot = record.orders.slot
        row = reader.slots(slot, slot)[0]
        found = books("uniform", row, reader.orders(slot), reader.refusals(slot), WORDS)
        assert sum(len(book.fates) for book in found) == len(record.orders)
        for fate in (fate for book in found for fate in book.fates):
            seen.add(fate.state)
            inside = fate.price >= row["price"] if fate.is_buy else fate.price <= row["price"]
            if not row["traded_wh"]:
                assert fate.allocated_wh == 0
                assert "no price suits" in fate.reason or "nobody" in fate.reason
            elif fate.state == "not filled" and "marginal" not in fate.reason:
                assert not inside
                assert "the price" in fate.reason
            else:
                assert inside
    assert seen == {"filled", "partly", "not filled"}


def test_refused_orders_and_advances_are_told_with_their_amounts(poor):
    run = poor.run()
    totals = Counter(poor).totals(run, poor.position())
    assert totals.refused > 0
    assert sum(member.advanced_n for member in totals.members) > 0
    titles = [issue.title for issue in issues(run, totals, WORDS)]
    assert any("refused" in title for title in titles)
    assert any("advanced" in title for title in titles)
    slot = next(slot for slot in range(run.first_slot, run.last_slot + 1, run.clock.length) if poor.refusals(slot))
    context = slot_page(poor, run, poor.position(), totals, OWNER, slot=slot, idle=0)
    outcomes = [cells[4:] for member in context["orders"]["homes"] for cells in member["rows"]]
    assert any(state == "refused" and "short of its lock" in reason for state, reason in outcomes)


# -- pages as data --------------------------------------------------------------------------------


def page(reader, run, totals, viewer=OWNER, chosen=None, position=None):
    return community_page(reader, run, position or reader.position(), totals, viewer, chosen=chosen, idle=0.0)


def test_members_stand_by_saving_and_sum_to_what_was_saved_together(reader, run, totals):
    context = page(reader, run, totals)
    saved = [member["saved_n"] for member in context["members"]]
    assert saved == sorted(saved, reverse=True)
    assert context["saved"] == WORDS.money(sum(saved))
    assert context["members"][0]["exact"] == WORDS.exact(saved[0])


def test_a_slot_further_back_moves_strip_and_day_to_it(reader, run, totals):
    chosen = parse_time("2017-06-06T05:00Z")
    context = page(reader, run, totals, chosen=chosen)
    assert [bar["slot"] for bar in context["strip"]["bars"] if bar["chosen"]] == [chosen]
    assert len(context["strip"]["bars"]) == 24
    assert context["day"]["title"] == "Monday 5 June 2017"
    assert (context["day"]["before"], context["day"]["after"]) == ("2017-06-05T05:00Z", "2017-06-07T05:00Z")
    assert len(context["day"]["rows"]) == 24
    assert {slot for slot, _, _ in context["choices"]} >= {bar["slot"] for bar in context["strip"]["bars"]}


@pytest.mark.parametrize("done", [0, 1, 30])
def test_a_page_in_the_middle_of_a_run_lights_delivery(reader, run, done):
    length = run.clock.length
    delivered = run.first_slot + (done - 1) * length if done else None
    position = RunProgress(run.first_slot + done * length, delivered, delivered)
    totals = Counter(reader).totals(run, position)
    context = page(reader, run, totals, position=position)
    assert context["now"]["settled"] == done
    assert context["now"]["slot"] == run.first_slot + done * length
    assert not context["now"]["final"]


def test_ledger_equals_chain_is_green_only_after_a_comparison(demo_run, reader, run):
    length = run.clock.length
    early = RunProgress(run.first_slot + length, run.first_slot, run.first_slot)
    assert proof(Counter(reader).totals(run, early), run, None, WORDS)["state"] == "none"
    assert proof(RunTotals([]), run, None, WORDS)["title"] == "Nothing on chain yet"
    later = RunProgress(*[run.first_slot + 40 * length] * 3)
    shown = proof(Counter(reader).totals(run, later), run, None, WORDS)
    compared = next(row for row in reader.slots(run.first_slot, run.last_slot) if row["checked"])
    assert (shown["state"], f"block {compared['number']}" in shown["title"]) == ("ok", True)
    end = proof(Counter(reader).totals(run, reader.position()), run, reader.outcome(), WORDS)
    assert f"block {demo_run.outcome.summary.chain.height}" in end["title"]


def test_a_members_page_shows_nobody_else(reader, run, totals):
    context = page(reader, run, totals, viewer=Viewer("member", "house-07"))
    assert [member["id"] for member in context["members"]] == ["house-07"]
    assert context["market"] is None
    assert all(issue.member in (None, run.names.index("house-07")) for issue in context["issues"])
    assert page(reader, run, totals, viewer=Viewer("grid"))["members"] == []


# -- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "price", "text", "unit"),
    [
        ("USD", 219_000, "21.9", "¢/kWh"),
        ("EUR", -4_999, "−0.5", "ct/kWh"),
        ("SEK", 219_000, "0.219", "SEK/kWh"),
        ("USD", 0, "0.0", "¢/kWh"),
    ],
)
def test_prices_are_written_in_the_communitys_coins(currency, price, text, unit):
    words = Words(currency)
    assert (words.price(price), words.price_unit) == (text, unit)


def test_money_is_rounded_for_the_eye_and_exact_in_the_tooltip():
    assert WORDS.money(-57_707_729) == "−0.06 USD"
    assert WORDS.exact(-57_707_729) == "−0.057707729 USD"
    assert WORDS.exact(1_234_000_000_001) == "1,234.000000001 USD"


@pytest.mark.parametrize(("part", "whole", "shown"), [(1, 3, 33), (3, 3, 100), (5, 3, 100), (-1, 3, 0), (0, 0, 100)])
def test_shares_stay_between_nothing_and_all(part, whole, shown):
    assert percent(part, whole) == shown


def test_times_are_utc_and_say_so_in_the_api():
    assert WORDS.span(1_497_222_000, 3_600) == "23:00–00:00"
    assert stamp(1_496_620_800) == "2017-06-05T00:00:00Z"


@pytest.mark.parametrize(
    ("seconds", "text"), [(38, "38 s"), (300, "5 min"), (7_300, "2 h"), (200_000, "2 days"), (100, "100 s")]
)
def test_durations_in_their_largest_unit(seconds, text):
    assert span_of_time(seconds) == text


def test_one_is_not_many():
    assert (counted(1, "slot"), counted(1_200, "slot"), counted(0, "bundle")) == ("1 slot", "1,200 slots", "0 bundles")


@pytest.mark.parametrize("high", [0.3, 1, 7.4, 40, 66.7, 5_000])
def test_axes_have_few_round_marks_and_reach_the_top(high):
    marks = ticks(high, 4)
    assert marks[0] == 0
    assert high <= marks[-1] <= 3 * high
    assert 2 <= len(marks) <= 5


def test_every_kind_of_posting_has_a_title():
    assert set(POSTED) == set(PostingKind)
