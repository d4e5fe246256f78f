"""Why a battery did what it did: levels that add up over days, and a reason for each slot that its meters bear out."""

from contextlib import closing
from itertools import pairwise

from tests.integration.test_api import serving
from transactive.core.community.members import Member
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.store.read.totals import Counter
from transactive.texts.formatting import Words
from transactive.web.pages.parts.battery import battery_part, battery_slots

WORDS, HOUR = Words("USD"), 3_600
HOME = Member(id="a", pv_w=5_000, battery_wh=10_000, battery_w=5_000, battery_efficiency_ppm=900_000)


def row(slot: int, **given: int) -> dict[str, int]:
    nothing = dict.fromkeys(("generation_wh", "consumption_wh", "charge_wh", "discharge_wh", "traded_wh", "price"), 0)
    return {**nothing, "slot": slot * HOUR, "supply_price": 200_000, **given}


def test_each_slot_has_the_reason_that_its_meters_bear_out():
    day = [
        row(0, consumption_wh=500),
        row(1, consumption_wh=500, charge_wh=1_000, traded_wh=1, price=100_000),
        row(2, generation_wh=3_000, consumption_wh=500, charge_wh=2_500),
        row(3, generation_wh=3_000, charge_wh=6_490),
        row(4, generation_wh=3_000, consumption_wh=500),
        row(5, consumption_wh=700, traded_wh=1, price=150_000),
        row(6, consumption_wh=900, discharge_wh=900, supply_price=440_000),
        row(7, consumption_wh=900, discharge_wh=2_000, supply_price=300_000, traded_wh=1, price=250_000),
        row(8),
    ]
    slots = battery_slots(day, HOME, 10, HOUR, WORDS)
    use = " for 06:00–07:00, when the supplier asks 44.0 ¢/kWh"
    assert [slot.reason for slot in slots] == [
        "Empty: the home took what it needed from the street.",
        f"Charged from the street at 10.0 ¢/kWh{use}.",
        f"Stored what the home had to spare{use}.",
        f"Stored what the home had to spare, and took more from the street{use}.",
        "Full: what the home had to spare went to the street.",
        f"Kept 10.0 kWh{use}; the home took what it needed from the street at 15.0 ¢/kWh.",
        "Served the home: the supplier asks 44.0 ¢/kWh.",
        "Served the home, and gave the rest to the street at 25.0 ¢/kWh.",
        "The home neither needed anything nor had anything to spare.",
    ]
    assert [slot.after_wh for slot in slots] == [10, 1_010, 3_510, 10_000, 10_000, 10_000, 9_000, 6_777, 6_777]
    assert all(one.after_wh == two.before_wh for one, two in pairwise(slots))


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
                assert card["rows"][-1][3] == f"{totals.members[member].charged_wh / 1000:.2f}"


def test_the_member_page_shows_the_battery_of_any_day(demo_run):
    with serving(demo_run.folder) as client:
        page = client.get("/member?member=house-17&day=2017-06-08").text
    assert "Why your battery did that" in page
    assert page.count("Served the home") + page.count("Stored what the home had to spare") > 5
