"""The page in real Chromium: live during a run, quiet console, no foreign request, dark, narrow, by keyboard."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium found; install the package chromium"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Iterator[str]:
    """A demo of two days that serves its page from before the first slot and stays."""
    program = [
        sys.executable,
        "-c",
        "from transactive.cli import main; main()",
        "demo",
        "--days",
        "2",
        "--port",
        "8410",
    ]
    state = str(tmp_path_factory.mktemp("browser") / "state")
    with subprocess.Popen(
        [*program, "--state", state], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stderr is not None
        yield demo.stderr.readline().split()[-1].rstrip("/")
        demo.terminate()
        demo.communicate(timeout=20)


class Watched:
    """A page whose console and requests are watched."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.faults = page, list[str]()
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(base) else self.faults.append(request.url))


def opened(browser: Browser, base: str, path: str = "/", width: int = 1440, scheme: str = "light") -> Watched:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    watched = Watched(context.new_page(), base)
    watched.page.goto(base + path)
    return watched


def test_1_page_follows_a_run_live(browser, base):
    """First in this file: the run is still going on, and the page comes to its end without a reload."""
    watched = opened(browser, base)
    watched.page.evaluate("window.same = true")
    watched.page.get_by_text("of 48 slots").first.wait_for(timeout=60_000)
    watched.page.get_by_text("all slots settled").first.wait_for(timeout=60_000)
    assert watched.page.evaluate("window.same") is True
    assert watched.faults == []


def test_figures_equal_the_apis(browser, base):
    watched = opened(browser, base)
    members = watched.page.request.get(f"{base}/api/v1/members").json()["items"]
    text = watched.page.locator("main").inner_text()
    assert len(members) == 14
    for member in members:
        assert member["id"] in text
    assert watched.faults == []


def test_curve_of_a_chosen_slot_opens(browser, base):
    watched = opened(browser, base)
    watched.page.get_by_role("link", name="Open this slot").click()
    watched.page.get_by_role("heading", name="Orders, and why").wait_for()
    assert watched.page.locator("svg").count() > 2
    assert watched.faults == []


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("path", ["/", "/slots/2017-06-05T20:00Z"])
def test_nothing_is_wider_than_the_window(browser, base, width, path):
    watched = opened(browser, base, path, width)
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.faults == []


def test_dark_differs_from_light(browser, base):
    light, dark = (opened(browser, base, scheme=scheme).page.screenshot() for scheme in ("light", "dark"))
    assert light != dark


def test_every_chart_has_its_numbers(browser, base):
    watched = opened(browser, base)
    details = watched.page.locator("details.nums")
    assert details.count() >= 4
    for chart in details.all():
        chart.locator("summary").click()
        assert chart.locator("table td").count() > 0


def test_keyboard_reaches_every_control(browser, base):
    page = opened(browser, base).page
    reachable = page.evaluate(
        """() => [...document.querySelectorAll('a[href], button, select, summary, input')]
            .filter(e => e.checkVisibility() && e.tabIndex >= 0 && !e.disabled).length"""
    )
    seen = set()
    for _ in range(reachable + 10):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("() => [...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    assert len(seen - {-1, 0}) >= reachable


def test_screenshots_in_the_docs_are_there():
    folder = Path(__file__).parents[2] / "docs" / "screenshots"
    names = {path.name for path in folder.glob("community-*.png")}
    assert {f"community-{width}-{theme}.png" for width in (360, 768, 1440) for theme in ("light", "dark")} <= names
