"""What a grid token can fetch, as linear algebra: no combination of its figures tells of fewer homes than were chosen.

A run whose homes draw independent random energy; every figure of pages and API is followed through its slots, and those
that are linear in the homes' meters become rows of a matrix. What combinations of rows can isolate follows from ranks.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.integration.conftest import call
from tests.integration.test_api import ELSEWHERE, bearer
from transactive.cli.token.actions import create_token
from transactive.config.setting import load_setting
from transactive.core.slots import parse_time, time_text
from transactive.engine.replay import replay, slots_from
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed
from transactive.web.lines.privacy import choose

HOMES, SLOTS, LEAST = 8, 34, 3
FIGURE = re.compile(r"-?\d[\d,]*\.?\d*")
WITHOUT_TIME = re.compile(r"\d+")
Series = dict[tuple[str, ...], dict[int, float]]
Matrix = npt.NDArray[np.float64]

PAGES = ("/grid?slot={}", "/?slot={}", "/slots/{}")
"""Pages that show a slot, whether or not a scope may see them."""

COMMUNITY = """
name = "A street"
currency = "EUR"

[market]
slot_minutes = 60

[tariff]
supply_micro_per_kwh = 280_000
feed_in_micro_per_kwh = 80_000
network_fee_micro_per_kwh = 30_000

[accounts]
opening_n = 12_000_000_000
top_up_below_n = 10_000_000_000
top_up_to_n = 12_000_000_000

[carbon]
pv_g_per_kwh = 45
grid_g_per_kwh = 350

[grid]
manage = false

[data]
readings = "readings.csv"

[network]
nodes = ["grid", "station", "north", "south", "h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7"]
"""
ENDS = [("grid", "station"), ("station", "north"), ("station", "south")]
ENDS += [("north" if home < 4 else "south", f"h{home}") for home in range(HOMES)]
RING = [("north", "south"), ("h1", "h2")]


def write_street(folder: Path, ring: bool) -> Path:
    """Eight homes, each on a line of its own, on two branches; every second has PV."""
    text = COMMUNITY
    for start, end in [*ENDS, *RING * ring]:
        loss = "" if ring else "loss_ppm = 10_000\n"
        text += f'\n[[network.lines]]\nfrom = "{start}"\nto = "{end}"\nlimit_wh = 2_000\n{loss}'
    for home in range(HOMES):
        text += f'\n[[members]]\nid = "home-{home}"\nnode = "h{home}"\n' + "pv_w = 4_000\n" * (home % 2)
    draw = random.Random(7)
    rows = ["slot_start,member,consumption_wh,generation_wh"]
    for hour in range(24 + SLOTS + 1):
        day, at = divmod(hour, 24)
        for home in range(HOMES):
            made = draw.randint(0, 3_000) * (home % 2)
            rows.append(f"2017-06-{5 + day:02d}T{at:02d}:00:00Z,home-{home},{draw.randint(0, 2_500)},{made}")
    (folder / "readings.csv").write_text("\n".join(rows) + "\n")
    (folder / "community.toml").write_text(text)
    return folder / "community.toml"


class Cells(HTMLParser):
    """Texts of a page, each under the table or figure and the row that it stands in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.place, self.row, self.texts = "", "", list[tuple[tuple[str, str], str]]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.place, self.row = str(given["id"]), ""
        if tag in ("tr", "svg"):
            self.row = ""
        for name in ("title", "aria-label"):
            self.handle_data(given.get(name) or "")

    def handle_data(self, data: str) -> None:
        if text := data.strip():
            self.row = self.row or WITHOUT_TIME.sub("", text)
            self.texts.append(((self.place, self.row), text))


