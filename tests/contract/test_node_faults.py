"""Whatever a node or the way to it does, a step is on chain once, or a clear error says that it is not."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.anvil import anvil
from tests.contract.faulty import AFTER, BEFORE, FAULTS, Proxy, proxy
from tests.contract.served import HOUR, KEYS, START, Node, http
from tests.contract.world import ON
from tests.waiting import LIMIT_SECONDS
from transactive.chain.keys.keys import DEVELOPMENT_CHAINS
from transactive.chain.nodes import outbox
from transactive.chain.nodes.client import ETHER, ChainClient
from transactive.chain.nodes.remote import ASKED_ONCE, Patience
from transactive.core.errors import ChainError, NodeUnreachable

HASTY = Patience(
    answer_seconds=LIMIT_SECONDS, first_pause_seconds=0.002, final_seconds=LIMIT_SECONDS, longest_poll_seconds=0.02
)
GIVES_UP = replace(HASTY, answer_seconds=1)
"""For answers that never come in time; one that is slow for another reason is asked for again."""
OWNER, HOLDER = KEYS.role("owner"), KEYS.account(0).address
METHODS = {
    31337: ("eth_chainId", "eth_getBlockByNumber", "eth_sendRawTransaction", "evm_mine", "eth_getTransactionReceipt"),
    56: ("eth_estimateGas", "eth_sendRawTransaction", "eth_getTransactionReceipt"),
}


@contextmanager
def node(kind: str):
    """URL of a node: an embedded chain behind HTTP, or Anvil; on chain 31337, or on 56 with a clock of its own."""
    name, chain_id = kind.split()
    addresses = KEYS.addresses(1)
    if name == "embedded":
        made = Node(int(chain_id), ticking=chain_id == "56", funded=addresses)
        try:
            with http(made) as url:
                yield url
        finally:
            made.chain.close()
    else:
        clock = ["--block-time", "1", "--timestamp", str(START)]
        with anvil("--chain-id", chain_id, *(clock if chain_id == "56" else ())) as url:
            client = ChainClient.open(url)
            for address in addresses:
                client._node.ask("anvil_setBalance", address, hex(10**6 * ETHER))
            client.close()
            yield url


class Minting:
    """A currency behind a proxy, and a step that mints seven to one holder and nine to the owner."""

    def __init__(self, way: Proxy, outbox: Path | str = ":memory:", patience: Patience = HASTY) -> None:
        self.way, self.outbox, self.patience = way, outbox, patience
        self.client = client = ChainClient.open(
            way.url, outbox=outbox, genesis_time=START - 2 * HOUR, patience=patience
        )
        if not way.token:
            token = client.deploy(OWNER, "currency", "x", "x", 10**18)
            client.send(OWNER, token, "setMinter", OWNER.address, ON)
            client.block(self.time())
            way.token = str(token.address)
        self.token = client.contract("currency", way.token)
        self.first_nonce, self.at, self.supply = self.nonce(), self.time(), self.total()

    @property
    def dev(self) -> bool:
        return self.client.chain_id in DEVELOPMENT_CHAINS

    def nonce(self) -> int:
        return self.client._node.number("eth_getTransactionCount", OWNER.address, "latest")

    def total(self) -> int:
        return int(self.client.read(self.token, "totalSupply"))

    def time(self) -> int:
        """Time of the next step: a development chain follows ours, any other is where it is."""
        return max(self.client.head_timestamp + self.dev, START)

    def reopen(self) -> None:
        """As after the end of the program."""
        self.client.close()
        self.client = ChainClient.open(self.way.url, outbox=self.outbox, patience=self.patience)

    def step(self, amounts=(7, 9)) -> None:
        for to, amount in zip((HOLDER, OWNER.address), amounts, strict=True):
            self.client.send(OWNER, self.token, "mint", to, amount)
        self.client.block(self.at)

    def check_once(self) -> None:
        self.way.always.clear()
        assert self.total() == self.supply + 16
        assert self.nonce() == self.first_nonce + 2


@pytest.fixture(
    scope="module", params=["embedded 31337", pytest.param("anvil 31337", marks=pytest.mark.service), "embedded 56"]
)
def way(request):
    """A node of each kind behind a proxy, for all tests that leave it as it was."""
    with node(request.param) as url, proxy(url) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_fault_is_left(request):
    yield
    if "way" in request.fixturenames:
        request.getfixturevalue("way").repair()


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_of_any_request_is_survived(way, fault):
    minting = Minting(way, patience=GIVES_UP if fault == "late" else HASTY)
    for method in METHODS[minting.client.chain_id]:
        if fault != "late" or method in ("eth_sendRawTransaction", "eth_getTransactionReceipt"):  # each costs a second
            way.plan(method, fault)
    minting.step()
    minting.check_once()
    minting.client.close()


@pytest.mark.parametrize("fault", [BEFORE, AFTER, "garbage"])
def test_a_lasting_fault_ends_in_an_error_and_a_repeated_step_happens_once(way, fault, tmp_path):
    minting = Minting(way, tmp_path / "outbox")
    for method in METHODS[minting.client.chain_id]:
        found_out = fault != BEFORE and method in ASKED_ONCE  # by looking whether the node acted on it
        over = found_out or minting.client.block_at(minting.at) is not None
        way.always[method] = fault
        before = way.asked[method]
        if not over:
            with pytest.raises(NodeUnreachable, match=f"does not answer {method}"):
                minting.step()
        assert way.asked[method] - before <= 2 * HASTY.tries
        way.always.clear()
        minting.reopen()
    minting.step()
    minting.check_once()
    assert minting.client.block_at(minting.at) is not None
    minting.client.close()


@pytest.mark.parametrize("sent", range(4))
def test_a_step_that_was_interrupted_anywhere_happens_once(way, sent, tmp_path):
    """As after a kill: the first `sent` requests to send arrived, the answer of the last one did not."""
    minting = Minting(way, tmp_path / "outbox")
    faults = [None] * max(sent - 1, 0) + [AFTER if sent else BEFORE]
    way.plan("eth_sendRawTransaction", *faults)
    way.always |= {"eth_getTransactionByHash": BEFORE, "evm_mine": BEFORE, "eth_getTransactionReceipt": BEFORE}
    with pytest.raises(NodeUnreachable):
        minting.step()
    way.always.clear()
    minting.reopen()
    with pytest.raises(ChainError, match="repeat that before anything else"):
        minting.client.block(minting.at + 1)
    assert minting.client.block_at(minting.at) is None
    minting.step()
    minting.check_once()
    minting.client.close()


def test_another_step_in_the_place_of_an_interrupted_one_is_refused(way, tmp_path):
    minting = Minting(way, tmp_path / "outbox")
    way.always["eth_getTransactionReceipt"] = BEFORE
    with pytest.raises(NodeUnreachable):
        minting.step()
    way.always.clear()
    minting.reopen()
    with pytest.raises(ChainError, match="is not what this step had signed"):
        minting.step((7, 10))
    minting.step()
    minting.check_once()
    minting.client.close()


def test_a_call_whose_nonce_somebody_else_used_goes_out_with_the_next(way, capsys):
    minting = Minting(way)
    other = ChainClient.open(way.url, patience=HASTY)
    minting.client.send(OWNER, minting.token, "mint", HOLDER, 7)
    minting.client.send(OWNER, minting.token, "mint", HOLDER, 9)
    other.send(OWNER, minting.token, "mint", HOLDER, 5)
    other.block(minting.at)
    minting.client.block(minting.time())
    assert minting.total() == minting.supply + 5 + 16
    assert minting.nonce() == minting.first_nonce + 3
    first = minting.first_nonce
    told = capsys.readouterr().err
    assert f"mint: nonce {first} of {OWNER.address} was used by another transaction" in told
    assert f"signed again with nonce {first + 1}" in told
    minting.client.send(OWNER, minting.token, "mint", HOLDER, 1)  # and what comes later has the nonces after it
    minting.client.block(minting.time())
    assert minting.total() == minting.supply + 5 + 17
    for client in (other, minting.client):
        client.close()


def test_a_copy_of_a_run_that_sent_the_same_is_named_and_nothing_is_sent(way, monkeypatch):
    minting = Minting(way)
    other = ChainClient.open(way.url, patience=HASTY)
    fees = other._node._fees  # type: ignore[union-attr]
    dearer = lambda: tuple(fee + 1 for fee in fees())  # noqa: E731 - else it would be the very same transaction
    monkeypatch.setattr(other._node, "_fees", dearer)
    minting.client.send(OWNER, minting.token, "mint", HOLDER, 7)
    other.send(OWNER, minting.token, "mint", HOLDER, 7)
    other.block(minting.at)
    with pytest.raises(ChainError, match=f"nonce {minting.first_nonce} of {OWNER.address} was used by transaction 0x"):
        minting.client.block(minting.time())
    assert minting.total() == minting.supply + 7
    for client in (other, minting.client):
        client.close()


def test_an_account_without_coins_is_named(way):
    minting = Minting(way)
    poor = KEYS.account(99)
    minting.client.send(poor, minting.token, "transfer", HOLDER, 0)
    with pytest.raises(ChainError, match=f"transfer: {poor.address} has 0 wei, too little"):
        minting.client.block(minting.at)
    minting.client.close()


def test_another_chain_behind_the_same_url_is_noticed(way):
    minting = Minting(way)
    way.plan("eth_chainId", {"result": "0x5"})
    with pytest.raises(ChainError, match=r"was on chain \d+ and is on chain 5 now"):
        minting.step()
    minting.step()
    minting.check_once()
    minting.client.close()


@pytest.mark.parametrize("times", [1, 3, 4])
def test_a_fee_that_is_too_low_is_raised_a_few_times(times):
    with node("embedded 56") as url, proxy(url) as way:
        minting = Minting(way)
        refusal = {"error": {"code": -32000, "message": "transaction underpriced"}}
        way.plan("eth_sendRawTransaction", *[refusal] * times)
        if times <= 3:
            minting.step()
            minting.check_once()
        else:
            with pytest.raises(ChainError, match=r"refuses the fee .* wait until gas is cheaper"):
                minting.step()
        minting.client.close()


def test_an_error_of_the_node_is_passed_on_with_the_call(way):
    minting = Minting(way)
    way.plan("eth_sendRawTransaction", {"error": {"code": 1, "message": "pool is\nfull"}})
    with pytest.raises(ChainError, match=r"mint: http://127.0.0.1:\d+ refuses it: pool is"):
        minting.step()
    minting.step()
    minting.check_once()
    minting.client.close()


def test_what_a_reorganisation_takes_out_is_sent_again():
    made = Node(56, ticking=True, funded=KEYS.addresses(1))
    with http(made) as url, proxy(url) as way:
        minting = Minting(way)
        mark = made.chain.snapshot()
        polls = iter(range(100))

        def reorganise() -> None:
            if next(polls) < 2:
                way.hooks["eth_getTransactionReceipt"] = reorganise
            else:
                assert made.chain.revert(mark)

        reorganise()
        minting.step()
        assert next(polls) == 3
        minting.check_once()
        minting.client.close()
    made.chain.close()


@pytest.mark.parametrize("kept", [64, 1])
def test_what_was_final_before_a_deep_reorganisation_is_sent_again(kept, tmp_path, monkeypatch, capsys):
    """Three steps that were final are taken out with the chain's memory of them."""
    monkeypatch.setattr(outbox, "KEPT_STEPS", kept)
    made = Node(56, ticking=True, funded=KEYS.addresses(1))
    with http(made) as url, proxy(url) as way:
        minting = Minting(way, tmp_path / "outbox")
        mark = made.chain.snapshot()
        times = []
        for amount in (1, 2, 4):
            minting.at = minting.time()
            minting.step((amount, amount))
            times.append(minting.at)
        assert minting.total() == minting.supply + 14
        assert made.chain.revert(mark)
        assert minting.total() == minting.supply
        minting.reopen()
        if kept == 1:
            with pytest.raises(ChainError, match="reorganised deeper than what is kept"):
                minting.client.block_at(times[0])
        else:
            for time in times:
                assert minting.client.block_at(time) is not None
            assert minting.total() == minting.supply + 14
            assert "it lost are sent again" in capsys.readouterr().err
            assert minting.client.block_at(times[0]) == minting.client.block_at(times[0])
        minting.client.close()
    made.chain.close()


