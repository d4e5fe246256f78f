"""`transactive chain`: what the commands print, keep and refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.anvil import anvil
from tests.contract.served import Node, http
from tests.contract.world import MEMBERS, OWNER
from transactive.chain.artifact import CONTRACTS
from transactive.chain.embedded import replay
from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.keys.keystore import LIGHT, KeyFolder, all_keys
from transactive.chain.nodes.nodes import RpcNode as Asked
from transactive.chain.nodes.remote import Patience, provider_for
from transactive.cli import main
from transactive.config.community_file import load
from transactive.core.errors import ChainError


def run(*arguments: str) -> int:
    """Exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        main(["chain", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def made(tmp_path):
    """A state folder with a chain of three blocks."""
    (tmp_path / "state").mkdir()
    chain = EmbeddedChain(tmp_path / "state" / "chain.sqlite", alloc={OWNER.address: 10**20})
    fields: dict[str, Any] = {
        "chainId": 31337,
        "gas": 21_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 0,
        "value": 7,
    }
    for nonce in range(2):
        sent = OWNER.sign_transaction(fields | {"nonce": nonce, "to": MEMBERS[0].address})
        chain.mine(10 + nonce, [bytes(sent.raw_transaction)])
    chain.close()
    return tmp_path / "state"


def test_replay_finds_the_same_hashes_and_keeps_a_copy_if_asked(made, tmp_path, capsys):
    copy = tmp_path / "copy.sqlite"
    for more in ([], ["--to", f"embedded:{copy}"]):
        assert run("replay", "--node", f"embedded:{made}", "--json", *more) == 0
        facts = json.loads(capsys.readouterr().out)
        assert (facts["blocks"], facts["transactions"]) == (3, 2)
    chains = [EmbeddedChain(path) for path in (made / "chain.sqlite", copy)]
    assert chains[0].head.hash == chains[1].head.hash == bytes.fromhex(facts["head"])
    for chain in chains:
        chain.close()


def test_a_replay_that_fails_leaves_no_copy_that_looks_whole(made, tmp_path, monkeypatch):
    whole = replay.replay

    def stops(source: EmbeddedChain, path: Path) -> EmbeddedChain:
        def after(number: int) -> None:
            if number == 2:
                raise ChainError("block 2 does not follow")

        return whole(source, path, after)

    copy = tmp_path / "copy.sqlite"
    with monkeypatch.context() as patched:
        patched.setattr(replay, "replay", stops)
        assert run("replay", "--node", f"embedded:{made}", "--to", f"embedded:{copy}") == 5
    assert not list(tmp_path.glob("*copy*"))
    assert run("replay", "--node", f"embedded:{made}", "--to", f"embedded:{copy}") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--node", "embedded:nowhere"], "there is no chain at nowhere"),
        (["--node", "http://127.0.0.1:9"], "is no embedded chain"),
        (["--node", "embedded:{made}", "--to", "embedded:{made}"], "is there already"),
        (["--node", "embedded:{made}", "--to", "x"], "is not a URL that is known"),
    ],
)
def test_replay_refuses_in_one_line(made, arguments, message, capsys):
    assert run("replay", *(argument.format(made=made) for argument in arguments)) in (3, 5)
    assert message in capsys.readouterr().err


def ask(url: str, method: str, *params: str) -> Any:
    """Answer of a node."""
    provider = provider_for(url, Patience())
    answer = Asked(provider).ask(method, *params)
    provider.close()
    return answer


def said(capsys) -> dict[str, Any]:
    """The JSON object that a command printed."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    """A folder with the example community, as the working folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["init", "c"])
    capsys.readouterr()
    return tmp_path


@contextmanager
def chain_of(kind: str, funded: Iterable[str] = ()):
    """URL of a chain: embedded, Anvil, or chain 56 behind HTTP, where gas costs something."""
    if kind == "embedded":
        yield "embedded:chain.sqlite"
    elif kind == "anvil":
        with anvil() as url:
            yield url
    else:
        node = Node(56, ticking=True, funded=funded)
        try:
            with http(node) as url:
                yield url
        finally:
            node.chain.close()


