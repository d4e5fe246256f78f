"""The carbon page in a browser: the figures of the run, for all homes and for one, day by day."""

from __future__ import annotations

import pytest

from tests.e2e.test_page import AXE, opened
from tests.unpacked import unpacked

pytestmark = pytest.mark.service  # a browser


def sums(two_days, member=None):
    """Consumption [Wh], both footprints [mg] and certificates claimed [Wh], from the run's database."""
    mine, owner = ("", "") if member is None else (f"where member = {member}", f"and owner = {member}")
    used = "import_wh + generation_wh + discharge_wh - export_wh - charge_wh"
    with unpacked(two_days.folder) as database:
        figures = database.execute(
            f"select sum({used}), sum(location_mg), sum(market_mg) from readings {mine}"
        ).fetchone()
        claimed = database.execute(f"select sum(energy_wh) from certificates where state = 3 {owner}").fetchone()[0]
    return (*figures, claimed)


def cell(page, row, column):
    return page.locator("#sources tbody tr").nth(row).locator("td").nth(column).inner_text().split()[-1]


@pytest.mark.parametrize(("query", "member"), [("", None), ("?member=house-04", 3)])
def test_its_figures_are_those_of_the_run(chromium, two_days, query, member):
    used, location, market, claimed = sums(two_days, member)
    with opened(chromium, f"{two_days.url}/carbon{query}") as page:
        assert page.locator("h1").inner_text() == f"{claimed * 100 // used} % certified in the same slot"
        text = page.locator(".head p").inner_text()
        assert f"{location // 10_000 / 100:,.2f} kg CO₂e by location" in text
        assert f"{market // 10_000 / 100:,.2f} kg by claims" in text
        kwh = sum(float(cell(page, row, 0).replace(",", "")) for row in range(5))
        assert abs(kwh - used / 1000) < 0.3
        assert page.locator("#spans tbody tr").count() == 3, "two days in UTC lie in three there"
        page.get_by_text("transactive verify", exact=False).wait_for()


def test_offsets_are_shown_by_day_home_and_receipt(chromium, two_days):
    with opened(chromium, f"{two_days.url}/carbon") as page:
        homes = page.locator("#offsets tbody tr").all_inner_texts()
        assert [home.split()[0] for home in homes] == ["house-04", "house-08"]
        retired = sum(int(home.split()[1]) for home in homes)
        days = page.locator("#spans tbody tr")
        assert sum(int(days.nth(n).locator("td").nth(6).inner_text()) for n in range(days.count())) == retired > 0
    with opened(chromium, f"{two_days.url}/carbon?member=house-08") as page:
        page.get_by_text("Show numbers").last.click()
        page.get_by_text("EXAMPLE-STOVES-2015-0001", exact=False).first.wait_for()
        assert page.locator("#offsets tbody tr").count() == 1


@pytest.mark.parametrize(("query", "member"), [("", None), ("?member=house-04", 3)])
def test_what_became_of_certificates_adds_up_to_what_was_issued(chromium, two_days, query, member):
    mine = "" if member is None else f"where device / 2 = {member}"
    with unpacked(two_days.folder) as database:
        issued = database.execute(f"select sum(energy_wh) from certificates {mine}").fetchone()[0]
    with opened(chromium, f"{two_days.url}/carbon{query}") as page:
        rows = page.locator("#certificates tbody tr")
        shown = [rows.nth(k).locator("td").first.inner_text().replace(",", "") for k in range(rows.count())]
        assert round(sum(map(float, shown)) * 1000) == issued
        page.get_by_text("transactive certificates list", exact=False).wait_for()


def test_another_home_and_another_day_are_chosen(chromium, two_days):
    with opened(chromium, f"{two_days.url}/carbon") as page:
        page.get_by_text("Tuesday 6 June 2017", exact=False).wait_for()
        page.get_by_label("Day before").click()
        page.get_by_text("Monday 5 June 2017", exact=False).wait_for()
        page.get_by_label("Whose carbon").select_option("house-09")
        page.get_by_text("house-09 used", exact=False).wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_it_fits_and_axe_finds_no_fault(chromium, two_days, width, scheme):
    size = {"width": width, "height": 900}
    with opened(chromium, f"{two_days.url}/carbon", viewport=size, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        grave = [(v["id"], v["nodes"][0]["html"][:120]) for v in found]
        assert grave == []