def test_a_step_whose_nonces_wait_for_what_a_reorganisation_lost_goes_on(tmp_path, capsys):
    made = Node(56, ticking=True, funded=KEYS.addresses(1))
    with http(made) as url, proxy(url) as way:
        minting = Minting(way, tmp_path / "outbox")
        mark = made.chain.snapshot()
        minting.step()
        for to, amount in ((HOLDER, 3), (OWNER.address, 4)):
            minting.client.send(OWNER, minting.token, "mint", to, amount)  # their nonces come after those of the step
        assert made.chain.revert(mark)
        minting.client.block(minting.time())
        assert minting.total() == minting.supply + 16 + 7
        assert "2 transactions that it lost are sent again" in capsys.readouterr().err
        minting.client.close()
    made.chain.close()


@pytest.mark.service
def test_a_chain_begun_anew_is_not_taken_for_the_old_one(tmp_path):
    kept = tmp_path / "outbox"
    for again in (False, True):
        with node("anvil 31337") as url, proxy(url) as way:
            if not again:
                minting = Minting(way, kept)
                minting.step()
                minting.client.close()
                continue
            client = ChainClient.open(url, outbox=kept, patience=HASTY)
            with pytest.raises(ChainError, match=r"begun anew|has no block"):
                client.block_at(minting.at)
            client.close()


