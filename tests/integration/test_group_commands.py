"""Commands on the deployment of a community in groups: each finds the settlement of whom it is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import call
from tests.integration.test_group_runs import grouped
from transactive.chain.acts.links import CAPITAL
from transactive.chain.deployments.deployment import load


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> tuple[str, Path]:
    """Chain and deployment."""
    folder = tmp_path_factory.mktemp("deployed")
    node, file = f"embedded:{folder / 'chain.sqlite'}", folder / "deployment.json"
    called = call("chain", "deploy", grouped(folder), "--node", node, "-o", file, "--json")
    assert called.code == 0, called.err
    return node, file


def chain(deployed: tuple[str, Path], *words: str) -> dict[str, Any]:
    """What a command says."""
    node, file = deployed
    called = call("chain", *words, "--node", node, "--deployment", file, "--json")
    assert called.code == 0, (words, called.err)
    found: dict[str, Any] = json.loads(called.out)
    return found


def refused(deployed: tuple[str, Path], *words: str) -> str:
    """Why a command does not do it."""
    node, file = deployed
    called = call("chain", *words, "--node", node, "--deployment", file)
    assert called.code
    return called.err


def test_a_deployment_names_every_group(deployed):
    known = load(deployed[1])
    assert [group.members for group in known.groups] == [1, 2]
    assert [part.accounts[-1] for part in known.parts] == ["all others", "all others", "group 2"]
    assert known.part("c").index("c") == 1
    assert known.part("supplier").address("settlement") == known.address("settlement")
    assert len({part.address("settlement") for part in known.parts}) == 3


@pytest.mark.parametrize("account", ["a", "c", "supplier"])
def test_money_comes_and_goes_where_the_account_is(deployed, account):
    assert chain(deployed, "fund", account, "12.5")["balance_n"] == "12500000000"
    chain(deployed, "withdraw", account, "2", "--release")
    assert chain(deployed, "withdraw", account)["paid_n"] == "2000000000"
    limited = chain(deployed, "act", "limit", "--account", account, "--amount", "3")
    assert limited["events"]


def test_capital_is_asked_for_and_shifted_in_a_group(deployed):
    did = set()
    for act in CAPITAL.acts:
        words = ["capital", act.name, "--group", "2", *(["--amount", "1"] if act.values else [])]
        if act.by == "anybody":
            words += ["--account", "a"]
            assert "notice running" in refused(deployed, *words)
        else:
            chain(deployed, *words)
        did.add(act.function)
    assert did == {"shift", "takeBack", "carry"}


def test_a_group_that_there_is_not_is_refused(deployed):
    words = ("capital", "carry-from-group", "--group", "3", "--account", "a")
    assert "has 2 groups" in refused(deployed, *words)


@pytest.mark.parametrize("more", [("--direct",), ("--with", "registry"), ("--with", "balance_market")])
def test_what_groups_cannot_have_is_refused_before_anything_is_sent(tmp_path, more):
    called = call(
        "chain",
        "deploy",
        grouped(tmp_path),
        "--node",
        f"embedded:{tmp_path / 'chain.sqlite'}",
        "-o",
        tmp_path / "d.json",
        *more,
    )
    assert called.code
    assert "groups" in called.err
    assert not (tmp_path / "d.json").exists()
