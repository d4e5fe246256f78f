"""Where money that is paid in comes from: the on-ramp creates it in our currency, and has it of any other token.

Our contracts count in base units, one n¤ each, and believe what arrives and not what a token says. So an existing
ERC-20 of nine decimals serves that moves what it is told to; any other is refused with the reason.
"""

from __future__ import annotations

from web3.contract import Contract

from transactive.chain import trouble
from transactive.chain.keys.keys import Keys
from transactive.chain.nodes.client import ChainClient
from transactive.chain.releases import version_of
from transactive.core.errors import ChainError, ContractRevert

UNLIMITED = 2**256 - 1
DECIMALS = 9
"""Of a token whose base unit is one n¤."""
WITHOUT_CHANGE = "tokens: "
"""How our contracts begin to say that a token did not move what it was told to."""


def existing_token(client: ChainClient, address: str) -> Contract:
    """The token at an address, as an ERC-20 that can be settled in. Raises ChainError saying why another cannot."""
    try:
        token = client.contract("currency", address)
        decimals = int(client.read(token, "decimals"))
        client.read(token, "balanceOf", address), client.read(token, "allowance", address, address)
    except ChainError:
        raise trouble.no_token(address, client.chain_id) from None
    if decimals != DECIMALS:
        raise trouble.token_of_other_decimals(address, decimals)
    return token


def creates(client: ChainClient, currency: Contract, on_ramp: str) -> bool:
    """Whether the on-ramp (address) may create money: in a currency of ours that lets it."""
    ours = version_of("currency", client.code(currency.address)) is not None
    return ours and bool(client.read(currency, "isMinter", on_ramp))


def require_held(client: ChainClient, currency: Contract, on_ramp: str, amount_n: int) -> None:
    """Require that the on-ramp (address) has so much of a token that it cannot create. Raises ChainError.

    A step that was interrupted may have paid it in already.
    """
    held = int(client.read(currency, "balanceOf", on_ramp))
    if held < amount_n and not client.is_interrupted:
        raise trouble.on_ramp_lacks(currency.address, on_ramp, held, amount_n)


def stake(client: ChainClient, keys: Keys, parts: tuple[Contract, Contract], amount_n: int, *, creates: bool) -> None:
    """Queue the operator's stake: money that is created, or what the on-ramp has. parts: currency, settlement."""
    currency, settlement = parts
    operator, on_ramp = keys.role("operator"), keys.role("on-ramp")
    payer = operator if creates else on_ramp
    if creates:
        client.send(on_ramp, currency, "mint", operator.address, amount_n)
    else:
        require_held(client, currency, on_ramp.address, amount_n)
    client.send(payer, currency, "approve", settlement.address, UNLIMITED if creates else amount_n)
    client.send(payer, settlement, "fundBond", amount_n)


def told(error: ContractRevert, token: str) -> ChainError:
    """A revert of a payment, in words that say what is wrong with the token (address) where that is the cause."""
    return trouble.token_changes_amounts(token, str(error)) if WITHOUT_CHANGE in str(error) else error