def test_a_node_begun_anew_in_the_middle_of_a_step_is_named():
    """Its first block is of today, and the step that was interrupted of long ago."""
    with node("anvil 31337") as url, proxy(url) as way:
        client = ChainClient.open(way.url, patience=HASTY)
        way.plan("evm_mine", {"error": {"code": -32602, "message": "Timestamp error: lower than the block before"}})
        with pytest.raises(ChainError, match=r"past the step at 2023-11-14T22:13:20Z; .* Start a new development node"):
            client._node._miner.mine(1_700_000_000)  # type: ignore[union-attr]
        client.close()


def test_secrets_of_a_url_are_not_in_messages():
    with pytest.raises(NodeUnreachable) as caught:
        ChainClient.open("http://user:word@127.0.0.1:9/v3/key?token=x", patience=HASTY)
    assert re.search("http://127.0.0.1:9 does not answer", str(caught.value))
    assert not re.search("user|word|v3|key|token", str(caught.value))


@pytest.mark.service
def test_what_waits_because_gas_became_dearer_is_signed_again_when_the_step_is_repeated(tmp_path):
    """On a real pool: the dearer version takes the place of the one that waits."""
    with node("anvil 56") as url, proxy(url) as way:
        minting = Minting(way, tmp_path / "outbox")
        minting.client._node.ask("evm_setIntervalMining", 0)
        minting.patience = replace(HASTY, final_seconds=1)
        minting.reopen()
        with pytest.raises(ChainError, match=r"mint is not final after 1 s .* run the same again"):
            minting.step()
        minting.client._node.ask("anvil_setNextBlockBaseFeePerGas", hex(10**12))
        minting.client._node.ask("evm_mine")
        minting.patience = HASTY
        minting.reopen()
        minting.client._node.ask("evm_setIntervalMining", 1)
        minting.client._node.ask("anvil_setNextBlockBaseFeePerGas", hex(10**12))
        minting.step()
        minting.check_once()
        minting.client.close()
