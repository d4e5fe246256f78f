"""Pages in other languages in a browser: they fit a narrow telephone, axe finds no fault, and the switch keeps."""

from __future__ import annotations

import pytest

from tests.e2e.test_page import AXE, opened

pytestmark = pytest.mark.service  # a browser

PAGES = ("/", "/member?member=house-10", "/carbon", "/account", "/privacy", "/help", "/verify", "/sign-in")


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_pages_fit_a_narrow_telephone_in_longer_words(chromium, two_days, language):
    size = {"width": 320, "height": 800}
    with opened(chromium, f"{two_days.url}/sign-in", viewport=size, locale=language) as page:
        for path in PAGES:
            page.goto(f"{two_days.url}{path}")
            assert page.evaluate("document.documentElement.lang") == language
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        for width in (1024, 1280):  # the names of all pages stand beside each other here
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(f"{two_days.url}/")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.set_viewport_size(size)
        page.goto(f"{two_days.url}/member?member=house-10")
        page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found] == []


def test_the_switch_stays_on_the_page_and_is_kept(chromium, two_days):
    with opened(chromium, f"{two_days.url}/member?member=house-04", locale="en") as page:
        page.get_by_role("button", name="Deutsch").click()
        page.get_by_role("heading", name="Mein Haushalt").wait_for()
        assert page.url.endswith("/member?member=house-04")
        page.goto(f"{two_days.url}/help")
        assert page.evaluate("document.documentElement.lang") == "de"
