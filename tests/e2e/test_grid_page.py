"""The grid page in a browser: lines, forecasts and what was asked for them, without a member's name or price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.test_page import AXE, opened
from tests.integration.test_grid_operator import TIGHT, tight
from tests.unpacked import unpacked
from transactive.cli.token.actions import create_token
from transactive.core.slots import time_text
from transactive.engine.replay import replay, slots_from
from transactive.web.serving.server import PageServer

pytestmark = pytest.mark.service  # a browser

NAMES = ('"a"', '"b"', '"c"')


@dataclass(frozen=True)
class Kept:
    """A finished run that kept its lines, and its page."""

    url: str
    folder: Path
    slots: range

    def ask(self, question: str, *values: int) -> list[tuple[int, ...]]:
        with unpacked(self.folder) as database:
            return database.execute(question, values).fetchall()


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Iterator[Kept]:
    """A day and a half of three homes on lines that are too thin for their sun; one is too thin for its load."""
    folder = tmp_path_factory.mktemp("grid")
    network = TIGHT.replace("limit_wh = 2_900", "limit_wh = 2_000\nlimit_back_wh = 2_900")
    setting = tight(folder, network=network.replace("limit_wh = 4_800", "limit_wh = 3_500"))
    slots = slots_from(setting)[:30]
    replay(setting, slots, folder, seed="x")
    server = PageServer(folder, 8460, is_open=True)
    server.start()
    try:
        yield Kept(server.url.rstrip("/"), folder, slots)
    finally:
        server.stop()


def percent(kept: Kept, slot: int) -> int:
    """Loading of the fullest line in a slot [%], from the database; rounded up beyond its limit."""
    limits = {0: (8_000, 4_000), 1: (3_500, 600), 2: (2_000, 2_900)}
    found = 0
    for line, flow in kept.ask("select line, flow_wh from line_loads where slot = ?", slot):
        limit, size = limits[line][flow < 0], abs(flow)
        found = max(found, -(-100 * size // limit) if size > limit else 100 * size // limit)
    return found


def test_its_figures_are_those_of_the_run(chromium, kept: Kept) -> None:
    held, paid = kept.ask("select sum(energy_wh), sum(amount_n) from interventions where kind = 3")[0]
    asked = kept.ask("select coalesce(sum(amount_n), 0) from interventions")[0][0]
    posted = kept.ask("select sum(amount_n) from postings where kind in (20, 21)")[0][0]
    assert asked == posted > paid > 0
    with opened(chromium, f"{kept.url}/grid") as page:
        kpis = [text.split("\n") for text in page.locator(".kpi").all_inner_texts()]
        assert kpis[0][1].startswith(f"{held / 1000:.1f} kWh in")
        assert kpis[2][1] == f"{asked / 10**9:.2f} EUR"
        assert page.locator("#strip a").count() == 24
        rows = page.locator("#n-held tbody tr")
        assert rows.count() == kept.ask("select count(*) from interventions where kind = 3")[0][0]
        assert page.locator("#n-nodes tbody tr").count() == 4


def test_slots_are_chosen_and_say_when_a_line_passed_its_limit(chromium, kept: Kept) -> None:
    over = kept.ask("select slot from interventions where kind = 4 order by slot")[0][0]
    with opened(chromium, f"{kept.url}/grid") as page:
        page.locator("#earlier").click()
        page.get_by_role("link", name="Newest slot").wait_for()
        page.goto(f"{kept.url}/grid?slot={time_text(over)}")
        assert "over the limit" in page.locator("h1").inner_text()
        assert page.locator(".badge.bad").count() == 1
        assert "load over" in page.locator("#network").inner_html()
        assert f"at {percent(kept, over)} %" in str(page.locator("#strip a[aria-current]").get_attribute("title"))
        assert page.locator("#open tbody tr").count() >= 1
        assert page.locator("#ahead tbody tr").count() == 3
        assert "came" in page.locator("#ahead").inner_text()


def test_the_operator_is_told_of_a_line_that_no_device_could_keep(chromium, kept: Kept) -> None:
    (slots,), *_ = kept.ask("select count(*) from interventions where kind = 4 group by line")
    with opened(chromium, kept.url) as page:
        issue = page.locator(".issues li", has_text="passed its limit").first
        assert f"in {slots} slot" in issue.inner_text()
        assert "that no device could take or give" in issue.inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_it_fits_and_axe_finds_no_fault(chromium, kept: Kept, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900}
    with opened(chromium, f"{kept.url}/grid", viewport=size, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found] == []


def test_the_grid_operators_token_sees_lines_and_no_member(chromium, kept: Kept) -> None:
    token = create_token(kept.folder, "grid", None)
    headers = {"Authorization": f"Bearer {token}"}
    with opened(chromium, f"{kept.url}/grid", extra_http_headers=headers) as page:
        shown = {link.strip() for link in page.locator(".nav a").all_inner_texts()}
        assert "Grid" in shown
        assert not shown & {"Community", "Member", "Carbon", "Compare"}
        assert page.locator("#network").count() == 1
        for path in ("loads", "forecasts", "interventions"):
            answer = page.request.get(f"{kept.url}/api/v1/grid/{path}?limit=1000")
            assert answer.ok
            text = answer.text()
            assert not any(name in text for name in NAMES)
            assert len(answer.json()["items"]) > 5
        assert page.request.get(f"{kept.url}/api/v1/postings").status == 403
    member = {"Authorization": f"Bearer {create_token(kept.folder, 'member', 'a')}"}
    with opened(chromium, f"{kept.url}/member", extra_http_headers=member) as page:
        assert page.request.get(f"{kept.url}/grid").status == 403
        assert page.request.get(f"{kept.url}/api/v1/grid/loads").status == 403
