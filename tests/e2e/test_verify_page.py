"""The verify page in a browser: a sound statement holds, an altered one is contradicted and its figures are shown."""

from __future__ import annotations

import base64
import json
from contextlib import closing

import pytest

from tests.e2e.test_page import AXE, opened
from transactive.insight.statements.statement import encode
from transactive.services.statements.checks.words import CHECKS
from transactive.services.statements.issue import issuer
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.pages.verify import verify_page
from transactive.web.viewers import Viewer

pytestmark = pytest.mark.service  # a browser


@pytest.fixture(scope="module")
def files(two_days, tmp_path_factory):
    """A statement of a few slots, and the same with another footprint in the first of them."""
    folder = tmp_path_factory.mktemp("files")
    with issuer(two_days.folder) as issue:
        statement = issue.issue("house-04", two_days.slots[20], two_days.slots[24])
    sound, altered = folder / "house-04.json", folder / "altered.json"
    sound.write_bytes(encode(statement))
    before = statement.slots[0].location_mg
    stated, changed = (f'"location_mg":{mg},'.encode() for mg in (before, before + 1))
    altered.write_bytes(encode(statement).replace(stated, changed, 1))
    return sound, altered


def results(page):
    return [row.get_attribute("data-result") for row in page.locator("#checks li").all()]


def test_a_sound_statement_holds_check_by_check(chromium, two_days, files):
    with opened(chromium, f"{two_days.url}/verify") as page:
        page.get_by_text("Nothing checked yet").wait_for()
        page.locator("#file").set_input_files(files[0])
        page.get_by_text(f"All {len(CHECKS)} checks hold").wait_for()
        assert results(page) == ["holds"] * len(CHECKS)
        assert "not independent" in page.locator("#verdict").inner_text()
        assert page.locator("#altered").count() == 0
        assert "transactive verify house-04.json --node URL" in page.locator("#cmd-1").inner_text()


def test_the_first_contradiction_is_named_and_altered_figures_are_shown(chromium, two_days, files):
    with opened(chromium, f"{two_days.url}/verify") as page:
        page.locator("#file").set_input_files(files[1])
        page.get_by_text("Contradiction found").wait_for()
        assert results(page) == ["contradiction", *["not judged"] * (len(CHECKS) - 1)]
        assert "totals.location_mg is" in page.locator("#verdict").inner_text()
        places = page.locator("#altered tbody th").all_inner_texts()
        assert places[0] == "totals.location_mg"
        assert places[1].endswith("Z location_mg")
        stated, known = page.locator("#altered tbody tr").nth(1).locator("td").all_inner_texts()
        assert int(stated) == int(known) + 1


def test_a_file_can_be_dropped(chromium, two_days, files):
    data = base64.b64encode(files[0].read_bytes()).decode()
    with opened(chromium, f"{two_days.url}/verify") as page:
        page.evaluate(
            """(data) => {
            const transfer = new DataTransfer(), bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            transfer.items.add(new File([bytes], "dropped.json", { type: "application/json" }));
            const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true });
            document.getElementById("drop").dispatchEvent(event);
        }""",
            data,
        )
        page.get_by_text("checks hold").wait_for()
        assert "dropped.json" in page.locator("#h-res + p").inner_text()


def test_what_is_no_statement_is_said(chromium, two_days, tmp_path):
    (tmp_path / "other.json").write_text(json.dumps({"kind": "something"}))
    with opened(chromium, f"{two_days.url}/verify") as page:
        page.locator("#file").set_input_files(tmp_path / "other.json")
        page.get_by_text("This is no statement").wait_for()
        assert set(results(page)) == {"not judged"}


@pytest.mark.parametrize(("width", "scheme", "kind"), [(1440, "light", 1), (360, "dark", 1), (360, "light", 0)])
def test_it_fits_and_axe_finds_no_fault(chromium, two_days, files, width, scheme, kind):
    size = {"width": width, "height": 900}
    with opened(chromium, f"{two_days.url}/verify", viewport=size, color_scheme=scheme) as page:
        page.locator("#file").set_input_files(files[kind])
        page.locator("#verdict").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        grave = [(v["id"], v["nodes"][0]["html"][:120]) for v in found]
        assert grave == []


def test_a_neighbour_is_not_shown_what_the_books_say(two_days, files):
    """Whoever alters every figure of another's statement would else read them from the answer."""
    with closing(Store(two_days.folder)) as store:
        reader = Reader(store)
        run, data = reader.run(), files[1].read_bytes()
        assert run is not None
        for viewer, shown in (("house-04", True), ("house-09", False)):
            page = verify_page(reader, run, Viewer("member", viewer), "altered.json", data)
            assert page["title"] == "Contradiction found"
            assert bool(page["altered"]) is shown
        assert verify_page(reader, run, Viewer("grid"), "altered.json", data)["altered"] is None
