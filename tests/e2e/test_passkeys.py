"""A passkey in a browser: made on the account page by a device, it signs in until it is removed."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_page import AXE
from tests.waiting import LIMIT_SECONDS
from transactive.web.accounts import signing_in
from transactive.web.accounts.book import read_book
from transactive.web.serving.server import PageServer

pytestmark = pytest.mark.service  # a browser

PASSWORD = "three long words here"


@pytest.fixture(scope="module")
def house(two_days, tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """The page of a state with one account, opened under a name, as passkeys need it."""
    folder = tmp_path_factory.mktemp("passkeys") / "state"
    shutil.copytree(two_days.folder, folder)
    now = int(time.time())
    signing_in.join(folder, signing_in.invite(folder, "member", "house-04", ["house-04"], now), "ada", PASSWORD, now)
    server = PageServer(folder, 8460, is_open=False)
    server.start()
    try:
        yield f"http://localhost:{server.url.rstrip('/').rpartition(':')[2].partition('/')[0]}", folder
    finally:
        server.stop()


def device(page):
    """A device that keeps passkeys and whose person is there."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = {**kind, "isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_a_passkey_is_made_signs_in_and_is_removed(chromium, house):
    url, folder = house
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    context.set_default_timeout(1000 * LIMIT_SECONDS)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        device(page)
        page.goto(f"{url}/sign-in")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(f"{url}/")
        page.goto(f"{url}/account")
        form = page.locator("#new-passkey")
        form.get_by_label("What you call it").fill("my phone")
        form.get_by_label("Your password, once more").fill("not the password")
        form.get_by_role("button").click()
        page.get_by_text("The password is not right.").wait_for()
        assert read_book(folder).accounts[0].passkeys == ()
        form.get_by_label("Your password, once more").fill(PASSWORD)
        form.get_by_role("button").click()
        page.locator("#passkeys").get_by_text("my phone").wait_for()
        key = read_book(folder).accounts[0].passkeys[0]
        assert (key.site, key.label, key.used) == ("localhost", "my phone", 0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.evaluate(AXE)
        assert page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"] == []
        page.locator("#sign-out").click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(f"{url}/")
        assert read_book(folder).accounts[0].passkeys[0].used > 0
        page.goto(f"{url}/account")
        page.get_by_role("button", name="Remove the passkey my phone").click()
        page.locator("#passkeys").wait_for(state="detached")
        page.locator("#sign-out").click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.get_by_text("This passkey is not known here").wait_for()
        assert faults == []
    finally:
        context.close()


def test_where_there_can_be_none_the_page_says_why(chromium, house):
    url, _ = house
    context = chromium.new_context()
    page = context.new_page()
    try:
        url = url.replace("localhost", "127.0.0.1")
        page.goto(f"{url}/sign-in")
        assert page.locator("#by-passkey").count() == 0
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(f"{url}/")
        page.goto(f"{url}/account")
        page.get_by_text("A passkey belongs to a name, not a number.").wait_for()
    finally:
        context.close()
