"""What became of transactions: receipts, the block that holds the last of them, and why a call failed."""

from __future__ import annotations

from dataclasses import dataclass

import rlp
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from transactive.chain.nodes.nodes import Json, Queued, RpcNode
from transactive.chain.revert_reasons import UNKNOWN, reason_in, reason_of
from transactive.core.errors import ChainError


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one transaction. kind: called function, or "deploy NAME". gas_used [gas]."""

    kind: str
    tx_hash: bytes
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class Block:
    """Block that holds the last of what was sent, and the receipts of it all. timestamp [Unix s]."""

    number: int
    hash: bytes
    timestamp: int
    receipts: tuple[Receipt, ...]


def contract_address(sender: str, nonce: int) -> ChecksumAddress:
    """Address of the contract that an account creates with this nonce."""
    return to_checksum_address(keccak(rlp.encode([bytes.fromhex(sender[2:]), nonce]))[12:])


def gas_of_receipt(receipt: Json) -> int:
    """Gas that a transaction used, from its receipt."""
    return int(receipt["gasUsed"], 16)


def block_of(header: Json, receipts: tuple[Receipt, ...]) -> Block:
    """A block from its header."""
    return Block(header["number"], bytes_of_hex(header["hash"]), header["timestamp"], receipts)


def bytes_of_hex(text: str) -> bytes:
    """Bytes of hexadecimal text, with or without 0x."""
    return bytes.fromhex(text.removeprefix("0x"))


def why_failed(node: RpcNode, queued: Queued, receipt: Json) -> str:
    """Why a mined call failed: from the receipt, or by calling again where it happened and one block before."""
    if receipt.get("revertReason"):
        reason = reason_in(bytes.fromhex(receipt["revertReason"][2:]))
        return reason or f"{queued.kind} {UNKNOWN}"
    number = int(receipt["blockNumber"], 16)
    call = {
        "from": queued.sender.address,
        "to": queued.to,
        "data": queued.data,
        "value": hex(queued.value),
    }
    for at in (number, number - 1):
        try:
            node.ask("eth_call", call, hex(at))
        except ChainError as error:
            if reason := reason_of(str(error)):
                return reason
    return f"{queued.kind} {UNKNOWN}"
