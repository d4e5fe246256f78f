"""EIP-712 digests and secp256k1 signatures: what readings, orders and receipts are signed with.

A signature is 65 bytes: r, s, v of 27 or 28, and s is low. Sources: EIP-712 (typed structured data), EIP-2 (low s).
"""

from __future__ import annotations

from functools import lru_cache

from coincurve import PrivateKey

from transactive.core.errors import SignatureError
from transactive.core.proofs import secp256k1
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
HALF_ORDER_BYTES = HALF_ORDER.to_bytes(32, "big")
V = [b"\x1b", b"\x1c"]
"""v by the parity of the point: 27 and 28."""
VERSION = b"1"
AT_HAND = 8_192
"""How many of each stay at hand: addresses of signers, digests. A full tree, and as many agents."""
CHAIN_DOMAIN = b"EIP712Domain(string name,string version,uint256 chainId)"
CONTRACT_DOMAIN = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def domain(name: bytes, chain_id: int, contract: str | None = None) -> bytes:
    """Domain separator of a name on a chain; with `contract` (address) for that contract only."""
    kind = CHAIN_DOMAIN if contract is None else CONTRACT_DOMAIN
    parts = keccak(kind) + keccak(name) + keccak(VERSION) + word(chain_id)
    return keccak(parts if contract is None else parts + address_word(contract))


def address_word(address: str) -> bytes:
    """Address as one 32-byte word."""
    return bytes(12) + bytes.fromhex(address[2:])


@lru_cache(maxsize=AT_HAND)
def digest(separator: bytes, struct: bytes) -> bytes:
    """What is signed: domain separator and hash of the struct."""
    return keccak(b"\x19\x01" + separator + struct)


def text_digest(text: bytes) -> bytes:
    """What is signed of a plain text. Source: EIP-191, version 0x45."""
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(text)).encode() + text)


def sign(message: bytes, key: bytes) -> bytes:
    """Signature of a digest with a private key (32 bytes)."""
    raw = secp256k1.sign(message, key)
    return raw[:64] + V[raw[64]]


def signer(message: bytes, signature: bytes, what: str) -> str:
    """Address that signed a digest, lower case. Raises SignatureError, naming `what`, for a malformed signature."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise SignatureError(f"signature of {what}: 65 bytes with v 27 or 28 are needed")
    if signature[32:64] > HALF_ORDER_BYTES:
        raise SignatureError(f"signature of {what} has a high s; sign with a low s (EIP-2)")
    public = secp256k1.recover(message, signature[:64] + (b"\x00" if signature[64] == 27 else b"\x01"))
    if public is None:
        raise SignatureError(f"signature of {what} is malformed; sign again")
    return _address(public)


def address_of(key: bytes) -> str:
    """Address of a private key (32 bytes), lower case."""
    return _address(PrivateKey(key).public_key.format(compressed=False)[1:])


@lru_cache(maxsize=AT_HAND)
def _address(public: bytes) -> str:
    """Address of a public key (64 bytes), lower case."""
    return "0x" + keccak(public)[12:].hex()
