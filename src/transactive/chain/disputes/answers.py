"""What an operator answered to a demand, read from the call that carried it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_utils.crypto import keccak
from web3.contract import Contract

from transactive.chain.disputes.leaf_file import LeafFile
from transactive.chain.disputes.receipt_file import GrantFile, SignedOrderFile
from transactive.chain.nodes.client import ChainClient

ANSWERED = "0x" + keccak(text="Answered(uint256,uint256)").hex()


def answered_leaf(client: ChainClient, settlement: Contract, demands: Contract, tx_hash: str) -> LeafFile:
    """The leaf that a call of `answer` showed, with its order if there was one.

    Of several accepted orders the call has the last one alone: then the file has none, and only the leaf can be judged.
    """
    _function, said = demands.decode_function_input(client.input_of(tx_hash))
    previous, commitment, later = _values(said["opening"])
    index, is_blank, leaf, steps = _values(said["shown"])
    number, root, certificates, money, energy = _values(commitment)
    words = None if is_blank else tuple(_text(part) for part in _values(leaf))
    return LeafFile(
        chain_id=client.chain_id,
        settlement=settlement.address,
        index=int(index),
        leaf=words,  # type: ignore[arg-type]
        proof=[tuple(_text(part) for part in _values(step)) for step in steps],  # type: ignore[misc]
        previous=_text(previous),
        commitment=(_text(number), _text(root), _text(certificates), _text(money), _text(energy)),
        later=[_text(one) for one in later],
        orders=_orders(said) if len(said["entries"]) == 1 else [],
        buys=[_pair(fill) for fill in said["buys"]],
        sells=[_pair(fill) for fill in said["sells"]],
    )


def _orders(said: dict[str, Any]) -> list[SignedOrderFile]:
    """The only accepted order."""
    _hash, signature, granted_hash, granted = _values(said["entries"][0])
    _, _, serial, *columns = _values(said["order"])
    buy_prices, buy_energies, sell_prices, sell_energies = columns
    grant = None
    if any(granted_hash):
        _, agent, highest, lowest, largest, until = _values(said["grant"])
        grant = GrantFile(agent, highest, lowest, largest, until, _signature(granted))
    buys, sells = (list(zip(*pair, strict=True)) for pair in ((buy_prices, buy_energies), (sell_prices, sell_energies)))
    return [SignedOrderFile(int(serial), buys, sells, _signature(signature), grant)]


def _values(struct: Any) -> Sequence[Any]:  # noqa: ANN401 - as the decoder gives it
    """Fields of a struct in their order."""
    return list(struct.values()) if isinstance(struct, dict) else list(struct)


def _pair(fill: Any) -> tuple[int, int]:  # noqa: ANN401 - as above
    price, energy = _values(fill)
    return int(price), int(energy)


def _signature(parts: Any) -> str:  # noqa: ANN401 - as above
    v, r, s = _values(parts)
    return _text(bytes(r) + bytes(s) + bytes([v]))


def _text(value: Any) -> str:  # noqa: ANN401 - a number or bytes
    return "0x" + bytes(value).hex() if isinstance(value, bytes) else str(value)
