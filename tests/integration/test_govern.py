"""`transactive govern` on an embedded chain: founded, decided on, and what would be refused is told before."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.contract.anvil import anvil
from tests.integration.test_live_decisions import Town as LiveTown
from transactive.chain.deployments.deployment import load
from transactive.chain.governance import founding
from transactive.chain.governance.decisions import DEPTH, decisions
from transactive.cli import main
from transactive.cli.chain import signing
from transactive.config.setting import load_setting
from transactive.core.errors import ChainError
from transactive.core.governance.decided import with_decided
from transactive.core.slots import parse_time, time_text
from transactive.engine.governance.decided_rules import asking, take_up
from transactive.engine.governance.recorded_rules import KEY, recorded
from transactive.engine.governance.silences import silences
from transactive.store import Store

BEGIN, DAY = parse_time("2026-06-05T00:00Z"), 86400


class Town:
    """Commands typed one after another; `now` is the time of the next transaction."""

    def __init__(self, monkeypatch, capsys, node: str = "embedded:chain.sqlite") -> None:
        self.now, self.capsys, self.adopted, self.node = BEGIN, capsys, dict[str, Any](), node
        monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: self.now))

    def run(self, *words: str, code: int = 0) -> str:
        self.now += 1
        with pytest.raises(SystemExit) as ended:
            main([*words, "--node", self.node, "--json"])
        told = self.capsys.readouterr()
        assert ended.value.code == code, told
        return str(told.err if code else told.out)

    def govern(self, line: str, *more: str):
        return json.loads(self.run("govern", *line.split(), *more))

    def refused(self, line: str, *more: str, why: str, code: int = 3) -> None:
        told = self.run("govern", *line.split(), *more, code=code)
        assert why in told
        assert len(told.splitlines()) == 1


@pytest.fixture
def town(tmp_path, monkeypatch, capsys):
    """A community with a registry and a governor; the guardian is the arbiter."""
    monkeypatch.chdir(tmp_path)
    return founded(Town(monkeypatch, capsys))


def founded(made: Town) -> Town:
    """The town once its community has a governor."""
    with pytest.raises(SystemExit):
        main(["init", "c"])
    made.capsys.readouterr()
    made.run("chain", "deploy", "c/community.toml", "--with", "registry", "--with", "carbon_credits")
    made.adopted = made.govern("adopt c/community.toml --guardian arbiter")
    return made


def decide(town: Town, fee: int, since: str) -> None:
    """Let all members decide on another network fee."""
    who = members()
    town.govern(f"propose --account {who[0]} --set network-fee={fee} --since {since}")
    for name in who[1:]:
        if town.govern("show 0")["stage"] == "voting":
            break
        town.govern(f"second 0 --account {name}")
    for name in who:
        town.govern(f"vote 0 yes --account {name}")
    for days in (7, 3):
        town.now += days * DAY
        town.run("chain", "governor", "checkpoint", "--as", "operator")
    town.govern("execute 0")


def members() -> list[str]:
    """Members of the example."""
    return list(load(Path("deployment.json")).accounts[:-5])


def test_members_decide_on_a_fee(town):
    told = town.adopted
    assert set(told["owned_by_the_governor"].split(", ")) == {
        "currency", "settlement", "registry", "carbon_credits", "rules",
    }  # fmt: skip
    offices = {key.rpartition(" ")[0] for key in told["working_keys"]}
    assert offices == {"operator", "arbiter", "gateway", "registrar", "markets' operator", "guardian", "minter"}
    town.refused("adopt c/community.toml", why="has a governor already")
    who, since = members(), time_text(BEGIN + 60 * DAY)
    fee = town.govern("show")["numbers"]["network-fee"]
    assert fee > 0
    first = who[0]
    town.refused(f"propose --account {first} --kind election --call x", why="elections of persons are held elsewhere")
    town.refused(f"propose --account {first} --set network-fee=1", why="--since is missing")
    town.refused(f"propose --account {first} --set fee=1 --since {since}", why="write NAME=VALUE, with one of")
    town.refused(f"propose --account {first} --set network-fee=499999 --since {since}", why="can become")
    town.refused(f"propose --account {first} --set network-fee={fee} --since {time_text(BEGIN)}", why="too soon")
    town.refused(f"propose --account supplier --set network-fee={fee} --since {since}", why="no elector", code=5)
    made = town.govern(f"propose --account {first} --set network-fee={fee + 1000} --since {since}")
    assert made["does"] == f"network-fee = {fee + 1000} µ¤/kWh from {since} on"
    assert made["stage"] == "seeking seconders"
    for name in who[1:]:
        if town.govern("show 0")["stage"] == "voting":
            break
        town.govern(f"second 0 --account {name}")
    town.govern(f"vote 0 no --account {first} --sign early.json")
    town.govern(f"vote 0 yes --account {first} --turn 2 --sign late.json")
    town.govern(f"vote 0 yes --account {who[1]} --sign other.json")
    told = town.govern("tally 0 early.json late.json other.json")
    assert (told["yes"], told["no"], told["brought"]) == (2, 0, 2)
    assert town.govern("show 0")["votes"] == {first: "yes", who[1]: "yes"}
    town.now += 7 * DAY
    town.run("chain", "governor", "checkpoint", "--as", "operator")
    assert town.govern("show 0")["stage"] == "decided, waiting"
    town.refused("execute 0", why="whoever disagrees can leave first")
    town.now += 3 * DAY
    town.run("chain", "governor", "checkpoint", "--as", "operator")
    assert town.govern("execute 0")["stage"] == "executed"
    town.now = BEGIN + 61 * DAY
    town.run("chain", "governor", "checkpoint", "--as", "operator")
    assert town.govern("show")["numbers"]["network-fee"] == fee + 1000
    _taken_up(fee + 1000, parse_time(since), town.capsys)


def _taken_up(fee: int, since: int, capsys) -> None:
    """A run records the decision once, and goes by it also where the chain is away."""
    folder, where = Path("c/community.state"), ("embedded:chain.sqlite", Path("deployment.json"), 3600)
    folder.mkdir()
    assert recorded(folder) == []
    found = take_up(folder, *where)
    assert [(one.number, one.value, one.holds_from) for one in found] == [("network-fee", fee, since)]
    assert "members decided on network-fee" in capsys.readouterr().err
    assert take_up(folder, *where) == recorded(folder) == found
    assert take_up(folder, "http://127.0.0.1:1", *where[1:]) == found
    assert f"go on: those of block {found[0].block}" in capsys.readouterr().err
    assert silences(folder) == [(0, None)]
    take_up(folder, *where)
    assert silences(folder) == []  # no slot began in between
    rules = load_setting(Path("c/community.toml"), revised=partial(with_decided, decided=found)).community
    fees = [rules.at(slot).tariff.network_fee_micro_per_kwh for slot in (since - 3600, since)]
    assert fees == [fee - 1000, fee]
    with closing(Store(folder)) as store:
        other = msgspec.structs.replace(found[0], block_hash="0x" + "ee" * 32)
        store.set(**{KEY: msgspec.json.encode([other]).decode()})
    with pytest.raises(ChainError, match="is not on this chain any more"):
        take_up(folder, *where)


def test_a_proxy_votes_the_guardian_stops_and_an_office_changes(town):
    who = members()
    call = "settlement offerOperator 0x" + "c0" * 20
    town.refused(f"propose --account {who[0]} --kind basic --call", "settlement nothing", why="no function 'nothing'")
    town.refused(f"propose --account {who[0]} --kind basic --call", "settlement setArbiter", why="takes 1 values")
    town.refused(f"propose --account {who[0]} --call", call, why="governor: not ordinary", code=5)
    made = town.govern(f"propose --account {who[0]} --kind basic --call", call)
    assert made["does"].lower() == call.lower()
    for name in who[1:]:
        if town.govern("show 0")["stage"] == "voting":
            break
        town.govern(f"second 0 --account {name}")
    town.govern(f"proxy --account {who[2]} --to {who[1]}")
    town.govern(f"vote 0 yes --account {who[1]} --for {who[2]}")
    assert town.govern("show 0")["votes"] == {who[2]: "yes (by proxy)"}
    for name in who:
        town.govern(f"vote 0 yes --account {name}")
    stopped = town.govern("stop 0")
    assert stopped["stage"] == "voting again, after a stop"
    town.refused("stop 0", why="not to be stopped", code=5)
    town.refused("second 7 --account ada", why="proposal 7: there are 1")
    town.refused("tally 0 deployment.json", why="`govern vote --sign` writes ballots")


def test_an_interrupted_founding_is_taken_up(tmp_path, monkeypatch, capsys):
    """Killed when the contracts are there and the file names them: the owner has all roles yet."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["init", "c"])
    capsys.readouterr()
    town = Town(monkeypatch, capsys)
    town.run("chain", "deploy", "c/community.toml", "--with", "registry")
    before = Path("deployment.json").read_text()
    town.refused("adopt c/community.toml --guardian arbitre", why="--guardian arbitre: nobody has this name")
    assert Path("deployment.json").read_text() == before
    with monkeypatch.context() as killed:
        killed.setattr(founding, "hand_over", lambda *_: sys.exit(137))
        town.run("govern", "adopt", "c/community.toml", code=137)
    town.refused("show", why="is its owner or can become it", code=5)
    assert "settlement" in town.govern("adopt c/community.toml")["owned_by_the_governor"]
    town.refused("adopt c/community.toml", why="has a governor already")


