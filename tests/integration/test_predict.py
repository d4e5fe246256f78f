"""`transactive predict` on an embedded chain: the how-to as it stands, while a community settles what it asks."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.integration.conftest import call
from transactive.chain.deployments.deployment import load
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.cli import main
from transactive.cli.chain import signing
from transactive.cli.predict import stake_actions
from transactive.cli.predict.actions import send
from transactive.core.errors import ChainError
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.slots import parse_time, time_text
from transactive.services.predictions import asked_questions, staked_totals
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.texts.predictions import outcome_words

HOUR, DAY = 3600, 86400
BEGIN = parse_time("2027-01-04T12:00Z")
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "predicting.md"
WHERE = ["--node", "embedded:chain.sqlite"]


class Street:
    """Commands typed one after another; `now` is the time of the next transaction."""

    def __init__(self, monkeypatch, capsys) -> None:
        self.now, self.capsys = BEGIN, capsys
        monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: self.now))

    def run(self, *words: str, code: int = 0) -> str:
        self.now += 1
        with pytest.raises(SystemExit) as ended:
            main([*words, *WHERE, "--json"])
        told = self.capsys.readouterr()
        assert ended.value.code == code, told
        return str(told.err if code else told.out)

    def predict(self, line: str) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.run("predict", *shlex.split(line)))
        return facts

    def refused(self, line: str, why: str, code: int = 3) -> None:
        told = self.run("predict", *shlex.split(line), code=code)
        assert why in told
        assert len(told.splitlines()) == 1

    def settle(self, day: int, imported: list[int]) -> None:
        """Commit a day whose hours import so many Wh, and let it become final."""
        known = load(Path("deployment.json"))
        with closing(ChainClient.open(WHERE[1])) as client:
            ledger = ChainLedger.attach(client, DemoKeys(), known.address("settlement"))
            accounts = len(known.accounts)
            energy, nothing, none = (
                np.zeros((accounts, 4), np.int64),
                np.zeros((accounts, 4), np.int64),
                [ZERO] * accounts,
            )
            for hour, wh in enumerate(imported):
                energy[hour % 2, 0] += wh
                slot = day // HOUR + hour
                ledger.commit_slot(SlotLeaves(slot, nothing, energy.copy(), nothing, nothing, none, none), ZERO)
                ledger.block(max(day + (hour + 1) * HOUR, client.head_timestamp + 1))
            ledger.propose(day // DAY, [0] * len(known.accounts))
            ledger.block(max(day + DAY, client.head_timestamp + 1))
            ledger.finalise(day // DAY)
            ledger.block(client.head_timestamp + int(client.read(ledger.contract, "window")))
            self.now = client.head_timestamp


def commands() -> list[list[str]]:
    """What the page says to type for a question, without its node."""
    return typed()[: [words[1] for words in typed()].index("open-pool")]


def staking() -> list[list[str]]:
    """What the page says to type for stakes: the pool, whose reach, the stake, what shows it, and what pays."""
    return typed()[[words[1] for words in typed()].index("open-pool") :]


def typed() -> list[list[str]]:
    """All commands of the page that act beside a deployment."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", "").splitlines()]
    node = " --node http://127.0.0.1:8545"
    return [shlex.split(line.replace(node, ""))[1:] for line in lines if node in line]


@pytest.fixture
def street(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["init", "."])
    capsys.readouterr()
    return Street(monkeypatch, capsys)


def test_the_how_to_as_it_stands(street):
    typed = commands()
    assert [words[1] for words in typed if words[0] == "predict"] == ["open", "create", "buy", "resolve", "redeem"]
    for words in typed[:-2]:
        told = json.loads(street.run(*words))
    assert told["outcome"] == "4.0 to 6.0 kWh"
    assert told["you_are_paid_if_it_happens"] == "0.050000000 USD"
    street.refused("resolve 0", why="is about slots until")
    street.refused("redeem 0 --account ben", why="prediction_market: not over", code=5)
    street.settle(parse_time("2027-01-04T00:00Z"), [100] * 24)
    street.settle(parse_time("2027-01-05T00:00Z"), [100] * 17 + [1_800] * 3 + [100] * 4)
    street.now += 9 * DAY  # after the deadline the meters decide as well, if they are there
    told = json.loads(street.run(*typed[-2]))
    assert (told["stage"], told["metered"]) == ("over", "5.400 kWh")
    assert json.loads(street.run(*typed[-1]))["shares_paid"] == "0.050000000 USD"
    assert street.predict("show 0")["odds"] == told["odds"]
    asked = street.predict("redeem 0 --account ada")
    paid = float(street.predict("show 0")["trades"][0]["for"].split()[0])
    assert float(asked["left_of_what_you_paid_in"].split()[0]) == pytest.approx(0.109861229 + paid - 0.05, abs=3e-9)


