"""The models page in a browser: who forecasts, whether the interval held, what happened; the forecasts of a slot."""

from __future__ import annotations

import json

import pytest

from tests.e2e.test_page import AXE, SLOT, opened

pytestmark = pytest.mark.service  # a browser


def faults(page) -> list[str]:
    page.evaluate(AXE)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [json.dumps(v["nodes"][0]["html"][:120]) for v in found]


def test_the_page_says_who_forecasts_what_happened_and_whether_the_interval_held(chromium, two_days):
    narrow = {"width": 360, "height": 900}
    with opened(
        chromium, f"{two_days.url}/models", color_scheme="dark", viewport=narrow, reduced_motion="reduce"
    ) as page:
        assert "inside the 90 % interval" in page.locator("h1").inner_text()
        assert page.locator("#charges tbody tr").count() == 5
        assert "regression" in page.locator("#registry").inner_text()
        assert page.locator("#events tbody tr").count() >= 3
        assert page.locator("#coverage svg:visible").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert faults(page) == []
        drawn = page.locator("#coverage svg:visible text").all_text_contents()
        first_day = page.locator("#n-cover tbody th").first.inner_text()
        assert next(text for text in drawn if text.endswith("June")) == first_day
        page.locator("#target").select_option("generation")
        page.get_by_role("heading", name="Generation").wait_for()


def test_a_slot_shows_what_was_forecast_beside_what_came(chromium, two_days):
    with opened(chromium, f"{two_days.url}/slots/{SLOT}") as page:
        table = page.locator("#forecast")
        assert "Net load, at the gate" in table.inner_text()
        page.locator("#n-forecast summary").click()
        assert page.locator("#n-forecast tbody tr").count() >= 14 * 3
