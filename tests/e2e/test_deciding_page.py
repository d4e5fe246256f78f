"""Members decide in the browser: a proposal is read, seconded and voted on, on a phone and without a barrier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.e2e.test_page import AXE, opened
from tests.integration.conftest import call
from tests.integration.governed import governed_state
from tests.integration.samples import write_community
from transactive.core.governance.numbers import change_of
from transactive.core.slots import parse_time
from transactive.services.governing.acting import Decider, decide
from transactive.services.governing.asked import AskPropose, AskSecond
from transactive.services.governing.kept import keep
from transactive.services.governing.standing import Decisions
from transactive.services.readings.inbox import NOTE
from transactive.studies.consequences import consequences
from transactive.web.serving.server import PageServer

LATER = "2099-03-01T00:00Z"
SOON, PROPOSED = 4_000_000_000, AskPropose(numbers={"network-fee": 31_000}, since="2099-02-01T00:00Z")


@pytest.fixture(scope="module")
def governed(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """A page of a governed community, with a vote under way."""
    folder = tmp_path_factory.mktemp("governed")
    state = folder / "run"
    done = call("run", write_community(folder), "--no-page", "--json", "--state", state)
    assert done.code == 0, done.err
    made = governed_state(folder, state)
    decisions = Decisions(made)
    decide(decisions, PROPOSED, Decider("a", now=SOON))
    for name in ("b", "c"):
        decide(decisions, AskSecond(proposal=0), Decider(name, now=SOON))
    (made / NOTE).write_text(str(folder / "community.toml"))
    replayed = consequences(folder / "community.toml", change_of({"network-fee": 32_000}, parse_time(LATER)))
    keep(made, msgspec.json.encode(replayed.document(b"salt")), replayed.own_lines(b"salt"))
    server = PageServer(made, 8480, is_open=True)
    server.start()
    try:
        yield server.url.rstrip("/"), made
    finally:
        server.stop()


@pytest.mark.service
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
@pytest.mark.parametrize("path", ["/deciding", "/deciding/0", "/rules"])
def test_proposals_and_drafts_are_read_by_everybody(chromium, governed, width, scheme, path):
    url, _ = governed
    with opened(chromium, f"{url}{path}", viewport={"width": width, "height": 800}, color_scheme=scheme) as page:
        page.get_by_text("Network fee of 3.20 ct/kWh" if path == "/rules" else "Network fee of 3.10").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE)
        assert page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"] == []
