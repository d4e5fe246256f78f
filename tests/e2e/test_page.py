"""The page as people meet it: it fills while the run goes on, obeys the keyboard, and hides nothing from anybody."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import LIMIT_SECONDS
from transactive.core.units import kwh_text, money_text
from transactive.texts.formatting import Words

pytestmark = pytest.mark.service  # a browser

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
SLOT = "2017-06-06T22:00Z"
QUIET_SLOT = "2017-06-05T02:00Z"
LOOKS = [
    (360, "dark"),
    (1440, "light"),
    pytest.param(360, "light", marks=pytest.mark.long),  # each width and each scheme has been seen by then
    pytest.param(1440, "dark", marks=pytest.mark.long),
]
PAGES = ("/", f"/slots/{SLOT}", f"/slots/{QUIET_SLOT}")


@contextmanager
def opened(chromium, url: str, *, quiet: bool = True, **context: Any) -> Iterator[Any]:
    """A page in a browser of its own that must stay free of faults and of requests to anybody else."""
    own = url.split("/", 3)[2]
    browser = chromium.new_context(**{"viewport": {"width": 1440, "height": 900}, **context})
    browser.set_default_timeout(1000 * LIMIT_SECONDS)
    page, faults = browser.new_page(), []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: None if asked.url.split("/", 3)[2] == own else faults.append(asked.url))
    page.on("response", lambda answer: faults.append(answer.url) if answer.status >= 400 else None)
    try:
        page.goto(url)
        yield page
        assert faults == [] or not quiet
    finally:
        browser.close()


@pytest.fixture
def done(live):
    """Address of the finished run."""
    live.finish()
    return live.url


def api(page, url: str) -> Any:
    return page.request.get(url).json()


# -- live: first in this file, while the run is still to come -----------------------------------------


def test_a_page_opened_before_the_run_fills_by_itself_and_keeps_what_was_opened(chromium, live):
    with opened(chromium, live.url) as page, opened(chromium, f"{live.url}/member") as home:
        page.get_by_role("heading", name="The run is starting").wait_for()
        home.get_by_role("heading", name="The run is starting").wait_for()
        page.evaluate("window.same = true")
        live.begin()
        home.get_by_role("heading", name="My home").wait_for()  # not another page
        page.locator("#clock").wait_for()
        page.locator("#n-served summary").click()
        page.locator("#n-served table").wait_for()
        page.get_by_text("Last slot, final").wait_for()
        page.get_by_text("compared there").wait_for()
        assert page.locator("#n-served").get_attribute("open") is not None
        assert page.locator("#clock text").first.text_content() == str(len(live.slots))
        assert page.evaluate("window.same") is True
        page.locator("#main:not([data-refresh])").wait_for()
        home.locator("#fresh:not([data-live])").wait_for()
        assert "all slots read" in home.locator("#fresh").inner_text()


def test_a_chosen_slot_stays_chosen_while_news_come(chromium, live, tmp_path_factory):
    live.finish()
    with opened(chromium, f"{live.url}/?slot={QUIET_SLOT}") as page:
        assert page.locator("#strip [aria-current]").get_attribute("aria-label").startswith("19:00–20:00, 4 June")
        page.locator("#follow").click()
        page.locator("#follow").wait_for(state="detached")
        assert page.locator("#strip [aria-current]").get_attribute("aria-label").startswith("16:00–17:00, 6 June")


@pytest.mark.parametrize("path", ["", "carbon"])
def test_a_page_whose_server_is_gone_says_so(chromium, demo_half, path):
    with opened(chromium, f"{demo_half.url}{path}", quiet=False) as page:
        page.locator("#fresh[data-state='fresh']").wait_for()
        demo_half.stop()
        page.get_by_text("connection lost").wait_for()


# -- figures ------------------------------------------------------------------------------------------


def test_members_figures_are_the_apis_to_the_last_unit(chromium, done):
    with opened(chromium, done) as page:
        members = api(page, f"{done}/api/v1/members")["items"]
        rows = page.locator("table.members tbody tr")
        assert rows.count() == len(members) == 14
        for member in members:
            row = rows.filter(has_text=member["id"])
            saved = int(member["saved_n"])
            assert row.locator(".fig").last.get_attribute("title") == Words("USD").exact(saved)
            assert money_text(saved, "USD") in row.inner_text()
            assert kwh_text(member["bought_wh"]) in row.inner_text()
        together = money_text(int(api(page, f"{done}/api/v1/summary")["saved_n"]), "USD")
        assert together in page.locator(".head p").inner_text()
        assert f"{together} saved together" in page.locator("main").inner_text()


def test_the_tables_behind_the_charts_are_the_apis(chromium, done):
    with opened(chromium, done) as page:
        for summary in page.locator("details.nums summary").all():
            summary.click()
        slots = api(page, f"{done}/api/v1/slots")["items"]
        last, day = slots[-24:], [slot for slot in slots if slot["slot"] >= "2017-06-06T07"]  # midnight there
        served, traded = (page.locator(f"#{name} tbody tr") for name in ("n-served", "n-day"))
        assert (served.count(), traded.count()) == (24, len(day)) == (24, 17)
        for slot, first in zip(last, served.all(), strict=True):
            assert first.locator("td").nth(1).inner_text() == kwh_text(slot["consumption_wh"], 3)
        for slot, second in zip(day, traded.all(), strict=True):
            price = "–" if slot["price"] is None else Words("USD").price(slot["price"], 2)
            assert second.locator("td").nth(1).inner_text() == price
            assert second.locator("td").nth(2).inner_text() == kwh_text(slot["traded_wh"], 3)


def test_orders_of_a_slot_say_why_and_equal_the_apis(chromium, done):
    with opened(chromium, f"{done}/slots/{SLOT}") as page:
        orders = api(page, f"{done}/api/v1/orders?slot={SLOT}&limit=1000")["items"]
        for summary in page.locator("details.book summary").all():
            summary.click()
        rows = page.locator("details.book tbody tr").all_inner_texts()
        assert len(rows) == len(orders) > 100
        for state in ("filled", "not filled"):
            told = sum(re.search(rf"\t{state}(?! at)", row) is not None for row in rows)
            assert told == sum(order["state"] == state for order in orders) > 0
        assert any("below the price" in row or "above the price" in row for row in rows)


# -- choosing a slot ----------------------------------------------------------------------------------


def test_arrows_home_and_end_choose_a_slot_without_a_reload(chromium, done):
    with opened(chromium, done) as page:
        page.evaluate("window.same = true")
        page.locator("#strip [aria-current]").focus()
        for key, label in (("ArrowLeft", "15:00–16:00"), ("Home", "17:00–18:00"), ("ArrowRight", "18:00–19:00")):
            page.keyboard.press(key)
            page.locator(f"#strip [aria-current][aria-label^='{label}']").wait_for()
            page.locator(f"#curve svg[aria-label='Supply and demand for {label}']").first.wait_for(state="attached")
            assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(label)
        page.keyboard.press("End")
        page.locator("#strip [aria-current][aria-label^='16:00–17:00']").wait_for()
        page.go_back()
        page.locator("#strip [aria-current][aria-label^='18:00–19:00']").wait_for()
        assert page.evaluate("window.same") is True


def test_select_and_days_choose_a_slot_too(chromium, done):
    with opened(chromium, done) as page:
        page.locator("#slot").select_option("2017-06-06T10:00Z")
        page.locator("#curve svg[aria-label='Supply and demand for 03:00–04:00']").first.wait_for(state="attached")
        page.locator("#day-before").click()
        page.get_by_text("Monday 5 June 2017,").wait_for()
        page.locator("#day-before").click()
        page.get_by_text("Sunday 4 June 2017,").wait_for()
        assert page.locator("#day-before").count() == 0


def test_slots_can_be_chosen_without_a_script(chromium, done):
    with opened(chromium, done, java_script_enabled=False) as page:
        page.locator("#strip a").first.click()
        page.wait_for_url("**/?slot=2017-06-06T00:00Z")
        assert page.locator("#strip [aria-current]").count() == 1


def test_the_strip_is_one_stop_of_the_tab_key(chromium, done):
    with opened(chromium, done) as page:
        assert page.locator("#strip a[tabindex='0']").count() == 1
        assert page.locator("#strip a").count() == 24


# -- for everybody ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_no_fault(chromium, done, path, scheme, width):
    with opened(
        chromium, done + path, color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    ) as page:
        page.evaluate(AXE)
        for shown in ("closed", "open"):
            page.evaluate(
                f"document.querySelectorAll('details').forEach((d) => (d.open = {json.dumps(shown == 'open')}))"
            )
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
            grave = [(v["id"], v["nodes"][0]["html"][:120]) for v in found]
            assert grave == [], json.dumps(grave, indent=1)


def test_the_theme_can_be_turned_and_is_kept(chromium, done):
    with opened(chromium, done, color_scheme="light") as page:
        light = page.evaluate("getComputedStyle(document.body).color")
        page.locator("#theme").click()
        assert page.evaluate("getComputedStyle(document.body).color") != light
        page.reload()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_nothing_moves_for_those_who_asked_for_rest(chromium, done):
    with opened(chromium, done, reduced_motion="reduce") as page:
        assert page.evaluate("document.getAnimations().length") == 0


def test_paper_shows_the_tables_and_no_buttons(chromium, done):
    with opened(chromium, done) as page:
        page.emulate_media(media="print")
        page.locator("#n-day table").wait_for()
        assert not page.locator("#theme").is_visible()


def test_every_focus_can_be_seen(chromium, done):
    with opened(chromium, done) as page:
        for _ in range(12):
            page.keyboard.press("Tab")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("path", ["", "/slots/2017-06-05T20:00Z"])
def test_nothing_is_wider_than_the_window(chromium, done, width, path):
    with opened(chromium, done + path, viewport={"width": width, "height": 900}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_keys_reach_every_control(chromium, done):
    with opened(chromium, done) as page:
        reachable = page.evaluate(
            """() => [...document.querySelectorAll('a[href], button, select, summary, input')]
                .filter(e => e.checkVisibility() && e.tabIndex >= 0 && !e.disabled).length"""
        )
        seen = set()
        for _ in range(reachable + 10):
            page.keyboard.press("Tab")
            seen.add(page.evaluate("() => [...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert len(seen - {-1, 0}) >= reachable
