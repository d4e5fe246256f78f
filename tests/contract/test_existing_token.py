"""Settling in an ERC-20 that was there before: as good as a currency of ours, or refused with the reason."""

from __future__ import annotations

from functools import partial

import pytest

from tests.contract.market_world import deploy_source
from tests.contract.mock_tokens import MOODY, SILENT
from tests.contract.test_ledger import ACCOUNTS, DAY, HOUR, KEYS, START, WINDOW
from tests.contract.world import OWNER
from transactive.chain.ledgers.deploying import PENALTIES_STAKED, PENALTY_N, deploy_settlement
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import ChainError

STAKE, HELD = PENALTIES_STAKED * PENALTY_N, 2_000
ERC20 = """
decimals: public(constant(uint8)) = {decimals}
@external
@view
def allowance(owner: address, spender: address) -> uint256:
    return 0
"""
NEVER = "0x" + "e0" * 20


def begun(source: str, decimals: int = 9):
    """A chain with a token, of which the on-ramp has the stake and a little more."""
    client = ChainClient.open(
        "embedded::memory:", genesis_time=START - 3 * HOUR, alloc=[*KEYS.addresses(ACCOUNTS), OWNER.address]
    )
    token = deploy_source(client, source + ERC20.format(decimals=decimals))
    client.send(OWNER, token, "mint", KEYS.role("on-ramp").address, STAKE + HELD)
    client.block(START - 2 * HOUR)
    return client, token


def settling(client: ChainClient, address: str) -> ChainLedger:
    return deploy_settlement(
        client, KEYS, accounts=ACCOUNTS, slot_seconds=HOUR, slots_per_period=DAY, window=WINDOW,
        timestamp=START - HOUR, currency_name="", currency_symbol="", currency_address=address,
    )  # fmt: skip


@pytest.mark.parametrize("source", [SILENT, MOODY], ids=["returns nothing", "behaves"])
def test_a_token_that_moves_what_it_is_told_to_is_settled_in(source):
    client, token = begun(source)
    ledger = settling(client, token.address)
    ledger.deposit([1000, 0, 500, 0, 0, 7], START)
    assert ledger.balances_n() == [1000, 0, 500, 0, 0, 7]
    assert not ledger.creates_money
    assert not ChainLedger.attach(client, KEYS, ledger.address).creates_money
    held = partial(client.read, token, "balanceOf")
    assert held(ledger.address) == STAKE + 1507
    assert held(KEYS.role("on-ramp").address) == HELD - 1507
    with pytest.raises(
        ChainError, match=r"has 493 base units of token .* to pay in 494; nothing was sent. Send it 1 more"
    ):
        ledger.deposit([494, 0, 0, 0, 0, 0], START + HOUR)
    ledger.request_withdrawal(0, 400)
    ledger.release(0)
    ledger.withdraw(0)
    ledger.block(START + HOUR)
    assert held(KEYS.account(0).address) == 400


def test_a_token_that_keeps_a_fee_is_refused_before_a_deposit_counts():
    client, token = begun(MOODY)
    client.send(OWNER, token, "setMode", 2)
    client.block(START - 2 * HOUR + 1)
    with pytest.raises(
        ChainError, match=f"token {token.address} does not move what it is told to .tokens: other amount came"
    ):
        settling(client, token.address)
    assert client.read(token, "balanceOf", KEYS.role("on-ramp").address) == STAKE + HELD


def test_a_token_that_begins_to_keep_a_fee_is_named_when_it_does():
    client, token = begun(MOODY)
    ledger = settling(client, token.address)
    client.send(OWNER, token, "setMode", 2)
    with pytest.raises(ChainError, match="settle in another token"):
        ledger.deposit([5, 0, 0, 0, 0, 0], START)
    assert ledger.balances_n() == [0] * ACCOUNTS


def test_a_token_of_other_decimals_an_account_and_nothing_are_refused_before_anything_is_sent():
    client, token = begun(SILENT, decimals=6)
    height = client.height
    with pytest.raises(ChainError, match=f"token {token.address} has 6 decimals, and the contracts count with 9"):
        settling(client, token.address)
    with pytest.raises(ChainError, match=f"{NEVER} is no ERC-20 token on chain 31337"):
        settling(client, NEVER)
    assert client.height == height


def test_an_on_ramp_with_too_little_for_the_stake_is_told_how_much_is_missing():
    client, token = begun(SILENT)
    client.send(KEYS.role("on-ramp"), token, "transfer", OWNER.address, HELD + 1)
    client.block(START - 2 * HOUR + 1)
    with pytest.raises(ChainError, match="Send it 1 more"):
        settling(client, token.address)