@pytest.mark.parametrize("kind", ["embedded", pytest.param("anvil", marks=pytest.mark.service)])
def test_deploy_fund_withdraw_status(place, kind, capsys):
    with chain_of(kind) as node:
        more = ("--with", "trade_board", "--with", "carbon_credits")
        assert run("deploy", "c/community.toml", "--node", node, *more, "--json") == 0
        deployed = said(capsys)
        assert {"registry", "trade_board", "carbon_credits", "certificates", "certificate_disputes"} <= set(deployed)
        assert "balance_market" not in deployed
        assert deployed["deployment"] == "deployment.json"
        where = ("--node", node, "--deployment", "deployment.json", "--json")
        assert run("fund", "ada", "12.5", *where) == 0
        assert said(capsys)["balance_n"] == "12500000000"
        assert run("withdraw", "ada", *where) == 5
        assert "settlement: nothing requested" in capsys.readouterr().err
        assert run("withdraw", "ada", "5", *where) == 0
        assert said(capsys)["requested_n"] == "5000000000"
        assert run("withdraw", "ada", *where) == 5
        assert "settlement: notice running" in capsys.readouterr().err
        assert run("withdraw", "ada", "5.000000001", "--release", *where) == 0
        assert run("withdraw", "ada", *where) == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["paid_n"] == "5000000001"
        assert run("status", *where) == 0
        facts = said(capsys)
        assert facts["sound"] is True
        assert facts["balances_n"]["ada"] == "7499999999"
        contracts = set(CONTRACTS) - {"rules"}  # which here are those of the fork
        assert {facts[f"code_of_{name}"] for name in deployed if name in contracts} == {"as deployed"}
        assert facts["bond"] == "1,000.00 USD"
        assert run("events", *where) == 0
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        (paid,) = (event for event in events if event["event"] == "Withdrawn")
        assert paid["arguments"]["amount"] == "5000000001"
        assert not any(event["taken_back"] for event in events)
        assert run("events", *where[:-1]) == 0
        assert "settlement Withdrawn account=0x" in capsys.readouterr().out
        assert run("status", *where[:-1]) == 0
        assert re.search(r"sound +yes", capsys.readouterr().out)


def test_a_chain_of_value_wants_own_keys_coins_and_a_yes(place, capsys, monkeypatch):
    monkeypatch.setenv("TRANSACTIVE_PASSWORD", "x")
    monkeypatch.setattr("transactive.chain.nodes.client.PATIENT", Patience(longest_poll_seconds=0))
    folder = KeyFolder(place / "keys")
    for name in all_keys(load(place / "c" / "community.toml").ids):
        folder.create(name, "x", LIGHT)
    own = folder.addresses()
    command = ("deploy", "c/community.toml", "--json")
    with chain_of("56") as node:
        assert run(*command, "--node", node) == 5
        assert "chain 56 is not a development chain and demo keys are public" in capsys.readouterr().err
        with pytest.raises(SystemExit, match="5"):
            main(["run", "c/community.toml", "--no-page", "--node", node])
        assert "demo keys are public" in capsys.readouterr().err
        assert ask(node, "eth_getTransactionCount", DemoKeys().role("owner").address, "latest") == "0x0"
        assert run(*command, "--node", node, "--keys", "keys", "--yes") == 5
        refusal = capsys.readouterr().err
        assert "accounts lack coins for gas" in refusal
        assert f"{own['owner']} lacks 0." in refusal
        assert int(ask(node, "eth_getTransactionCount", own["owner"], "latest"), 16) == 0
    with chain_of("56", own.values()) as node:
        assert run(*command, "--node", node, "--keys", "keys") == 3
        assert re.search(r"would cost about 0\.\d+ BNB on chain 56; add --yes", capsys.readouterr().err)
        assert run(*command, "--node", node, "--keys", "keys", "--chain-id", "97", "--yes") == 5
        assert "is on chain 56, not on 97" in capsys.readouterr().err
        assert run(*command, "--node", node, "--keys", "keys", "--yes") == 0
        deployed = said(capsys)
        assert (deployed["chain_id"], deployed["rules"]) == (56, "cancun")
        assert run("fund", "ada", "3", "--node", node, "--keys", "keys", "--json") == 0
        assert said(capsys)["balance_n"] == "3000000000"
        assert run("fund", "ada", "3", "--node", node) == 5
        assert "demo keys are public" in capsys.readouterr().err
        assert run("status", "--node", node, "--deployment", "deployment.json", "--json") == 0
        assert said(capsys)["balances_n"]["ada"] == "3000000000"