def test_stakes_are_sealed_shown_and_paid(street):
    street.run("chain", "deploy", "community.toml")
    street.refused("stakes 2027-01-05T00:00Z", why="`predict open-pool` makes one")
    for slots in ("--first -1", "--first 24", "--first 5 --last 3", "--last 24"):
        street.refused(f"open-pool --slope '0.06 USD/kWh' --scale '20 kWh' {slots}", why="has slots 0 to 23")
    open_pool, *reach, stake, reveal, pay = staking()
    made = json.loads(street.run(*open_pool))
    assert made["largest_stake"] == "0.600000000 USD"
    street.refused("open-pool --slope '0.06 USD/kWh' --scale '20 kWh'", why="has a pool of stakes already")
    day, near, far = "2027-01-05T00:00Z", "4.9,5,5.1,5.2,5.5,5.6,5.8,6 kWh", "1,1.1,1.2,1.3,1.4,1.5,1.6,1.7 kWh"
    for name in ("ada", "ben"):
        street.run("chain", "money", "mint", "--to", name, "--amount", "20")
    ask = "--account ada --amount 0.5 --output ada.json"
    street.refused("stakes 1960-01-05T00:00Z", why="was before 1970")
    street.refused(f"stake {day} '5 kWh' {ask}", why="a forecast has 8 quantiles")
    street.refused(f"stake {day} '{near[::-1]} kWh' {ask}", why="FORECAST")
    street.refused(f"stake 2027-01-05T01:00Z '{near}' {ask}", why="no settlement period begins then")
    street.refused(f"stake {day} '{near}' {ask.replace('0.5', '0.7')}", why="is 0.000001000 USD to 0.600000000 USD")
    street.refused(f"stake {day} '{near}' {ask}", why="`chain forecasts set-reach` does")
    street.run(*reach[0])
    street.refused(f"stake {day} '{near}' {ask}", why="ada makes up more than half")
    street.run(*reach[1])
    street.refused(f"stake 2027-01-03T00:00Z '{near}' {ask}", why="the gate closed at")

    def lost(found, contract, key, pays, function, *arguments):
        if function == "wager":
            raise ChainError("the node is gone")
        return send(found, contract, key, pays, function, *arguments)

    with pytest.MonkeyPatch.context() as patch:  # after its money is in the pool, and before it is staked
        patch.setattr(stake_actions, "send", lost)
        street.run(*stake, code=5)
    kept = Path("ada.json").read_bytes()
    street.refused(f"stake {day} '{far}' {ask}", why="is there already")
    told = json.loads(street.run(*stake))
    assert Path("ada.json").read_bytes() == kept
    assert told["stakes"] == {"ada": "0.500000000 USD"}
    street.refused(f"stake {day} '{near}' {ask}", why="ada has staked on this day")
    street.refused(f"stake {day} '{near}' --account ben --amount 0.1 --output ada.json", why="is there already")
    told = street.predict(f"stake {day} '{far}' --account ben --amount 0.25 --output ben.json")
    assert told["stakes"] == {"ada": "0.500000000 USD", "ben": "0.250000000 USD"}
    assert told["forecasts"] == {"ada": "sealed", "ben": "sealed"}
    shown = staked_totals(Path(), WHERE[1])  # as the page asks
    assert shown is not None
    assert [[wager.stake for wager in period.wagers] for period in shown.periods] == [[5 * 10**8, 25 * 10**7]]
    street.refused("reveal ada.json --account ada", why="forecast_pool: not now", code=5)
    street.settle(parse_time("2027-01-04T00:00Z"), [100] * 24)
    street.now = parse_time("2027-01-05T15:00Z")
    street.run(*reveal)
    street.refused("reveal ben.json --account ada", why="other forecast", code=5)
    street.refused("reveal deployment.json --account ben", why="`predict stake` writes it")
    street.settle(parse_time(day), [100] * 17 + [1_800] * 3 + [100] * 4)
    told = json.loads(street.run(*pay))
    assert (told["stage"], told["metered"]) == ("can be paid", "5.400 kWh")
    assert street.predict(f"pay {day}")["stage"] == "over"
    loss = 8.1 / 64  # of what ada showed [kWh]: 4.6 above, 3.5 below; what ben did not show has the worst score
    gain = 0.25 * (20 - loss) / 20 * 0.5 / 0.75
    street.run("chain", "forecasts", "withdraw", "--account", "ada", "--amount", f"{0.5 + gain - 0.0001:.9f}")
    street.run("chain", "forecasts", "withdraw", "--account", "ada", "--amount", "0.0002", code=5)


def test_outcomes_are_told_to_the_wh():
    assert [outcome_words([4_000, 4_250, 12_345], place) for place in range(4)] == [
        "less than 4.0 kWh", "4.0 to 4.25 kWh", "4.25 to 12.345 kWh", "12.345 kWh or more",
    ]  # fmt: skip