@dataclass(frozen=True)
class Street:
    """A finished run and its application."""

    client: TestClient[Litestar]
    folder: Path
    slots: range
    meters: Matrix  # consumption and generation of each home, (slots, 2 × homes)
    ring: bool

    def fetch(self, scope: str, *pages: str) -> Series:
        """Every figure that a token of a scope can fetch by the API and from pages, by place, through the slots."""
        headers = bearer(create_token(self.folder, scope, None))
        found: Series = defaultdict(dict)
        paths = self.client.get("/api/v1/schema/openapi.json", headers=headers).json()["paths"]
        for path in [path for path in paths if "{" not in path and not path.endswith("/events")]:
            for slot, item in self.items(path, headers):
                names = tuple(str(value) for value in item.values() if isinstance(value, str) and value != item["slot"])
                for name, value in item.items():
                    if isinstance(value, int) and not isinstance(value, bool):
                        found[path, *names, name][slot] = value / 1000
        for slot in self.slots:
            for page in pages:
                answer = self.client.get(page.format(time_text(slot)), headers=headers, follow_redirects=False)
                if answer.status_code == 200:
                    self.figures(page, slot, answer.text, found)
        return found

    def items(self, path: str, headers: dict[str, str]) -> list[tuple[int, dict[str, Any]]]:
        """Items of a listing with their slots."""
        url, found = f"{path}?limit=1000", []
        while url:
            answer = self.client.get(url, headers=headers)
            body = answer.json() if answer.status_code == 200 else {}
            found += [item for item in body.get("items", []) if "slot" in item]
            url = f"{path}?limit=1000&cursor={body['next']}" if body.get("next") else ""
        return [
            (self.slots.index(parse_time(item["slot"])), item)
            for item in found
            if parse_time(item["slot"]) in self.slots
        ]

    def figures(self, page: str, slot: int, text: str, found: Series) -> None:
        """Figures of a page, by place, row and their number in it."""
        count: dict[tuple[str, str], int] = defaultdict(int)
        for place, words in Cells(text).texts:
            for figure in FIGURE.findall(words):
                found[page, *place, str(count[place])][self.slots.index(slot)] = float(figure.replace(",", ""))
                count[place] += 1

    def rows(self, series: Series) -> Matrix:
        """Figures that are linear in the meters, as coefficients, (figures, 2 × homes), each at most 1."""
        known = np.hstack([self.meters / 1000, np.ones((len(self.slots), 1))])
        rows = []
        for values in series.values():
            at = list(values)
            value = np.array(list(values.values()))
            if len(at) < known.shape[1] + 10 or value.std() < 0.02:
                continue
            fit, *_ = np.linalg.lstsq(known[at], value, rcond=None)
            if (value - known[at] @ fit).std() < 0.05 * value.std():
                row = fit[:-1] / np.abs(fit[:-1]).max()
                rows.append(np.where(np.abs(row) < 0.1, 0, row))
        return np.array(rows).reshape(len(rows), 2 * HOMES)


def fewest(rows: Matrix, most: int) -> int:
    """Homes that the smallest combination of rows tells of, if at most so many; else one more."""
    rank = np.linalg.matrix_rank(rows, 0.1)
    for size in range(1, most + 1):
        for some in combinations(range(HOMES), size):
            columns = [home + part for home in some for part in (0, HOMES)]
            if np.linalg.matrix_rank(np.delete(rows, columns, axis=1), 0.1) < rank:
                return size
    return most + 1


@pytest.fixture(
    scope="module", params=[False, pytest.param(True, marks=pytest.mark.long)], ids=["tree with losses", "rings"]
)
def street(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("street")
    setting = load_setting(write_street(folder, request.param))
    slots = slots_from(setting)[:SLOTS]
    state = folder / "state"
    replay(setting, slots, state, seed="x")
    choose(state, LEAST, 0)
    with closing(Store(state)) as store:
        reader = Reader(store)
        readings = [reader.readings(slot) for slot in slots]
        meters = np.array([[*one.consumption_wh, *one.generation_wh] for one in readings if one], float)
        with TestClient(build_app(state, ChangeFeed(reader), local=False), base_url=ELSEWHERE) as client:
            yield Street(client, state, slots, meters, request.param)


def test_no_combination_of_what_the_grid_fetches_tells_of_fewer_homes(street):
    rows = street.rows(street.fetch("grid", *PAGES))
    assert street.ring or len(rows) > 5
    assert not len(rows) or fewest(rows, LEAST - 1) >= LEAST


def test_the_same_look_at_an_operators_figures_finds_single_homes(street):
    assert fewest(street.rows(street.fetch("operator")), LEAST - 1) == 1


def test_each_choice_is_kept_with_its_time(street):
    state = street.folder
    made = call("grid", "privacy", "--state", state, "--homes", "4", "--json")
    assert made.code == 0
    told = json.loads(made.out)
    assert told["homes"] == 4
    assert [one["homes"] for one in told["choices"]] == [LEAST, 4]
    assert min(told["groups"]) >= 4
    assert "at least 1" in call("grid", "privacy", "--state", state, "--homes", "0").err
    choose(state, LEAST, 0)
