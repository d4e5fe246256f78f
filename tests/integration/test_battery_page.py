"""Why a battery did what it did: levels that add up over days, and the reasons that its own plan weighed."""

from contextlib import closing

import pytest

from tests.integration.conftest import call
from tests.integration.test_api import serving
from transactive.services.battery_days import BatteryDay, battery_day
from transactive.services.privacy import consents
from transactive.store import Store
from transactive.store.devices.plans import plans_of
from transactive.store.read.runs import Reader
from transactive.store.read.totals import Counter
from transactive.texts.formatting import Words
from transactive.web.pages.parts.battery import battery_part

HOUR, DAY = 3_600, 86_400


@pytest.fixture(scope="module")
def days(demo_run) -> list[BatteryDay]:
    """Every day of every battery of the demo."""
    with closing(Store(demo_run.folder)) as store:
        reader = Reader(store)
        run, position = reader.run(), reader.position()
        assert run is not None
        assert position.delivered is not None
        totals, found = Counter(reader).totals(run, position), []
        words = Words(run.community.currency, run.community.zone)
        for member, device in enumerate(run.community.members):
            start = words.day_start(run.first_slot)
            while start <= position.delivered:
                held = device.battery_initial_wh + totals.days.before(start, "charged_wh", member)
                day = battery_day(reader, run, member, held, start, position.delivered)
                assert (day is None) == (device.battery_wh == 0)
                found += [day] if day else []
                start = words.next_day(start)
    return found


def test_each_slot_of_a_run_is_explained_by_its_own_plan(days):
    slots = [slot for day in days for slot in day.delivered]
    assert len(slots) > 100
    assert all(slot.planned is not None and slot.planned.slot == slot.row["slot"] for slot in slots)
    assert all(slot.planned.made < slot.row["slot"] for slot in slots)
    assert all(slot.why.rule_wh is None for slot in slots)  # nothing holds these batteries back
    moved = [slot for slot in slots if slot.row["charge_wh"] or slot.row["discharge_wh"]]
    by_trade = [slot for slot in moved if slot.why.worth is None]
    assert all(slot.row["bought_wh"] != slot.row["sold_wh"] for slot in by_trade)
    assert 0 < len(by_trade) < len(moved)
    moved = [slot for slot in moved if slot.why.worth is not None]
    assert all(slot.why.otherwise_n is not None and slot.why.otherwise_n > -1_000_000 for slot in moved)  # a Wh


def test_what_a_run_expects_is_a_band_that_most_levels_lie_in(days):
    slots = [slot for day in days for slot in day.delivered]
    for slot in slots:
        low, middle, high = slot.planned.held_wh
        assert low <= middle <= high
    inside = sum(slot.planned.held_wh[0] <= slot.after_wh <= slot.planned.held_wh[2] for slot in slots)
    assert inside * 2 > len(slots)


def test_a_day_shows_what_the_next_one_was_planned_to_be(days):
    assert all(not day.rest for day in days[:1])
    coming = [day for day in days if day.next_day]
    assert coming
    for day in coming:
        assert day.made is not None
        assert day.next_day[0].planned.slot - day.start in range(23 * HOUR, 26 * HOUR)


def test_a_plan_that_is_there_stays_and_one_that_is_damaged_is_told(demo_run, tmp_path):
    with closing(Store(demo_run.folder)) as store:
        plans = list(plans_of(store, 0, 2**60))
        assert len(plans) == 7
        assert [plan.slots[0] for plan in plans] == sorted((plan.slots[0] for plan in plans), reverse=True)


def test_levels_of_days_join_and_end_where_the_run_does(demo_run):
    with closing(Store(demo_run.folder)) as store:
        reader = Reader(store)
        run, position = reader.run(), reader.position()
        assert run is not None
        assert position.delivered is not None
        totals = Counter(reader).totals(run, position)
        words = Words(run.community.currency, run.community.zone)
        for member, device in enumerate(run.community.members):
            start = words.day_start(position.delivered)
            held = device.battery_initial_wh + totals.days.before(start, "charged_wh", member)
            assert 0 <= held <= device.battery_wh
            card = battery_part(reader, run, member, held, start, position.delivered)
            assert (card is None) == (device.battery_wh == 0)
            if card is not None:
                assert card["rows"][-1][4] == f"{totals.members[member].charged_wh / 1000:.2f}"


def test_the_member_page_shows_the_battery_of_any_day(demo_run):
    with serving(demo_run.folder) as client:
        page = client.get("/member?member=house-17&day=2017-06-08").text
    assert "Why your battery did that" in page
    assert page.count("Served the home with") + page.count("that the home had to spare") > 5
    assert page.count("Otherwise the plan would have cost") > 5
    assert "as planned</h3>" in page


def test_programs_read_the_same_reasons(demo_run):
    with serving(demo_run.folder) as client:
        told = client.get("/api/v1/battery?member=house-17&day=2017-06-08").json()
        refused = client.get("/api/v1/battery?member=house-17&day=2018-06-08")
    assert len(told["delivered"]) == 24
    assert sum(slot["worth_micro_per_kwh"] is not None for slot in told["delivered"]) > 5
    assert len(told["next_day"]) > 12
    assert refused.status_code == 404


def test_schedule_why_tells_a_day_in_words(demo_run):
    told = call("schedule", "why", "--member", "house-17", "--state", str(demo_run.folder), "--day", "2017-06-08")
    assert told.out.count("Otherwise the plan would have cost") > 5


def test_without_consent_nobody_else_sees_what_a_plan_expects(demo_run, monkeypatch):
    monkeypatch.setattr(consents, "withheld", lambda _folder, community, *_: set(range(len(community.members))))
    with closing(Store(demo_run.folder)) as store:
        run = Reader(store).run()
    assert run is not None
    community = run.community
    member = next(each.id for each in community.members if each.battery_wh)
    assert consents.sees_forecasts(demo_run.folder, community, community.ids.index(member), member)
    with serving(demo_run.folder) as client:
        found = client.get(f"/api/v1/battery?member={member}").json()
        page = client.get(f"/member?member={member}").text
    assert found["delivered"]
    assert found["rest"] == found["next_day"] == []
    assert {slot["planned_net_load_wh"] for slot in found["delivered"]} == {None}
    assert "did not agree that others see its forecasts" in page
