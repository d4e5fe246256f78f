"""The page of questions and its API: odds in words, how prices went, what was measured; nobody is named."""

from __future__ import annotations

import shutil
from contextlib import closing
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tests.integration.conftest import call
from tests.integration.test_api import serving
from transactive.chain.deployments.deployment import FILE, Deployed, code_keccak, load
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.chain.prediction.questions import CommittedTotal
from transactive.chain.prediction.stakes import StakedPeriod, Wager
from transactive.forecasting.pool.submission_file import read_submissions
from transactive.services.forecasts.odds import AskedTotal, odds_forecasts
from transactive.services.predictions import StakedTotals
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.texts.formatting import Words
from transactive.web.predictions.page import predictions_page

MILLION, HOUR = 10**6, 3600


@pytest.fixture(scope="module")
def asked(demo_run, tmp_path_factory):
    """The demo's state, beside whose settlement two homes trade shares in a question about the day after."""
    folder = tmp_path_factory.mktemp("asked") / "state"
    shutil.copytree(demo_run.folder, folder)
    known, keys = load(folder / FILE), DemoKeys("transactive")
    homes = [keys.account(place) for place in range(2)]
    with closing(ChainClient.open(f"embedded:{folder / CHAIN_FILE}")) as client:
        token = client.contract("currency", known.address("currency"))
        settlement = known.address("settlement")
        day = client.head_timestamp // HOUR // 24 + 2
        terms = (token.address, settlement, 60_000, 20 * 24 * HOUR)
        market = client.deploy(keys.role("owner"), "prediction_market", *terms)
        for home in homes:
            client.send(keys.role("on-ramp"), token, "mint", home.address, 10**12)
            client.send(home, token, "approve", market.address, 10**12)
        client.block(client.head_timestamp + 1)
        bounds = [80_000, 120_000]
        slots = (day * 24, day * 24 + 23)
        client.send(homes[0], market, "create", 0, *slots, slots[0] * HOUR, 100 * MILLION, 5_000, bounds)
        client.block(client.head_timestamp + 1)
        for home, outcome in ((homes[0], 1), (homes[1], 1)):
            client.send(home, market, "buy", 0, outcome, 60 * MILLION, 10**12)
            client.block(client.head_timestamp + 1)
        there = Deployed(address=market.address, code_keccak=code_keccak(client.code(market.address)))
    msgspec.structs.replace(known, contracts=known.contracts | {"prediction_market": there}).save(folder / FILE)
    with serving(folder) as client:
        yield client


def test_the_page_tells_odds_in_words_and_how_prices_went(asked):
    page = asked.get("/predictions").text
    assert "Question 0: open" in page
    assert "kWh that all members together take from their connections" in page
    for words in ("less than 80.0 kWh", "80.0 to 120.0 kWh", "120.0 kWh or more", "likely", "about one in 5"):
        assert words in page
    assert page.count('class="l s-import"') == 2  # once for each size of the drawing
    assert "Prices after each of 2 trades" in page
    assert "no money is in it" in page  # which tool does what
    assert "3.4 to 4.2 %" in page  # what was measured about thin markets
    assert "house-0" not in page.partition('<main id="main"')[2]
    assert "sells shares in what" in asked.get("/explorer").text


def test_the_api_gives_questions_with_every_trade(asked):
    told = asked.get("/api/v1/predictions").json()
    question = told["items"][0]
    assert question["outcomes"] == ["less than 80.0 kWh", "80.0 to 120.0 kWh", "120.0 kWh or more"]
    assert [trade["shares_n"] for trade in question["trades"]] == ["60000000"] * 2
    prices = [trade["prices"][1] for trade in question["trades"]]
    assert 333_333 < prices[0] < prices[1] == question["prices"][1]
    assert question["metered_wh"] is None
    assert "thin_markets" in told


def test_without_a_market_the_page_says_how_to_make_one(demo_run):
    with serving(demo_run.folder) as client:
        assert "transactive predict open" in client.get("/predictions").text
        assert client.get("/api/v1/predictions").json()["items"] == []


def test_the_page_tells_stakes_and_names_nobody():
    waged = (Wager(0, 5 * 10**8, None), Wager(1, 25 * 10**7, (1, 2, 3, 4, 5, 6, 7, 8)))
    terms = {"number": 1, "gate": 0, "reveal_until": 0, "refundable_from": 0, "now": 9 * HOUR}
    period = StakedPeriod(
        first=41, last=43, wagers=waged, outcome=CommittedTotal(5_400, 0, 0), is_over=True, **terms
    )  # fmt: skip
    page = predictions_page([], [], StakedTotals(0, HOUR, [period]), Words("USD", ZoneInfo("UTC")))
    what, *rest = page["staked"][0]
    assert what.startswith("imported, ")
    assert rest == ["over", "2", "0.75 USD", "1", "5.400 kWh"]


def test_odds_become_forecasts_of_slots_that_can_be_submitted(asked, tmp_path):
    folder = asked.app.state.run_context.reader.store.path.parent
    assert call("forecast", "odds", 0, "--state", folder, "-o", tmp_path / "odds.csv").code == 0
    found = read_submissions(tmp_path / "odds.csv", HOUR)
    assert len(found) == 24
    with closing(Store(folder)) as store:
        reader = Reader(store)
        last = reader.position().delivered
        assert last is not None
        slots = range(min(found), max(found) + HOUR, HOUR)
        little, much = (
            odds_forecasts(reader, AskedTotal("imported", slots, (80_000, 120_000), prices), last)
            for prices in ((8, 1, 1), (1, 1, 8))
        )
        given = odds_forecasts(reader, AskedTotal("exported", slots, (80_000, 120_000), (1, 1, 8)), last)
    for slot in slots:
        assert little[slot][2] < much[slot][2]
        assert given[slot][2] <= given[slot][4]
    totals = [sum(each[2] for each in one.values()) for one in (little, much)]
    assert totals[1] - totals[0] == pytest.approx(140_000 - 60_000, rel=0.3)  # the medians of the odds are so far apart
    assert "is not asked in this run" in call("forecast", "odds", 7, "--state", folder, "-o", tmp_path / "x").err