def test_what_would_go_wrong_is_told_before(street):
    for words in commands()[:3]:
        street.run(*words)
    street.refused("show", why="`predict open` makes one")
    street.refused("open --slope 0", why="give a price above zero")
    street.predict("open --slope '0.06 USD/kWh'")
    street.refused("open --slope '0.06 USD/kWh'", why="has a market for predictions already")
    ask = "create --account ada --bound '4 kWh' --blur '500 Wh' --liquidity 0.1"
    evening = "--from 2027-01-05T17:00Z --to 2027-01-05T20:00Z"
    street.refused(f"{ask} {evening} --quantity price", why="there are imported, exported, produced")
    street.refused(f"{ask} --from 2027-01-05T17:20Z --to 2027-01-05T20:00Z", why="no slot begins then")
    street.refused(f"{ask} --from 1960-01-05T17:00Z --to 1960-01-05T20:00Z", why="was before 1970")
    street.refused(f"{ask} --from 2027-01-05T17:00Z --to 2027-01-06T02:00Z", why="the same settlement period")
    street.refused(f"{ask} --from 2027-01-03T17:00Z --to 2027-01-03T20:00Z", why="bad end of trading", code=5)
    street.refused("show 0", why="there are 0")
    for bounds, blur, why in (
        (range(1, 9), 500, "there are 8, and at most 7"),
        ([0.4], 500, "the first from 0.500 kWh on"),
        ([4, 4.5], 500, "each by twice the blur at least (1.000 kWh)"),
        ([4], 0, "is above zero, so that no Wh makes a jump"),
    ):
        several = " ".join(f"--bound '{bound} kWh'" for bound in bounds)
        ask_so = f"create --account ada {several} --blur '{blur} Wh' --liquidity 0.1"
        street.refused(f"{ask_so} {evening}", why=why)
    street.refused(
        f"{ask} {evening}".replace("--liquidity 0.1", "--liquidity 0.0001"), why="is 0.001000000 USD at least"
    )
    assert street.predict(f"{ask} {evening}")["odds"] == {
        "0 less than 4.0 kWh": "50.0 % (about even)", "1 4.0 kWh or more": "50.0 % (about even)",
    }  # fmt: skip
    street.refused("buy 0 2 --pays 1 --account ben", why="outcome 2: question 0 has 0: less than 4.0 kWh; 1: 4.0")
    street.refused("buy 0 0 --pays 1 --account ben", why="holds enough", code=5)
    street.predict("buy 0 0 --pays 0.04 --account ben")
    street.refused("sell 0 0 --pays 0.05 --account ben", why="shares too low", code=5)
    street.refused("sell 0 0 --pays 0.01 --account ben --least 0,02", why="'0,02': give a number")
    assert street.predict("sell 0 0 --pays 0.01 --account ben")["you_are_paid_if_it_happens"] == "0.030000000 USD"
    assert [trade["pays"] for trade in street.predict("show 0")["trades"]] == ["0.040000000 USD", "−0.010000000 USD"]
    street.settle(parse_time("2027-01-04T00:00Z"), [100] * 24)
    street.now = parse_time("2027-01-06T00:00Z")
    street.refused("resolve 0", why="slot 2027-01-05T16:00Z is not committed by itself")
    street.now += 9 * DAY
    assert street.predict("resolve 0")["stage"] == "void"
    assert street.predict("redeem 0 --account ben")["shares_paid"] == "0.015000000 USD"


def test_a_run_that_is_over_takes_predictions_on_its_own_chain_and_still_ends_as_it_says(
    sample_state, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(sample_state, "state")
    with closing(Store(Path("state"))) as store:
        end = Reader(store).position().delivered
    assert end is not None
    day = (end // DAY + 2) * DAY
    where = ("--node", "embedded:state/chain.sqlite", "--deployment", "state/deployment.json", "--json")

    def typed(line: str) -> dict[str, Any]:
        made = call(*shlex.split(line), *where)
        assert made.code == 0, made.err
        told: dict[str, Any] = json.loads(made.out)
        return told

    typed("predict open --slope '0.06 EUR/kWh'")
    for name in ("a", "b"):
        typed(f"chain money mint --to {name} --amount 20")
    asks = f"--from {time_text(day)} --to {time_text(day + 2 * HOUR)} --bound '4 kWh' --blur '500 Wh' --liquidity 0.10"
    assert typed(f"predict create --account a {asks}")["stage"] == "open"
    typed("predict buy 0 1 --pays 0.05 --account b")
    assert len(asked_questions(Path("state"), "embedded:state/chain.sqlite")) == 1
    assert call("state", "check", "--state", "state").code == 0  # what the run committed stands before all of it
    refused = call("chain", "fund", "a", "4", *where)
    assert "belongs to a run" in refused.err
    with closing(Store(Path("state"))) as store:
        store.set(without="outcome")
    assert "its run is not over" in call("predict", "show", *where).err
