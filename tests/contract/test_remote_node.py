"""The same client against a node elsewhere: HTTP, WebSocket and IPC, with an embedded chain as the node."""

from __future__ import annotations

import signal

import pytest

from tests.contract.served import HOUR, KEYS, START, Node, http, ipc, websocket
from tests.strategies import leaves_of
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.ledgers.deploying import deploy_settlement
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.remote import Patience
from transactive.cli.surroundings import BY_SIGNAL, ending_between_steps, exit_code, heeding_signals
from transactive.core.errors import ChainError, ContractRevert

TOTALS = [[5, 0, 7, 0], [0, 5, 0, 7]]
HASTY = Patience(first_pause_seconds=0.001, final_seconds=30, longest_poll_seconds=0)


class OwnKeys(DemoKeys):
    """Keys as a real operator would hold them: for every chain."""

    def check(self, node):
        pass


def run_a_period(client: ChainClient, keys: DemoKeys = KEYS) -> None:
    ledger = deploy_settlement(
        client,
        keys,
        accounts=2,
        slot_seconds=HOUR,
        slots_per_period=24,
        window=9000,
        timestamp=START - HOUR,
        currency_name="x",
        currency_symbol="x",
    )
    ledger.deposit([1000, 1000], START)
    ledger.commit_slot(leaves_of(START // HOUR, TOTALS))
    ledger.block(START + HOUR)
    ledger.propose(START // HOUR // 24, [-5, 5])
    ledger.block(START + 24 * HOUR)
    ready_at = ledger.ready_at or 0
    ledger.finalise(START // HOUR // 24)
    if client.chain_id == 31337:  # it follows our time, and so does not wait for its own
        with pytest.raises(ContractRevert) as caught:
            ledger.block(START + 24 * HOUR + 1)
        assert str(caught.value) == "settlement: window open"
        ledger.finalise(START // HOUR // 24)
    ledger.block(ready_at)
    assert ledger.balances_n() == [995, 1005]
    assert len(ledger.gas_nettings) == 1


@pytest.mark.parametrize("way", ["http", "websocket", "ipc"])
def test_a_period_on_a_node(way, tmp_path):
    node = Node()
    server = {"http": http, "websocket": websocket, "ipc": lambda n: ipc(n, str(tmp_path / "n.ipc"))}[way](node)
    with server as url:
        client = ChainClient.open(url, alloc=KEYS.addresses(2))
        assert not client.is_embedded
        run_a_period(client)
        client.close()
    node.chain.close()


@pytest.mark.parametrize("plain", [False, True])
def test_a_mined_failure_has_the_contracts_reason(plain):
    node = Node(plain=plain)
    with http(node) as url:
        client = ChainClient.open(url)
        owner = KEYS.role("owner")
        token = client.deploy(owner, "currency", "x", "x", 100)
        client.block(START)
        client.send(owner, token, "mint", owner.address, 5)
        with pytest.raises(ContractRevert) as caught:
            client.block(START + 1)
        assert str(caught.value) == "currency: not a minter"
        client.close()
    node.chain.close()


def test_a_period_on_a_chain_of_value(capsys):
    """Gas is estimated, calls that need earlier ones wait for them, and the chain's own time is waited for."""
    node = Node(chain_id=56, ticking=True)
    with http(node) as url:
        client = ChainClient.open(url, patience=HASTY)
        run_a_period(client, OwnKeys("remote"))
        client.close()
    assert "the challenge window is open until" in capsys.readouterr().err
    limits = [
        node.chain.decode(raw).gas for n, _, _ in node.chain.index.blocks() for _, raw in node.chain.index.in_block(n)
    ]
    assert len(limits) == 24
    assert max(limits) < 7_500_000  # the largest contract, with the margin of an estimate
    node.chain.close()


def wait_when_asked_to_end(client: ChainClient) -> None:
    with heeding_signals(), ending_between_steps() as end_after_step:
        end_after_step()  # from now on a signal is looked for
        signal.raise_signal(signal.SIGTERM)
        client.wait_for_window(START + 10**6)


def test_one_signal_ends_a_command_that_waits_for_a_window(capsys):
    """A window is open for hours: who asks a run to end does not wait for the end of the step."""
    node = Node(chain_id=56)
    with http(node) as url:
        client = ChainClient.open(url, patience=HASTY)
        with pytest.raises(KeyboardInterrupt) as ended:
            wait_when_asked_to_end(client)
        client.close()
    assert exit_code(ended.value) == BY_SIGNAL + signal.SIGTERM
    assert "the challenge window is open until" in capsys.readouterr().err
    node.chain.close()


def test_a_chain_that_stays_behind_is_named():
    node = Node(chain_id=56)
    with http(node) as url:
        client = ChainClient.open(url, patience=Patience(final_seconds=0.1))
        with pytest.raises(ChainError, match="has not reached"):
            client.block(START)
        client.close()
    node.chain.close()


def test_demo_keys_are_refused_by_other_chains():
    node = Node(chain_id=56)
    with http(node) as url:
        client = ChainClient.open(url, alloc=KEYS.addresses(2))
        with pytest.raises(ChainError, match="chain 56 is not a development chain and demo keys are public"):
            run_a_period(client)
        assert client.height == 0
        client.close()
    node.chain.close()


def test_accounts_without_ether_are_named():
    node = Node()
    with http(node) as url, pytest.raises(ChainError, match="has no ether on http"):
        ChainClient.open(url, alloc=DemoKeys("poor").addresses(1))
    node.chain.close()


def test_a_node_that_does_not_answer_is_named():
    for url in ("http://127.0.0.1:9", "ws://127.0.0.1:9"):
        with pytest.raises(ChainError, match="does not answer eth_chainId"):
            ChainClient.open(url, patience=HASTY)
    with pytest.raises(ChainError, match="no node listens at /nowhere"):
        ChainClient.open("ipc:/nowhere")
    with pytest.raises(ChainError, match="is not a URL that is known"):
        ChainClient.open("ftp://x")


def test_a_node_that_comes_back_older_gets_again_what_it_lacks(tmp_path, capsys):
    """Its steps come at their own times, also one without calls."""
    node, owner, outbox = Node(), KEYS.role("owner"), tmp_path / "outbox.sqlite"
    with http(node) as url:
        client = ChainClient.open(url, alloc=KEYS.addresses(2), outbox=outbox)
        token = client.deploy(owner, "currency", "x", "x", 100)
        client.send(owner, token, "setMinter", owner.address, True)  # noqa: FBT003 - as the contract has it
        client.block(START)
        mark = node.chain.snapshot()
        for step, amount in ((10, 5), (20, None), (30, 7)):
            if amount:
                client.send(owner, token, "mint", owner.address, amount)
                client.send(owner, token, "mint", owner.address, amount)
            client.block(START + step)
        height, times = client.height, [client.time_of(number) for number in range(1, client.height + 1)]
        client.close()
        assert node.chain.revert(mark)
        client = ChainClient.open(url, outbox=outbox)
        assert client.height == 1
        found = client.block_at(START + 30)
        assert found is not None
        assert found.number == height
        assert [client.time_of(number) for number in range(1, client.height + 1)] == times
        assert client.read(client.contract("currency", token.address), "totalSupply") == 24
        assert capsys.readouterr().err.count("sent again") == 2
        client.close()
    node.chain.close()
