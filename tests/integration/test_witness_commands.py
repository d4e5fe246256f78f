"""`transactive chain witness` and `chain freeze`: a run's own chain, proved to contracts on another one."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.integration.conftest import call
from transactive.chain.commitments import head_of
from transactive.chain.history import commitments
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.nodes.client import ChainClient
from transactive.chain.witnessing import load_witness, sign_block
from transactive.core.errors import InputError
from transactive.services.statements.witnessed import GivenWitness

KEYS = DemoKeys()


@pytest.fixture(scope="module")
def there(tmp_path_factory) -> str:
    """Another chain, on which three have gas."""
    url = f"embedded:{tmp_path_factory.mktemp('there') / 'there.sqlite'}"
    alloc = [KEYS.account(number).address for number in (3, 4, 5)]
    with closing(ChainClient.open(url, genesis_time=1, alloc=alloc)) as client:
        client.block(1_500_000_000)
    return url


def basis_of_the_last_slot(folder: Path, given: GivenWitness, *, is_later: bool) -> str:
    """What a witness is worth for the last slot of its period. is_later: had that come after the signed block."""
    written = load_witness(given.file)

    def with_one_later(client: ChainClient, settlement: Any) -> list[Any]:
        known = commitments(client, settlement)
        last = max(one.slot for one in known)
        before = [SimpleNamespace(slot=min(one.slot, last - 1), hash=one.hash, block=one.block) for one in known]
        return [*before, SimpleNamespace(slot=last, hash=b"", block=written.block.number + 1)]

    with (
        closing(ChainClient.open(f"embedded:{folder / 'chain.sqlite'}")) as here,
        pytest.MonkeyPatch.context() as patch,
    ):
        settlement = here.contract("settlement", written.settlement)
        last, length = max(one.slot for one in commitments(here, settlement)), here.read(settlement, "slotSeconds")
        if is_later:
            patch.setattr("transactive.chain.history.commitments", with_one_later)
        chain = SimpleNamespace(settlement=written.settlement)
        statement: Any = SimpleNamespace(chain=chain, slots=[SimpleNamespace(slot=last * length)])
        return given.basis(statement, here)


def test_the_head_of_a_run_is_proved_there_and_two_hashes_freeze_it(demo_run, there, tmp_path):
    file = tmp_path / "witness.json"
    made = call("chain", "witness", demo_run.folder, "--node", there, "--as", "3", "--as", "4", "-o", file, "--json")
    assert made.code == 0, made.err
    facts, written = json.loads(made.out), load_witness(file)
    assert set(written.block.signatures) == {KEYS.account(number).address for number in (3, 4)}
    with closing(ChainClient.open(f"embedded:{demo_run.folder / 'chain.sqlite'}")) as here:
        settlement = here.contract("settlement", written.settlement)
        slots = int(here.read(settlement, "slotsPerPeriod"))
        head = head_of(one for one in commitments(here, settlement) if one.slot // slots == facts["period"])
        assert here.read(settlement, "heads", facts["period"]) == head
    with closing(ChainClient.open(there)) as client:
        witness = client.contract("witness", written.contract)
        given = written.block.chain_id, written.settlement, written.period, head
        assert client.read(witness, "headSeen", *given) == facts["of_block"] + 1

    statement = tmp_path / "house-04.json"
    assert call("statement", "--state", demo_run.folder, "--member", "house-04", "-o", statement).code == 0
    verify = ("verify", statement, "--state", demo_run.folder, "--json", "--witness", file)
    assert "go together" in call(*verify).err
    told = json.loads(call(*verify, "--witness-node", there).out)
    assert (told["holds"], told["contradiction"]) == (True, None)
    assert told["worth"].startswith(f"witnessed in block {facts['of_block']} on chain ")
    worth = GivenWitness(file, there)
    assert "not witnessed by it" not in basis_of_the_last_slot(demo_run.folder, worth, is_later=False)
    assert "or committed after block" in basis_of_the_last_slot(demo_run.folder, worth, is_later=True)
    elsewhere = tmp_path / "elsewhere.json"
    earlier = msgspec.structs.replace(written, block=msgspec.structs.replace(written.block, number=1))
    elsewhere.write_bytes(msgspec.json.encode(earlier))
    wrong = json.loads(call(*verify[:-1], elsewhere, "--witness-node", there).out)
    assert "has another head than the witness knows" in wrong["contradiction"]

    words = ("chain", "witness", demo_run.folder, "--node", there, "--contract", written.contract, "--as", "3", "-o")
    kept = call(*words, file)
    assert "keep it" in kept.err
    again = call(*words, tmp_path / "again.json")
    assert "noted already" in again.err

    other = tmp_path / "other.json"
    other.write_text(file.read_text().replace(written.block.hash, "0x" + "07" * 32))
    freeze = ("chain", "freeze", file, other, "--node", there, "--as", "5", "--json")
    assert "bad signature" in call(*freeze).err
    assert "do not show one signer" in call("chain", "freeze", file, file, "--node", there, "--as", "5").err
    with closing(ChainClient.open(there)) as client:
        block = (*written.block.content[:2], b"\x07" * 32)
        twice = sign_block(client, client.contract("witness", written.contract), block, [KEYS.account(4)])
    other.write_bytes(msgspec.json.encode(msgspec.structs.replace(written, block=twice)))
    assert json.loads(call(*freeze).out)["signer"] == KEYS.account(4).address
    assert "frozen" in call(*words, tmp_path / "third.json").err


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--contract", "x"), "is no address"), (("--governor", "0x12"), "is no address")],
)
def test_a_witness_that_cannot_be_says_why(demo_run, there, tmp_path, words, said):
    done = call("chain", "witness", demo_run.folder, "--node", there, "--as", "3", "-o", tmp_path / "w.json", *words)
    assert (done.code, said in done.err) == (3, True), done.err
    done = call("chain", "witness", tmp_path, "--node", there, "--as", "3", "-o", tmp_path / "w.json")
    assert "has no chain of its own" in done.err


def test_a_file_that_is_no_witness_is_named(tmp_path):
    place: Path = tmp_path / "w.json"
    with pytest.raises(InputError, match="cannot be read"):
        load_witness(place)
    block = {"chain_id": 1, "number": 2, "hash": "0x" + "07" * 32, "signatures": {"0x" + "1" * 40: "0x" + "2" * 130}}
    right = {"chain_id": 1, "contract": "0x" + "1" * 40, "settlement": "0x" + "2" * 40, "period": 3, "block": block}
    place.write_text(json.dumps(right))
    assert load_witness(place).block.signed
    for wrong in (
        {},
        right | {"contract": "0x12"},
        right | {"period": -1},
        right | {"block": block | {"hash": "0xzz"}},
        right | {"block": block | {"signatures": {"0x" + "1" * 40: "0x22"}}},
        right | {"block": block | {"signatures": {"nobody": "0x" + "2" * 130}}},
    ):
        place.write_text(json.dumps(wrong))
        with pytest.raises(InputError, match=r"w\.json"):
            load_witness(place)
