"""`transactive credits publish`: a register on the contract, on a chain of its own and on a node that is not ours."""

import json
import shutil
from pathlib import Path

import pytest

from tests.contract.anvil import anvil
from tests.integration.conftest import call
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import ChainError
from transactive.services.credits import credits_in

WORDS = ("--beneficiary", "Ada", "--reason", "a flight", "--period", "2017")


@pytest.fixture(scope="module")
def run(sample_state, tmp_path_factory) -> Path:
    """State folder of a small run that offset, with steps by hand behind it."""
    state: Path = tmp_path_factory.mktemp("published") / "state"
    shutil.copytree(sample_state, state)
    for step in (
        ("buy", 1, 7, "--paid", "cash", "--as", "ada"),
        ("retire", "EX-1-2016-1", 4, *WORDS, "--as", "ada"),
        ("take-back", 1, "--as", "c"),
        ("reverse", "EX-1-2015-1", 25, "--as", "ann"),
    ):
        assert call("credits", *step, "--state", state).code == 0
    return state


def published(run, *options):
    made = call("credits", "publish", "--state", run, "--json", *options)
    assert made.code == 0, made.err
    return json.loads(made.out)


def fresh(run, tmp_path):
    """A copy of the state that has not been published."""
    state: Path = tmp_path / "state"
    state.mkdir()
    (state / "market.sqlite").write_bytes((run / "market.sqlite").read_bytes())
    return state


def test_a_register_is_repeated_on_chain_and_agrees_to_the_last_receipt(run, tmp_path):
    state = fresh(run, tmp_path)
    first = published(state)
    register = credits_in(state).register
    assert first["agrees"] is True
    assert first["steps"] == first["steps_now"] == len(credits_in(state).log)
    assert first["retired_kg"] == sum(register.retired_kg.values()) > 4
    assert len(first["receipts"]) == len(register.receipts)
    assert all(len(receipt["hash"]) == 64 for receipt in first["receipts"].values())
    again = published(state)
    assert (again["steps_now"], again["gas"], again["contract"]) == (0, first["gas"], first["contract"])
    assert call("credits", "retire", "EX-1-2016-1", 3, *WORDS, "--as", "ada", "--state", state).code == 0
    more = published(state)
    assert (more["steps_now"], more["contract"]) == (1, first["contract"])
    assert len(more["receipts"]) == len(register.receipts) + 1


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_an_interrupted_publication_goes_on_and_sends_nothing_twice(run, tmp_path, monkeypatch, calls):
    """It dies after a block, before it is written down: of the deployment, of coins, of the steps themselves."""
    state, left = fresh(run, tmp_path), [calls]
    block = ChainClient.block

    def dying(client, timestamp):
        made = block(client, timestamp)
        left[0] -= 1
        if not left[0]:
            raise ChainError("the line went dead")
        return made

    with monkeypatch.context() as patched:
        patched.setattr(ChainClient, "block", dying)
        assert call("credits", "publish", "--state", state).code == 5
    assert published(state)["agrees"] is True
    assert published(state)["steps_now"] == 0


@pytest.mark.service
def test_a_node_that_is_not_ours_says_the_same(run, tmp_path):
    embedded, elsewhere = fresh(run, tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    here = published(embedded)
    with anvil() as url:
        there = published(fresh(run, elsewhere), "--node", url)
        assert there["gas"] == here["gas"]
        assert there["receipts"] == here["receipts"]
        made = call("credits", "publish", "--state", embedded, "--node", url)
        assert (made.code, made.err.count("\n")) == (4, 1)
        assert "its credits are at embedded:" in made.err


def test_what_cannot_be_published_is_said(run, tmp_path):
    for options, code, said in (
        (("--state", tmp_path), 4, "holds no run"),
        (("--state", run, "--node", f"embedded:{run}"), 4, "belongs to a run"),
        (("--state", run, "--node", "http://127.0.0.1:9"), 5, "127.0.0.1:9"),
    ):
        made = call("credits", "publish", *options)
        assert (made.code, made.out, made.err.count("\n")) == (code, "", 1), made.err
        assert said in made.err


def test_a_contract_that_says_otherwise_is_found(run, tmp_path, monkeypatch):
    state = fresh(run, tmp_path)
    published(state)
    register = credits_in(state).register

    def other(self, number):
        return self.batch_before(number).__class__(register.batches[0].issued_kg, 0, 0, 0)

    from transactive.chain.ledgers.carbon_credits import CreditContract

    monkeypatch.setattr(CreditContract, "batch_before", CreditContract.batch, raising=False)
    monkeypatch.setattr(CreditContract, "batch", other)
    made = call("credits", "publish", "--state", state)
    assert made.code == 70
    assert "a batch on chain is that of the register" in made.err
