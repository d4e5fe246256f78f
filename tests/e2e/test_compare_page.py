"""The compare page in a browser: it says how to fill it, then shows what the API says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.test_page import AXE, opened
from tests.integration.samples import write_community
from transactive.cli.compare.mechanisms import keep
from transactive.config.setting import load_setting
from transactive.core.units import money_text
from transactive.engine.replay import slots_from
from transactive.insight.studies.comparison import Comparison
from transactive.studies.compare import compare, variants
from transactive.web.serving.server import PageServer

pytestmark = pytest.mark.service  # a browser

NAMES = ["uniform", "pay_as_bid", "continuous"]


@dataclass(frozen=True)
class Compared:
    """A page over a folder that holds nothing but a comparison."""

    url: str
    comparison: Comparison
    folder: Path


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> Iterator[Compared]:
    folder = tmp_path_factory.mktemp("compared")
    setting = load_setting(write_community(tmp_path_factory.mktemp("three")))
    comparison = compare(setting, slots_from(setting), variants(NAMES), workers=1)
    server = PageServer(folder, 8460, is_open=True)
    server.start()
    try:
        yield Compared(f"{server.url}compare", comparison, folder)
    finally:
        server.stop()


def test_an_empty_page_says_which_command_fills_it_and_then_shows_it(chromium, compared):
    with opened(chromium, compared.url) as page:
        page.get_by_role("heading", name="Nothing is compared yet").wait_for()
        assert f"transactive compare demo --state {compared.folder}" in page.locator("#cmd").inner_text()
        keep(compared.comparison, compared.folder)
        page.reload()
        page.get_by_role("heading", name="The same days, 3 mechanisms").wait_for()


def test_figures_are_the_apis(chromium, compared):
    keep(compared.comparison, compared.folder)
    with opened(chromium, compared.url) as page:
        told = page.request.get(compared.url.replace("/compare", "/api/v1/compare")).json()["mechanisms"]
        for name, key in (("Gain of trade", "welfare_n"), ("Saved, median", "saved_median_n")):
            row = page.locator("#comparison tr").filter(has_text=name)
            cells = [text.split()[0] for text in row.locator("td").all_inner_texts()]
            assert cells == [money_text(int(figures[key])) for figures in told]
        page.locator("#n-savings summary").click()
        cells = page.locator("#n-savings tbody tr").first.locator("td").all_inner_texts()
        assert cells == [money_text(int(figures["saved"][0])) for figures in told]
        page.locator("#n-prices summary").click()
        assert page.locator("#n-prices tbody tr").count() == compared.comparison.slots
        assert page.locator("#savings svg.wide circle").count() == 3 * len(compared.comparison.members)
        assert page.locator(".triple figure svg.wide").count() == 3


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1440)])
def test_axe_finds_no_fault_and_nothing_is_wider_than_the_window(chromium, compared, scheme, width):
    keep(compared.comparison, compared.folder)
    view = {"width": width, "height": 900}
    with opened(chromium, compared.url, color_scheme=scheme, viewport=view, reduced_motion="reduce") as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE)
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        grave = [(v["id"], v["nodes"][0]["html"][:120]) for v in found]
        assert grave == [], json.dumps(grave, indent=1)


def test_pages_lead_to_each_other(chromium, compared):
    with opened(chromium, compared.url) as page:
        assert page.locator("nav a[aria-current]").inner_text() == "Compare"
        page.locator("nav a", has_text="Community").click()
        page.get_by_role("heading", name="The run is starting").wait_for()
        page.locator("nav a", has_text="Compare").click()
        page.locator("#comparison").wait_for()


def test_prices_of_carbon_are_said_in_kg_and_cost(chromium, compared, tmp_path):
    setting = load_setting(write_community(tmp_path))
    chosen = variants(["uniform"], [0, 5_000], ["floor"])
    keep(compare(setting, slots_from(setting)[:24], chosen, workers=1), compared.folder)
    with opened(chromium, compared.url) as page:
        text = page.locator(".head p").inner_text()
        assert text.startswith("At 0 a tonne with levy floor, all homes emit ")
        assert " kg by location and pay " in text
        heads = page.locator("#comparison thead .note").all_inner_texts()
        assert heads == ["0 a tonne, levy floor", "5000 a tonne, levy floor"]
        assert "--carbon-prices 0,5000 --levies floor" in page.locator("#cmd").inner_text()
