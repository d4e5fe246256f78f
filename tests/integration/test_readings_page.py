"""The page and the API where an operator brings readings: the same checks and words, and nobody else's business."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.integration.test_api import ELSEWHERE, LOCAL, bearer, scoped_token
from tests.integration.test_going_on import COMMUNITY, run, write_readings
from tests.integration.test_readings_inbox import day_more
from transactive.core.slots import parse_time
from transactive.environment.feeds.decode import FeedSeries
from transactive.metering.accepted import accepted_folder
from transactive.services.feeds.taking import arrival_of, take_feed
from transactive.services.readings.inbox import ReadingsInbox
from transactive.services.readings.said import Said
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed
from transactive.web.viewers import SCOPES

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "community.toml").write_text(COMMUNITY)
    write_readings(folder, 72)
    done = run(folder, "community.state")
    assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[TestClient[Litestar]]:
    """The application as it is opened at the operator's own machine."""
    (place / "community.state" / "open-here").touch()
    with closing(Store(place / "community.state")) as store:
        app = build_app(place / "community.state", ChangeFeed(Reader(store)), local=True)
        with TestClient(app, base_url=LOCAL, raise_server_exceptions=False) as client:
            yield client


def token_of(text: str) -> str:
    return text.partition('action="/readings/')[2][:32]


def test_a_file_is_dropped_seen_and_accepted(client, place):
    assert "Drop a file here" in client.get("/readings").text
    shown = client.post("/readings", files={"file": ("day.csv", day_more(place, 96))})
    assert shown.status_code == 200, shown.text
    for words in (
        "2: anna, cara",
        "48 readings would be new",
        "kWh a day",
        "<svg",
        ">1 June 2024, 00:00</time> to <time",
    ):
        assert words in shown.text
    assert not accepted_folder(place / "community.toml").exists()
    done = client.post(f"/readings/{token_of(shown.text)}", data={"accept": "yes"})
    assert "48 readings are new, 0 are others" in done.text
    assert len(list(accepted_folder(place / "community.toml").glob("*.parquet"))) == 1
    again = client.post(f"/readings/{token_of(shown.text)}", data={"accept": "yes"})
    assert (again.status_code, "wait no longer" in again.text) == (400, True)


def test_what_is_not_told_is_asked_and_what_is_wrong_is_told(client, place):
    file = day_more(place, 97).replace(b"+00:00", b"").replace(b"T", b" ")
    asked = client.post("/readings", files={"file": ("<b>day.csv", file)})
    assert "zone?" in asked.text
    assert "<b>day" not in asked.text
    url = f"/readings/{token_of(asked.text)}"
    assert "Accept" in client.post(url, data={"zone": "UTC"}).text
    assert "is no time zone" in client.post(url, data={"zone": "Mars"}).text
    assert client.post(url, data={"unit": "horses"}).status_code == 400
    refused = client.post("/readings", files={"file": ("day.csv", file.replace(b"cara", b"carl"))})
    stranger = client.post(f"/readings/{token_of(refused.text)}", data={"zone": "UTC", "accept": "yes"})
    assert "is not in the community; did you mean cara?" in stranger.text
    assert "Accepted" not in stranger.text


def test_several_files_come_together(client, place):
    head, *rows = day_more(place, 98).decode().splitlines()
    files = [
        ("file", (f"{name}.csv", "\n".join([head, *(row for row in rows if name in row)]).encode()))
        for name in ("anna", "cara")
    ]
    assert "anna.csv and 1 more" in client.post("/readings", files=files).text


def test_the_api_says_and_does_the_same(client, place):
    file = day_more(place, 99)
    said: dict[str, Any] = client.post("/api/v1/readings?name=day.csv", content=file).json()
    look = ReadingsInbox(place / "community.state").look(said["token"], Said())
    assert look.belief is not None
    assert said["belief"]["slots"] == look.belief.slots
    assert said["effect"]["added"] == look.effect.added  # type: ignore[union-attr]
    assert "2: anna, cara" in said["words"]
    done = client.put(f"/api/v1/readings/{said['token']}")
    assert (done.status_code, done.json()["added"]) == (200, said["effect"]["added"])
    gone = client.put(f"/api/v1/readings/{said['token']}")
    assert (gone.status_code, gone.json()["type"]) == (400, "urn:transactive:error:input")
    nonsense = client.post("/api/v1/readings?name=day.csv", content=b"\x00nonsense").json()
    assert nonsense["refused"]
    assert nonsense["belief"] is None
    untold = client.post("/api/v1/readings", content=file.replace(b"+00:00", b"").replace(b"T", b" ")).json()
    assert untold["question"]["option"] == "zone"
    refused = client.put(f"/api/v1/readings/{untold['token']}")
    assert (refused.status_code, refused.json()["type"]) == (400, "urn:transactive:error:data.unsaid")
    assert client.put(f"/api/v1/readings/{untold['token']}?zone=UTC&unit=horse").status_code == 400


