"""`transactive govern` on an embedded chain: founded, decided on, and what would be refused is told before."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transactive.chain.deployments.deployment import load
from transactive.cli import main
from transactive.cli.chain import signing
from transactive.core.slots import parse_time, time_text

BEGIN, DAY = parse_time("2026-06-05T00:00Z"), 86400


class Town:
    """Commands typed one after another; `now` is the time of the next transaction."""

    def __init__(self, monkeypatch, capsys) -> None:
        self.now, self.capsys, self.adopted = BEGIN, capsys, dict[str, Any]()
        monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: self.now))

    def run(self, *words: str, code: int = 0) -> str:
        self.now += 1
        with pytest.raises(SystemExit) as ended:
            main([*words, "--node", "embedded:chain.sqlite", "--json"])
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
    with pytest.raises(SystemExit):
        main(["init", "c"])
    capsys.readouterr()
    made = Town(monkeypatch, capsys)
    made.run("chain", "deploy", "c/community.toml", "--with", "registry", "--with", "carbon_credits")
    made.adopted = made.govern("adopt c/community.toml --guardian arbiter")
    return made


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


def test_only_members_of_a_registry_are_governed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["init", "c"])
    town = Town(monkeypatch, capsys)
    capsys.readouterr()
    town.run("chain", "deploy", "c/community.toml")
    town.refused("adopt c/community.toml", why="deploy with --with registry")
    town.refused("show", why="`govern adopt` founds one")
