"""Commands on the deployment of a community in groups: each finds the settlement of whom it is about."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.contract.group_world import Books
from tests.integration.conftest import call
from tests.integration.test_group_runs import grouped
from transactive.chain.acts.links import CAPITAL, WHOLE
from transactive.chain.deployments.deployment import load
from transactive.chain.disputes.leaf_file import leaf_file
from transactive.chain.disputes.nested import proof_of
from transactive.chain.disputes.nested_file import nested_file
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.accounts import NAMED
from transactive.core.proofs.signed_orders import Fills
from transactive.core.slots import time_text


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> tuple[str, Path]:
    """Chain and deployment."""
    return deploy(tmp_path_factory.mktemp("deployed"))


def deploy(folder: Path, *more: str) -> tuple[str, Path]:
    """Contracts of three members in two groups on a new chain."""
    node, file = f"embedded:{folder / 'chain.sqlite'}", folder / "deployment.json"
    called = call("chain", "deploy", grouped(folder), "--node", node, "-o", file, "--json", *more)
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


def in_its_window(deployed: tuple[str, Path]) -> Path:
    """A day of which both groups have paid, and the whole waits for its window; file of the leaf of `b`."""
    (node, file), day, hour = deployed, 86_400, 3_600
    with closing(ChainClient.open(node)) as client:
        ledger = GroupedLedger.attach(client, DemoKeys("transactive"), load(file).address("settlement"), 3)
        books, period = Books(3 + len(NAMED)), client.head_timestamp // day + 1
        ledger.deposit([10_000] * (3 + len(NAMED)), client.head_timestamp + 1)
        for payer, payee, amount, wh in ((0, 1, 300, 3), (2, 3, 70, 7)):
            books.pay(payer, payee, amount, wh)
        leaves = books.leaves((period + 1) * 24 - 1)
        ledger.commit_slot(leaves)
        ledger.block((period + 1) * day)
        ledger.propose(period, books.nets)
        ledger.block(client.head_timestamp + 1)
        ledger.pay_groups(period, leaves, books.nets)
        ledger.block(client.head_timestamp + hour)
        proof = proof_of(ledger, 1, leaves, leaves)
        where = client.chain_id, ledger.groups[1].ledger.address, proof.own.index
        made = leaf_file(*where, proof.own.leaf, proof.own.proof, proof.own.opening, [], Fills())
        made = msgspec.structs.replace(made, whole=nested_file(ledger, proof))
    path = file.with_name("leaf.json")
    path.write_bytes(msgspec.json.encode(made))
    return path


def test_who_asks_the_whole_is_answered_or_the_operator_pays(tmp_path):
    made = deploy(tmp_path)
    leaf, inbox = in_its_window(made), tmp_path / "inbox"
    inbox.mkdir()
    watched = ("--node", made[0], "--deployment", made[1], "--files", inbox, "--once")
    waits = call("watch", "b", *watched)
    assert "nothing came yet that joins the group to the whole" in waits.out, waits.err
    shutil.copy(leaf, inbox)
    opened = call("watch", "b", *watched)
    assert "the whole says of the group what the group says" in opened.out, opened.err
    answered = ("chain", "answer", leaf, "--node", made[0], "--json")
    assert json.loads(call(*answered).out)["asked_of_the_whole"] is False
    nobody_asked = call(*answered, "--as", "operator")
    assert (nobody_asked.code, "nobody has asked for what it shows" in nobody_asked.err) == (3, True)
    did = {chain(made, "whole", "ask", "--account", "b")["did"]}
    assert "asked already" in refused(made, "whole", "ask", "--account", "c")
    done = call(*answered, "--as", "operator")
    assert json.loads(done.out)["sent"]["gas"] > 0, done.err
    assert "nothing asked" in refused(made, "whole", "overdue", "--group", "2", "--as", "operator")
    chain(made, "whole", "ask", "--account", "a")
    assert "answer awaited" in refused(made, "whole", "overdue", "--account", "a")
    with closing(ChainClient.open(made[0])) as client:
        client.block(client.head_timestamp + 16 * 60)
    did.add(chain(made, "whole", "overdue", "--account", "a")["did"])
    assert did == {act.name for act in WHOLE.acts}
    assert "has no group_link" in refused(made, "whole", "ask", "--account", "supplier")


def test_a_lost_key_is_replaced_in_its_group_with_all_that_it_had(tmp_path):
    """The new key finds balance and place, in a group as in the whole; no link's place is ever given away."""
    made = deploy(tmp_path, "--with", "registry")
    known = load(made[1])
    assert len({part.address("registry") for part in known.parts}) == len(known.parts)
    new = DemoKeys("transactive").role("arbiter")
    for name in ("c", "supplier"):
        chain(made, "fund", name, "12.5")
        chain(made, "registry", "recover", "--member", name, "--candidate", new.address)
        assert "delay running" in refused(made, "registry", "finish-recovery", "--member", name, "--as", "arbiter")
    for number, part in enumerate(known.parts):
        link = len(part.accounts) - 1
        words = ("registry", "recover", "--member", str(link), "--candidate", new.address)
        group = ("--group", str(number + 1)) if number < len(known.groups) else ()
        assert "registry: place is fixed" in refused(made, *words, *group)
    with closing(ChainClient.open(made[0])) as client:
        client.block(client.head_timestamp + 30 * 86_400)
    for name in ("c", "supplier"):
        chain(made, "registry", "finish-recovery", "--member", name, "--as", "arbiter")
        chain(made, "act", "follow", "--member", name, "--account", "a")
        part = known.part(name)
        with closing(ChainClient.open(made[0])) as client:
            settlement = client.contract("settlement", part.address("settlement"))
            assert client.read(settlement, "accountOf", part.index(name)) == new.address
            assert int(client.read(settlement, "balanceOf", new.address)) == 12_500_000_000


def test_certificates_of_a_group_are_issued_directly_by_its_own_gateway(tmp_path):
    made = deploy(tmp_path, "--direct")
    number = int(time.time()) // 3600 - 2
    known, slot = load(made[1]), time_text(number * 3600)
    readings = tmp_path / "readings.csv"
    readings.write_text(
        "member,import,export,generation,charge,discharge\nb,0,700,900,0,0\nc,700,0,0,0,0\n", encoding="utf-8"
    )
    here = ("--group", "2", "--account", "b")
    chain(made, "tokens", "enrol", *here)
    chain(made, "tokens", "issue", "--slot", slot, "--readings", str(readings), *here)
    token = str(number << 64)  # device 0 of the group, in no zone
    chain(made, "tokens", "transfer", "--to", "c", "--energy", "700", "--token", token, "--account", "b")
    claim = ("tokens", "claim", "--words", "home", "--tokens", token, "--member", "c", "--account", "c")
    assert "beyond consumption" in refused(made, *claim, "--energies", "701")
    chain(made, *claim, "--energies", "700")
    assert "not enrolled" in refused(
        made, "tokens", "issue", "--slot", slot, "--readings", str(readings), "--group", "2", "--account", "b",
        "--accounts", "2",
    )  # fmt: skip
    chain(made, "tokens", "revoke-reading", "--slot", slot, "--member", "b")
    assert known.part("a").address("certificates") != known.part("b").address("certificates")


def test_a_group_that_there_is_not_is_refused(deployed):
    words = ("capital", "carry-from-group", "--group", "3", "--account", "a")
    assert "has 2 groups" in refused(deployed, *words)


@pytest.mark.parametrize("more", [("--with", "balance_market"), ("--with", "trade_board")])
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