def test_only_members_of_a_registry_are_governed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["init", "c"])
    town = Town(monkeypatch, capsys)
    capsys.readouterr()
    town.run("chain", "deploy", "c/community.toml")
    town.refused("adopt c/community.toml", why="deploy with --with registry")
    town.refused("show", why="`govern adopt` founds one")


def test_a_decision_counts_once_its_block_is_final():
    asked = []

    def logs(_rules: Any, first: int, last: int) -> list[Any]:
        asked.append((first, last))
        return []

    client = SimpleNamespace(height=100, is_embedded=False, logs=logs)
    governance: Any = SimpleNamespace(client=client, rules=None)
    assert decisions(governance, 3600, 0, after=40) == []
    assert decisions(governance, 3600, 0, after=100 - DEPTH) == []  # nothing final is new
    client.is_embedded = True
    decisions(governance, 3600, 0, after=40)
    assert asked == [(41, 100 - DEPTH), (41, 100)]


@pytest.mark.service
def test_a_live_market_hears_of_a_decision_on_a_node_that_is_not_ours(tmp_path, monkeypatch, capsys):
    """In its journal after the slot in which it was final; the replay asks no chain, and ends the same."""
    monkeypatch.chdir(tmp_path)
    with anvil("--timestamp", str(BEGIN - DAY)) as node:
        town = founded(Town(monkeypatch, capsys, node))
        fee = town.govern("show")["numbers"]["network-fee"] + 1000
        decide(town, fee, time_text(BEGIN + 60 * DAY))
        (tmp_path / "live").mkdir()
        live = LiveTown(tmp_path / "live")
        told: list[str] = []
        asked = asking(live.folder, node, Path("deployment.json"), live.length, told.append, depth=0)
        monkeypatch.setattr(live, "ask", lambda after, slot: asked(after, slot) if slot > live.heard_at else [])
        outcome, _ = live.live()
        heard = recorded(live.folder)
        assert [(one.number, one.value) for one in heard] == [("network-fee", fee)]
        assert asked(heard[0].block, live.slots[-1]) == []
    assert asked(heard[0].block, live.slots[-1]) == []
    assert len(told) == 1
    assert "the rules that were known last go on" in told[0]
    assert silences(live.folder) == [(live.slots[-1], None)]
    again, _ = live.again(tmp_path / "again")
    assert again.summary.state_hash == outcome.summary.state_hash
    assert recorded(tmp_path / "again") == heard
