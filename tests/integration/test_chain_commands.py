"""`transactive chain`: what the commands print, keep and refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.world import MEMBERS, OWNER
from transactive.chain.embedded.chain import EmbeddedChain
from transactive.cli import main


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--node", "embedded:nowhere"], "there is no chain at nowhere"),
        (["--node", "http://127.0.0.1:9"], "is no embedded chain"),
        (["--node", "embedded:{made}", "--to", "embedded:{made}"], "is there already"),
        (["--node", "embedded:{made}", "--to", "x"], "give embedded:FILE"),
    ],
)
def test_replay_refuses_in_one_line(made, arguments, message, capsys):
    assert run("replay", *(argument.format(made=made) for argument in arguments)) in (3, 5)
    assert message in capsys.readouterr().err
