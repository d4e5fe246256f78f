"""The ledger that the engine talks to: a community's slots and periods, restarts, determinism."""

from __future__ import annotations

import pytest

from tests.contract.world import kept
from tests.strategies import leaves_of
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.ledgers.deploying import deploy_settlement
from transactive.chain.ledgers.deposits import BATCH
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.nodes import EmbeddedNode
from transactive.chain.packing import encode_nets
from transactive.core.errors import ChainError, ContractRevert
from transactive.core.proofs.leaves import MONEY, climb

KEYS = DemoKeys("ledger")
ACCOUNTS, HOUR, DAY, WINDOW = 6, 3600, 24, 1800
START = 17_000 * DAY * HOUR
FIRST = START // HOUR
TOTALS = [[5, 0, 7, 0], [0, 5, 0, 7], [300, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 300, 0, 1]]
NETS = [-5, 5, -300, 0, 0, 300]


def open_client(path, accounts: int = ACCOUNTS) -> ChainClient:
    alloc = KEYS.addresses(accounts)
    return kept(ChainClient.open(f"embedded:{path}", genesis_time=START - 2 * HOUR, alloc=alloc))


def new_ledger(path=":memory:", with_ether: int = ACCOUNTS) -> ChainLedger:
    return deploy_settlement(
        open_client(path, with_ether),
        KEYS,
        accounts=ACCOUNTS,
        slot_seconds=HOUR,
        slots_per_period=DAY,
        window=WINDOW,
        timestamp=START - HOUR,
        currency_name="Local Energy",
        currency_symbol="LEN",
    )