def test_another_sites_page_can_bring_nothing(client, place):
    foreign = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    for answer in (
        client.post("/readings", files={"file": ("day.csv", b"x")}, headers=foreign),
        client.post("/readings/" + "a" * 32, data={"accept": "yes"}, headers=foreign),
        client.post("/api/v1/readings", content=b"x", headers=foreign),
        client.put("/api/v1/readings/" + "a" * 32, headers=foreign),
    ):
        assert answer.status_code == 403


def test_only_the_operator_may(place):
    folder = place / "community.state"
    with closing(Store(folder)) as store:
        made = {scope: scoped_token(folder, scope, "cara") for scope in SCOPES}
        app = build_app(folder, ChangeFeed(Reader(store)), local=False)
        with TestClient(app, base_url=ELSEWHERE, raise_server_exceptions=False) as client:
            for scope, token in made.items():
                found = {
                    client.get("/readings", headers=bearer(token)).status_code,
                    client.post("/readings", files={"file": ("a.csv", b"x")}, headers=bearer(token)).status_code,
                    client.post("/api/v1/readings", content=b"x", headers=bearer(token)).status_code,
                }
                assert found <= ({200, 201} if scope == "operator" else {403}), (scope, found)
            assert client.post("/api/v1/readings", content=b"x").status_code == 401


def test_held_readings_are_shown_with_their_reason_and_answered(place, tmp_path):
    """In a folder of its own, as accepted files would count before what is written here."""
    shutil.copytree(place / "community.state", tmp_path / "community.state")
    shutil.copy(place / "community.toml", tmp_path / "community.toml")
    write_readings(tmp_path, 72)
    rows = (tmp_path / "readings.csv").read_text().splitlines()
    rows[122] = re.sub(r",cara,\d+,", ",cara,65535,", rows[122])
    (tmp_path / "readings.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "community.state" / "open-here").touch()
    with closing(Store(tmp_path / "community.state")) as store:
        app = build_app(tmp_path / "community.state", ChangeFeed(Reader(store)), local=True)
        with TestClient(app, base_url=LOCAL, raise_server_exceptions=False) as client:
            page = client.get("/readings").text
            assert "far more than this meter ever counted" in page
            shown = page.partition('action="/readings/held"')[2]
            form = dict(re.findall(r'name="(member|first|end)" value="([^"]+)"', shown)[:3])
            assert form["member"] == "cara"
            (held,) = client.get("/api/v1/held-readings").json()["items"]
            assert (held["first"], held["end"], held["waits"]) == (form["first"], form["end"], True)
            about = {name: form[name] for name in ("member", "first", "end")}
            assert client.put("/api/v1/held-readings/perhaps", params=about).status_code == 400
            assert client.put("/api/v1/held-readings/release", params=about | {"member": "zoe"}).status_code == 400
            wrong = client.post("/readings/held", data=form | {"said": "perhaps"})
            assert (wrong.status_code, "say release or refuse" in wrong.text) == (400, True)
            done = client.post("/readings/held", data=form | {"said": "release"})
            assert (done.status_code, 'id="held"' in done.text) == (200, False)
            again = client.post("/readings/held", data=form | {"said": "release"})
            assert (again.status_code, "are not held" in again.text) == (400, True)


def test_the_page_tells_who_told_prices_and_how_old_that_is(client, place):
    assert "Feeds" not in client.get("/readings").text
    path, file = place / "community.toml", place / "environment.csv"
    text = path.read_text()
    file.write_text("slot_start,grid_carbon_g_per_kwh\n")
    starts = tuple(parse_time("2024-06-01T00:00Z") + 3_600 * k for k in range(240))
    told = FeedSeries("grid_carbon_g_per_kwh", starts, (300,) * len(starts), 3_600)
    take_feed(file, 3_600, arrival_of("energy-charts-carbon", b"", 1, told))
    try:
        path.write_text(
            text.replace("grid_g_per_kwh = 350\n", "").replace("[data]\n", f'[data]\nenvironment = "{file.name}"\n')
        )
        shown = client.get("/readings").text
        assert "energy-charts-carbon told it until 2024-06-11T00:00Z" in shown
        assert "stale, as nothing is told beyond now" in shown
    finally:
        path.write_text(text)
