"""The member page in a browser: the figures of one home's books, day by day."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise

import pytest

from tests.e2e.test_page import AXE, opened
from tests.unpacked import unpacked
from transactive.core.slots import parse_time
from transactive.store import Store
from transactive.store.read.advice import read_advice

pytestmark = pytest.mark.service  # a browser

HOME = 3


def ask(two_days, question: str, *values: int):
    with unpacked(two_days.folder) as database:
        return database.execute(question, values).fetchone()


def saved(two_days, first: int, last: int) -> int:
    """What the home saved in slots of a span [n¤], from the run's database."""
    amount: int = ask(
        two_days,
        "select sum(baseline_import_wh * supply_price - baseline_export_wh * feed_in + net_n) - coalesce((select"
        " sum(amount_n) from postings where kind = 13 and payee = ?1 and slot between ?2 and ?3), 0)"
        " from readings join clearings using (slot) where member = ?1 and slot between ?2 and ?3",
        *(HOME, first, last),
    )[0]
    return amount


def test_its_figures_are_those_of_the_home(chromium, two_days):
    day = parse_time("2017-06-06T07:00Z")  # midnight in Los Angeles
    with opened(chromium, f"{two_days.url}/member?member=house-04") as page:
        exact = page.locator("#h-today").get_attribute("title")
        amount = saved(two_days, day, day + 86_400 - 1)
        assert exact == f"{'−' if amount < 0 else ''}{abs(amount) // 10**9}.{abs(amount) % 10**9:09d} USD"
        whole = page.locator("#reasons tr.total td").get_attribute("title")
        amount = saved(two_days, 0, two_days.slots[-1])
        assert whole == f"{'−' if amount < 0 else ''}{abs(amount) // 10**9}.{abs(amount) % 10**9:09d} USD"
        with closing(Store(two_days.folder)) as store:
            told = read_advice(store, HOME)
        assert told is not None
        assert page.locator("#advice b").all_inner_texts() == [one.title for one in told[1]]
        used = "import_wh + generation_wh + discharge_wh - export_wh - charge_wh"
        consumed = ask(two_days, f"select sum({used}) from readings where member = ? and slot >= ?", HOME, day)[0]
        shown = sum(float(cell.split()[0]) for cell in page.locator("#origin td:nth-of-type(1)").all_inner_texts())
        assert shown == pytest.approx(consumed / 1000, abs=0.25)
        assert page.locator("#n-day tbody tr").count() == (two_days.slots.stop - day) // 3_600


def test_another_home_and_another_day_are_chosen(chromium, two_days):
    with opened(chromium, f"{two_days.url}/member") as page:
        page.get_by_text("house-01 · 4 kW solar", exact=False).wait_for()
        page.get_by_label("Day before").click()
        page.get_by_text("Monday 5 June 2017, Los Angeles (UTC−7)").wait_for()
        page.get_by_label("Whose home").select_option("house-09")
        page.get_by_text("house-09 · 4 kW solar", exact=False).wait_for()
        page.get_by_text("Open this slot", exact=False).click()
        page.get_by_text("Seven steps").wait_for()


def test_times_are_local_and_a_browser_elsewhere_is_told_so_once(chromium, two_days):
    context = chromium.new_context(timezone_id="Europe/Vienna")
    page = context.new_page()
    try:
        page.goto(f"{two_days.url}/member?member=house-04")
        page.get_by_text("Times are those of the community (Los Angeles)").wait_for()
        first = page.locator("#n-day time").first
        assert (first.text_content(), first.get_attribute("title")) == ("00:00–01:00", "2017-06-06T07:00Z")
        page.get_by_role("button", name="I see").click()
        page.reload()
        page.locator("#n-day time").first.wait_for(state="attached")
        assert not page.locator("#zone").is_visible()
    finally:
        context.close()
    with opened(chromium, f"{two_days.url}/member", timezone_id="America/Los_Angeles") as at_home:
        assert not at_home.locator("#zone").is_visible()


def test_the_cheapest_hours_are_the_same_on_both_cards(chromium, two_days):
    with opened(chromium, f"{two_days.url}/member?member=house-04") as page:
        start, end = page.locator(".mid-num").inner_text().split("–")
        advice = page.locator("#advice").inner_text()
        assert "cheapest hours" not in advice or f"is used between {start} and {end} instead" in advice


def test_the_words_of_the_menu_do_not_touch_on_a_phone(chromium, two_days):
    with opened(chromium, f"{two_days.url}/member", viewport={"width": 360, "height": 740}) as page:
        boxes = page.evaluate(
            "[...document.querySelectorAll('.nav a')].map(a => { const range = document.createRange();"
            " range.selectNodeContents(a.lastChild); const box = range.getBoundingClientRect();"
            " return [box.left, box.right, a.clientHeight] })"
        )
        assert len(boxes) == 9
        assert all(before[1] + 4 <= after[0] for before, after in pairwise(boxes))
        assert all(height >= 54 for *_, height in boxes)


def test_paper_has_light_colours_and_no_filled_discs(chromium, two_days):
    with opened(chromium, two_days.url, color_scheme="dark") as page:
        page.emulate_media(media="print", color_scheme="dark")
        found = page.evaluate(
            "[getComputedStyle(document.body).color,"
            " getComputedStyle(document.querySelector('.slotline .done .dot')).backgroundColor,"
            " getComputedStyle(document.querySelector('figure.plot svg.narrow')).display]"
        )
        assert found == ["rgb(22, 33, 28)", "rgba(0, 0, 0, 0)", "none"]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_it_fits_and_axe_finds_no_fault(chromium, two_days, width, scheme):
    size = {"width": width, "height": 900}
    with opened(chromium, f"{two_days.url}/member?member=house-10", viewport=size, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        grave = [(v["id"], v["nodes"][0]["html"][:120]) for v in found]
        assert grave == []
