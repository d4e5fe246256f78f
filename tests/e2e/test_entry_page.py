"""The link that lets a browser in, in a real one."""

import shutil
from collections.abc import Iterator

import pytest

from transactive.web.serving.server import PageServer

pytestmark = pytest.mark.service  # a browser


@pytest.fixture
def server(two_days, tmp_path) -> Iterator[PageServer]:
    shutil.copy(two_days.folder / "market.sqlite", tmp_path)
    server = PageServer(tmp_path, 8560)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_the_link_opens_the_page_once_and_leaves_no_code_behind(chromium, server):
    asked: list[str] = []
    browser = chromium.new_context()
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.link)
    page.wait_for_selector("#strip")
    assert page.url == server.url
    code = server.link.partition("#")[2]
    assert not [url for url in asked if code in url]
    page.goto(f"{server.url}carbon")
    assert page.locator("h1").count() == 1
    (cookie,) = browser.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    browser.close()

    other = chromium.new_context()
    page = other.new_page()
    page.goto(server.link)
    page.wait_for_selector("text=This link was used")
    page.goto(server.url)
    assert "Open the link that was printed when this server started" in page.content()
    other.close()


def test_a_second_link_opened_where_the_first_one_was_is_taken_up(chromium, server):
    browser = chromium.new_context()
    page = browser.new_page()
    page.goto(f"{server.url}join")
    page.goto(f"{server.url}join#another-code")
    page.wait_for_function("document.getElementById('code').value === 'another-code'")
    assert page.url == f"{server.url}join"
    browser.close()