def until_proposed(ledger: ChainLedger) -> int:
    """Deposits, two slots, a proposal. Time of the last block."""
    ledger.deposit([1000, 0, 1000, 0, 0, 7], START)
    for hour in (0, 23):
        ledger.commit_slot(leaves_of(FIRST + hour, TOTALS))
        ledger.block(START + (hour + 1) * HOUR)
    ledger.propose(FIRST // DAY, NETS)
    return ledger.block(START + DAY * HOUR + 1).timestamp


@pytest.fixture
def ledger():
    made = new_ledger()
    yield made
    made._client.close()


def test_a_period(ledger):
    assert ledger._client.height == 1  # everything was deployed in one block
    receipt = ledger.deposit([1000, 0, 1000, 0, 0, 7], START)
    assert (receipt.number, receipt.timestamp, receipt.hash) == (2, START, ledger._client.head_hash)
    assert set(receipt.gas) == {"mint", "approve", "depositForMany"}
    assert ledger.balances_n() == [1000, 0, 1000, 0, 0, 7]
    newest = ledger.last_slot
    assert newest is None
    for hour in range(DAY):
        tree = ledger.commit_slot(leaves_of(FIRST + hour, TOTALS))
        assert MONEY.unpack(tree.money)["debit_n"] == 305 + 2**62  # the blinding
        again = ledger.tree(leaves_of(FIRST + hour, TOTALS))
        assert again.root == tree.root
        assert len(ledger.gas_slot_commits) == hour
        receipt = ledger.block(START + (hour + 1) * HOUR)
        assert receipt.gas == {"commitSlot": ledger.gas_slot_commits[-1]}
    assert (len(ledger.gas_slot_commits), ledger.last_slot) == (24, FIRST + 23)
    assert (ledger.pending, ledger.settled_period) == (False, 0)
    ready_at = ledger.ready_at
    assert ready_at is None
    ledger.propose(FIRST // DAY, NETS)
    assert not ledger.pending  # only queued
    proposed = ledger.block(START + DAY * HOUR + 1)
    assert ledger.pending
    assert ledger.ready_at == proposed.timestamp + WINDOW
    assert ledger.balances_n() == [1000, 0, 1000, 0, 0, 7]
    ledger.finalise(FIRST // DAY)
    paid = ledger.block(proposed.timestamp + WINDOW)
    assert ledger.balances_n() == [995, 5, 700, 0, 0, 307]
    assert (ledger.pending, len(ledger.gas_nettings), ledger.settled_period) == (False, 1, FIRST // DAY)
    assert ledger.gas_nettings == [proposed.gas["propose"] + paid.gas["finalise"]]
    ledger.finalise(FIRST // DAY)  # it is paid: there is nothing to queue
    assert ledger._client._queue == []
    with pytest.raises(ChainError, match="no netting of period"):
        ledger.finalise(FIRST // DAY + 1)


def test_more_accounts_than_one_call_takes():
    """Two calls register and pay in for 130 accounts; a single account is paid in for alone."""
    accounts = BATCH + 2
    client = open_client(":memory:", accounts)
    ledger = deploy_settlement(
        client,
        KEYS,
        accounts=accounts,
        slot_seconds=HOUR,
        slots_per_period=DAY,
        window=WINDOW,
        timestamp=START - HOUR,
        currency_name="Local Energy",
        currency_symbol="LEN",
    )
    registered = [client.read(ledger._settlement, "accountOf", i) for i in range(accounts)]
    assert registered == [KEYS.account(i).address for i in range(accounts)]
    paid = [i + 1 for i in range(accounts)]
    receipt = ledger.deposit(paid, START)
    assert set(receipt.gas) == {"mint", "approve", "depositForMany"}
    assert ledger.balances_n() == paid
    assert set(ledger.deposit([0, 5, *[0] * BATCH], START + 1).gas) == {"mint", "approve", "depositFor"}
    assert ledger.balances_n() == [1, 7, *paid[2:]]


def test_withdrawals(ledger):
    ledger.deposit([1000, 0, 0, 0, 0, 0], START)
    ledger.request_withdrawal(0, 400)
    ledger.block(START + 1)
    ledger.withdraw(0)
    with pytest.raises(ContractRevert) as caught:
        ledger.block(START + 2)
    assert str(caught.value) == "settlement: notice running"
    ledger.release(0)
    ledger.withdraw(0)  # the queue goes on after a refusal, in order
    ledger.block(START + 3)
    assert (ledger.balances_n()[0], ledger.wallet_n(0)) == (600, 400)


def test_what_is_refused(ledger):
    ledger.commit_slot(leaves_of(FIRST, TOTALS))
    with pytest.raises(ContractRevert) as caught:
        ledger.block(START + HOUR - 1)
    assert str(caught.value) == "settlement: slot not over"
    ledger.commit_slot(leaves_of(FIRST, TOTALS))
    ledger.block(START + HOUR)
    ledger.commit_slot(leaves_of(FIRST, TOTALS))
    with pytest.raises(ContractRevert) as caught:
        ledger.block(START + HOUR + 1)
    assert str(caught.value) == "settlement: slot committed"
    assert len(ledger.gas_slot_commits) == 1
    ledger.commit_slot(leaves_of(FIRST + 1, TOTALS))
    with pytest.raises(ChainError, match="is not after the last block"):
        ledger.block(START)
    ledger.commit_slot(leaves_of(FIRST + 1, TOTALS))
    ledger.block(START + 2 * HOUR)
    assert ledger.last_slot == FIRST + 1
    with pytest.raises(ValueError, match="account 1 does not fit"):
        ledger.propose(FIRST // DAY, [0, 2**62])


def test_commitments_prove_a_leaf(ledger):
    until_proposed(ledger)
    found = ledger.commitments()
    assert [c.slot for c in found] == [FIRST, FIRST + 23]
    assert [c.block for c in found] == [3, 4]
    tree = ledger.tree(leaves_of(FIRST + 23, TOTALS))
    assert MONEY.unpack(tree.leaf(2).money)["debit_n"] == 300
    assert climb(tree.leaf(2), 2, tree.proof(2)) == (found[1].root, found[1].money, found[1].energy, True)


def test_a_second_run_goes_on_where_the_first_was_killed(tmp_path):
    first = new_ledger(tmp_path / "c.db")
    until_proposed(first)
    first._client.close()
    client = open_client(tmp_path / "c.db")
    second = ChainLedger.attach(client, KEYS, first.address)
    assert (second.accounts, second.depth) == (first.accounts, first.depth)
    assert second.gas_slot_commits == first.gas_slot_commits
    assert (second.pending, second.last_slot) == (True, FIRST + 23)
    second.finalise(FIRST // DAY)
    second.block(second.ready_at or 0)
    assert second.balances_n() == [995, 5, 700, 0, 0, 307]
    third = ChainLedger.attach(client, KEYS, first.address)
    assert third.gas_nettings == second.gas_nettings
    with pytest.raises(ChainError, match="the seed it was deployed with"):
        ChainLedger.attach(client, DemoKeys("other"), first.address)
    with pytest.raises(ChainError, match="no contract at"):
        ChainLedger.attach(client, KEYS, KEYS.role("owner").address)
    client.close()


@pytest.mark.parametrize("in_time", [True, False])
def test_a_netting_that_a_stranger_pays_first_is_paid(ledger, in_time):
    """Before this ledger queues its call, or between that and the block that has both."""
    until_proposed(ledger)
    ready_at, period = ledger.ready_at or 0, FIRST // DAY
    ledger._client.send(KEYS.account(1), ledger._settlement, "finalise", 256)
    if in_time:
        ledger._client.block(ready_at)
        ready_at += 1
        ledger.deposit([1] + [0] * 5, ready_at)
    ledger.finalise(period)
    ledger.queue_deposits([0, 9, 0, 0, 0, 0])
    receipt = ledger.block(ready_at + 1)
    assert receipt.timestamp == ready_at + 1
    assert ledger.settled_period == period
    assert ledger.balances_n() == [995 + in_time, 14, 700, 0, 0, 307]
    assert len(ledger.gas_nettings) == 1


def test_a_netting_in_parts_goes_on_where_it_was_killed(tmp_path, monkeypatch):
    """One part was proposed when the run was killed, a stranger applies another; what is missing is brought."""
    monkeypatch.setattr("transactive.chain.ledgers.netting.PART_WORDS", 1)
    first = new_ledger(tmp_path / "c.db")
    first.deposit([1000, 0, 1000, 0, 0, 7], START)
    first.commit_slot(leaves_of(FIRST + 23, TOTALS))
    first.block(START + DAY * HOUR)
    operator, words = KEYS.role("operator"), encode_nets(NETS)
    first._client.send(operator, first._settlement, "propose", FIRST // DAY, 0, words[:1])
    first._client.block(START + DAY * HOUR + 1)
    first._client.close()
    client = open_client(tmp_path / "c.db")
    second = ChainLedger.attach(client, KEYS, first.address)
    assert not second.pending
    with pytest.raises(ChainError, match="no netting of period"):
        second.finalise(FIRST // DAY)
    second.propose(FIRST // DAY, NETS)
    assert set(second.block(START + DAY * HOUR + 2).gas) == {"propose"}
    assert client.read(second._settlement, "parts") == [FIRST // DAY, 2, 2, 0]
    client.send(KEYS.account(1), second._settlement, "finalise", 1)
    client.block(second.ready_at or 0)
    assert second.balances_n() == [1000, 0, 1000, 0, 0, 7]  # settled by the last part only
    second.finalise(FIRST // DAY)
    second.block(client.head_timestamp + 1)
    assert second.balances_n() == [995, 5, 700, 0, 0, 307]
    assert (second.pending, second.settled_period, len(second.gas_nettings)) == (False, FIRST // DAY, 1)
    assert second.gas_nettings == ChainLedger.attach(client, KEYS, first.address).gas_nettings
    assert second.gas_nettings[0] > 4 * 21_000  # of four calls, whoever made them
    client.close()


def test_steps_are_found_by_their_time(ledger):
    """What an interrupted run asks before it repeats a step."""
    deposited = ledger.deposit([1000, 0, 1000, 0, 0, 7], START)
    assert ledger.at(START + HOUR) is None
    ledger.commit_slot(leaves_of(FIRST, TOTALS))
    committed = ledger.block(START + HOUR)
    assert ledger.at(START + HOUR) == committed
    found = ledger.at(START)
    assert found is not None
    assert (found.number, found.hash, found.gas) == (deposited.number, deposited.hash, {})  # only the operator's calls
    assert ledger.height == committed.number
    with pytest.raises(ChainError, match="without a block at that time"):
        ledger.at(START + 1)


def test_two_runs_give_the_same_hash():
    heads = set()
    for _ in range(2):
        ledger = new_ledger()
        until_proposed(ledger)
        heads.add(ledger._client.head_hash)
        ledger._client.close()
    assert len(heads) == 1


def test_what_does_not_fit_follows_a_second_later(monkeypatch):
    monkeypatch.setattr("transactive.chain.nodes.nodes.CALL_GAS", 59_950_000)  # leaves room for nothing else in a block
    ledger = new_ledger()
    receipt = ledger.deposit([5] * ACCOUNTS, START)
    assert receipt.timestamp > START
    assert ledger.balances_n() == [5] * ACCOUNTS
    ledger._client.close()


def test_a_step_that_was_killed_between_its_blocks_is_finished(monkeypatch):
    """The pool is in the file with the first block; whoever asks for the step finds all of it done."""
    monkeypatch.setattr("transactive.chain.nodes.nodes.CALL_GAS", 59_950_000)
    ledger = new_ledger()
    node = ledger._client._node
    assert isinstance(node, EmbeddedNode)
    height, rest = ledger.height, node._mine_rest
    monkeypatch.setattr(node, "_mine_rest", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        ledger.deposit([5] * ACCOUNTS, START)
    assert ledger.height == height + 1
    monkeypatch.setattr(node, "_mine_rest", rest)
    found = ledger.at(START)
    assert found is not None
    assert (found.number, found.timestamp) == (height + 1, START)
    blocks = ledger.height - height
    assert blocks > 1
    assert ledger.balances_n() == [5] * ACCOUNTS
    with pytest.raises(ChainError, match="without a block at that time"):
        ledger.at(START - 1)
    assert ledger.at(START + blocks - 1) is not None
    assert ledger.at(START + blocks) is None
    ledger._client.close()


def test_an_account_without_ether_can_be_paid_in_for_but_not_act():
    ledger = new_ledger(with_ether=1)
    ledger.deposit([1000] * ACCOUNTS, START)
    assert ledger.balances_n() == [1000] * ACCOUNTS
    ledger.request_withdrawal(1, 1000)
    with pytest.raises(ChainError, match="insufficient funds for gas"):
        ledger.block(START + HOUR)
    ledger._client.close()
