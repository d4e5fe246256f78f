"""A settlement contract with all that belongs to it, deployed: currency, judges, roles, stake, accounts."""

from __future__ import annotations

from collections.abc import Sequence

from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers import money
from transactive.chain.ledgers.deposits import BATCH
from transactive.chain.ledgers.judges import DealRules, appoint, appoint_for_groups
from transactive.chain.ledgers.notice import NOBODY, notice_of, silence_of
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.proofs.slot_tree import depth_for_accounts

CAP_N = 2**96
"""Largest supply of the currency [n¤]: far above what all deposits together can hold."""
MAY_MINT = True
PENALTY_N = 100 * 10**9
"""What a proof of misconduct takes from the operator's stake, if nothing else is agreed [n¤]."""
PENALTIES_STAKED = 10


def deploy_settlement(
    client: ChainClient,
    keys: Keys,
    *,
    accounts: int,
    slot_seconds: int,
    slots_per_period: int,
    window: int,
    timestamp: int | None,
    currency_name: str,
    currency_symbol: str,
    lead: int = 1,
    penalty_n: int = PENALTY_N,
    beneficiary: int | str = 0,
    direct: bool = False,
    places: int = 0,
    of_groups: bool = False,
    currency_address: str | None = None,
    holders: Sequence[str] | None = None,
    registry_address: str = NOBODY,
    first_slot: int = 0,
    deals: DealRules | None = None,
) -> ChainLedger:
    """Ledger on new contracts, with accounts 0 to accounts − 1 registered and ready to deposit.

    window: seconds in which a netting can be challenged. timestamp: time of the block [Unix s], None only queues.
    lead: most slots between a gate and delivery. penalty_n: what misconduct costs the operator [n¤], half of it for
    the account `beneficiary` (index or address); ten penalties are staked. places: for accounts that come later.
    of_groups: it settles for groups, which have meters and certificates in settlements of their own. direct:
    certificates come from signed readings at once, not from the roots of slots. currency_address: of one that there
    is. holders: addresses of the accounts, where not all keys are here. registry_address: of the registry that has
    these accounts at these places, if lost keys shall be replaced. first_slot: number of the first slot that it
    gives certificates for, where those of before are elsewhere. deals: where members trade directly. Raises
    ChainError if the keys must not sign for the chain.
    """
    keys.check(client)
    owner, operator, on_ramp = keys.role("owner"), keys.role("operator"), keys.role("on-ramp")
    late, windows = (1, 2) if of_groups else (0, 1)  # what is netted for groups waits until they have paid
    notice = notice_of(slot_seconds, slots_per_period, lead + late, windows * window)
    if currency_address is None:
        currency = client.deploy(owner, "currency", currency_name, currency_symbol, CAP_N)
        creates = True
    else:
        currency = money.existing_token(client, currency_address)
        creates = money.creates(client, currency, on_ramp.address)
    clock = (
        depth_for_accounts(accounts + places),
        slot_seconds,
        slots_per_period,
        window,
        notice,
        silence_of(notice),
    )
    addresses = holders or [keys.account(index).address for index in range(accounts)]
    shared = addresses[beneficiary] if isinstance(beneficiary, int) else beneficiary
    rules = (*clock, penalty_n, shared, lead, registry_address)
    settlement = client.deploy(owner, "settlement", currency.address, *rules)
    certificates = None
    if of_groups:
        appoint_for_groups(client, keys, settlement)
    else:
        certificates = appoint(client, keys, settlement, direct=direct, first_slot=first_slot, deals=deals)
    if currency_address is None:
        client.send(owner, currency, "setMinter", on_ramp.address, MAY_MINT)
    client.send(owner, settlement, "offerOperator", operator.address)
    client.send(operator, settlement, "acceptOperator")
    client.send(owner, settlement, "setArbiter", keys.role("arbiter").address)
    if penalty_n:
        money.stake(client, keys, (currency, settlement), PENALTIES_STAKED * penalty_n, creates=creates)
    for at in range(0, accounts, BATCH):
        client.send(operator, settlement, "registerMany", addresses[at : at + BATCH])
    ledger = ChainLedger(client, keys, (currency, settlement), accounts)
    ledger.mark_new(certificates, creates_money=creates)
    if timestamp is not None:
        ledger.block(timestamp)
    return ledger
