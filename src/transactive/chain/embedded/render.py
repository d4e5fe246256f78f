"""Blocks, transactions, receipts and logs in the shapes that JSON-RPC clients expect."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from eth.abc import BlockHeaderAPI, SignedTransactionAPI
from eth_bloom.bloom import BloomFilter
from eth_utils.address import to_checksum_address

from transactive.chain.embedded.words import data, quantity

Json = dict[str, Any]
Place = tuple[int, bytes, int, int]
"""Block number, block hash, position in the block, price paid per gas [wei]."""


@lru_cache(maxsize=4096)
def checksummed(address: bytes) -> str:
    """Text of an address with the check of EIP-55, which costs a hash: a chain's history has the same few again."""
    return to_checksum_address(address)


def block_json(header: BlockHeaderAPI, transactions: list[Any]) -> Json:
    """Block of a header, with its transactions as hashes or whole."""
    return {
        "number": quantity(header.block_number),
        "hash": data(header.hash),
        "parentHash": data(header.parent_hash),
        "timestamp": quantity(header.timestamp),
        "stateRoot": data(header.state_root),
        "transactionsRoot": data(header.transaction_root),
        "receiptsRoot": data(header.receipt_root),
        "sha3Uncles": data(header.uncles_hash),
        "logsBloom": data(header.bloom.to_bytes(256, "big")),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "baseFeePerGas": quantity(header.base_fee_per_gas),
        "miner": checksummed(header.coinbase),
        "difficulty": "0x0",
        "extraData": data(header.extra_data),
        "mixHash": data(header.mix_hash),
        "nonce": data(header.nonce),
        "size": "0x0",
        "uncles": [],
        "transactions": transactions,
    }


def transaction_json(sent: SignedTransactionAPI, raw: bytes, chain_id: int, place: Place | None) -> Json:
    """Transaction, waiting if it has no place yet."""
    number, block_hash, position, price = place or (None, None, None, sent.max_fee_per_gas)
    return {
        "hash": data(sent.hash),
        "from": checksummed(sent.sender),
        "to": checksummed(sent.to) if sent.to else None,
        "nonce": quantity(sent.nonce),
        "value": quantity(sent.value),
        "gas": quantity(sent.gas),
        "gasPrice": quantity(price),
        "input": data(sent.data),
        "chainId": quantity(chain_id),
        "type": _type(raw),
        "blockNumber": None if number is None else quantity(number),
        "blockHash": None if block_hash is None else data(block_hash),
        "transactionIndex": None if position is None else quantity(position),
    }


def receipt_json(row: tuple[Any, ...], logs: list[Json]) -> Json:
    """Receipt of a row of the transaction index; `revertReason` (as Besu has it) only where it failed."""
    tx_hash, number, position, raw, sender, to, contract, status, gas, total, price, revert, block_hash = row
    receipt = {
        "transactionHash": data(tx_hash),
        "transactionIndex": quantity(position),
        "blockNumber": quantity(number),
        "blockHash": data(block_hash),
        "from": checksummed(sender),
        "to": checksummed(to) if to else None,
        "contractAddress": checksummed(contract) if contract else None,
        "status": quantity(status),
        "gasUsed": quantity(gas),
        "cumulativeGasUsed": quantity(total),
        "effectiveGasPrice": quantity(price),
        "type": _type(raw),
        "logsBloom": _bloom(logs),
        "logs": logs,
    }
    if revert is not None:
        receipt["revertReason"] = data(revert)
    return receipt


def log_json(row: tuple[Any, ...]) -> Json:
    """Log of a row of the log index."""
    number, log_index, position, tx_hash, address, topics, content, block_hash = row
    return {
        "blockNumber": quantity(number),
        "logIndex": quantity(log_index),
        "transactionIndex": quantity(position),
        "transactionHash": data(tx_hash),
        "address": checksummed(address),
        "topics": [data(topics[i : i + 32]) for i in range(0, len(topics), 32)],
        "data": data(content),
        "blockHash": data(block_hash),
        "removed": False,
    }


def _type(raw: bytes) -> str:
    """Transaction type: its first byte, unless that begins an RLP list."""
    return quantity(raw[0] if raw[0] < 0x80 else 0)


def _bloom(logs: list[Json]) -> str:
    """Bloom filter over addresses and topics."""
    marks = [bytes.fromhex(text[2:]) for log in logs for text in (log["address"], *log["topics"])]
    return data(int(BloomFilter.from_iterable(marks)).to_bytes(256, "big"))
