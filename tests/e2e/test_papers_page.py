"""The operator takes the statements of all members from the page, and sees how far they have come."""

import shutil
import zipfile
from collections.abc import Iterator

import pytest

from tests.e2e.test_page import AXE, opened
from transactive.web.serving.server import PageServer


@pytest.fixture(scope="module")
def desk(two_days, tmp_path_factory) -> Iterator[str]:
    """A page whose state may be written to."""
    folder = tmp_path_factory.mktemp("papers") / "state"
    shutil.copytree(two_days.folder, folder)
    server = PageServer(folder, 8470, is_open=True)
    server.start()
    try:
        yield server.url.rstrip("/")
    finally:
        server.stop()


@pytest.mark.service
def test_statements_of_all_members_are_made_and_taken(chromium, desk, tmp_path):
    with opened(chromium, f"{desk}/bills", viewport={"width": 360, "height": 740}, color_scheme="dark") as page:
        page.get_by_label("Month").select_option("2017-06")
        page.get_by_role("button", name="Make the statements").click()
        link = page.get_by_role("link", name="Statements of 2017-06, ZIP")
        link.wait_for()
        page.get_by_role("button", name="Make the statements").wait_for()
        with page.expect_download() as taken:
            link.click()
        taken.value.save_as(tmp_path / "all.zip")
        with zipfile.ZipFile(tmp_path / "all.zip") as archive:
            assert len(archive.namelist()) == 3 * 14
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.evaluate(AXE)
        assert page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"] == []