def test_a_rehearsal_for_bnb_smart_chain_uses_the_gas_of_the_deployment(place, capsys):
    assert run("deploy", "c/community.toml", "--rehearse", "--chain-id", "56", "--gas-price-gwei", "1", "--json") == 0
    rehearsed = said(capsys)
    assert (rehearsed["chain_id"], rehearsed["rules"]) == (56, "cancun")
    assert rehearsed["cost"] == f"0.{-(-rehearsed['gas'] // 1000):06d} BNB"
    assert not list(place.glob("*.json"))
    assert run("deploy", "c/community.toml", "--node", "embedded:chain.sqlite", "--json") == 0
    chain = EmbeddedChain("chain.sqlite")
    assert chain.head.gas_used == rehearsed["gas"]
    assert len(chain.index.in_block(1)) == rehearsed["transactions"]
    chain.close()


@pytest.mark.service
def test_a_chain_moves_to_another_node(place, capsys):
    assert run("deploy", "c/community.toml", "--node", "embedded:chain.sqlite") == 0
    assert run("fund", "ben", "4", "--node", "embedded:chain.sqlite") == 0
    capsys.readouterr()
    with chain_of("anvil") as node:
        assert run("replay", "--node", "embedded:chain.sqlite", "--to", node, "--json") == 0
        assert said(capsys)["blocks"] == 3
        assert run("status", "--node", node, "--deployment", "deployment.json", "--json") == 0
        assert said(capsys)["balances_n"]["ben"] == "4000000000"
        assert run("replay", "--node", "embedded:chain.sqlite", "--to", node) == 5
        assert "has 2 blocks already" in capsys.readouterr().err


def test_what_belongs_to_a_run_is_read_only(place, made, capsys):
    assert run("deploy", "c/community.toml", "--node", "embedded:chain.sqlite") == 0
    (made / "market.sqlite").touch()
    capsys.readouterr()
    assert run("fund", "ada", "1", "--node", f"embedded:{made}") == 4
    assert "belongs to a run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("deploy", "c/community.toml"), "--node is missing"),
        (("deploy", "c/nothing.toml", "--rehearse"), "cannot be read"),
        (("deploy", "c/community.toml", "--node", "ftp://x"), "is not a URL that is known"),
        (("deploy", "c/community.toml", "--rehearse", "--keys", "nowhere"), "is no folder of keys"),
        (("status", "--node", "http://127.0.0.1:9"), "--deployment is missing"),
        (("status", "--node", "embedded:nowhere"), "there is no chain at nowhere"),
        (("status", "--node", "http://x", "--deployment", "c/community.toml"), "not as `chain deploy` writes"),
        (("events", "--node", "embedded:nowhere", "--follow"), "--follow is for a node elsewhere"),
        (("fund", "ada", "1.0000000001", "--node", "embedded:x"), "give a number above zero"),
        (("fund", "ada", "0", "--node", "embedded:x"), "give a number above zero"),
        (("fund", "ada", "1", "--node", "embedded:x"), "deployment deployment.json: cannot be read"),
        (("withdraw", "ada", "--release", "--node", "embedded:x"), "--release goes with an amount"),
    ],
)
def test_wrong_input_is_refused_in_one_line_and_nothing_is_made(place, arguments, message, capsys):
    before = sorted(place.rglob("*"))
    assert run(*arguments) in (3, 5)
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert sorted(place.rglob("*")) == before
