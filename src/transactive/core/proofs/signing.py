"""EIP-712 digests and secp256k1 signatures: what readings, orders and receipts are signed with.

A signature is 65 bytes: r, s, v of 27 or 28, and s is low. A slot makes and checks one for each member. The library
that computes them sits beneath a Python interface that makes a handful of objects each time; so it is called directly,
on buffers that are used again, and where it cannot be, the interface does it. Sources: EIP-712 (typed structured data),
EIP-2 (low s), SEC 1 (ECDSA, recovery of public keys), RFC 6979 (nonces).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from coincurve import PrivateKey, PublicKey
from coincurve.context import GLOBAL_CONTEXT

from transactive.core.errors import SignatureError
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
HALF_ORDER_BYTES = HALF_ORDER.to_bytes(32, "big")
COMPACT = 64
"""Bytes of r and s."""
V = [b"\x1b", b"\x1c"]
"""v by the parity of the point: 27 and 28."""
LEAST_V = V[0][0]
VERSION = b"1"
AT_HAND = 8_192
"""How many of each stay at hand: keys, addresses of signers, digests. A full tree, and as many agents."""
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
    return _CURVE.sign(message, key)


def signer(message: bytes, signature: bytes, what: object) -> str:
    """Address that signed a digest, lower case. Raises SignatureError, naming `what`, for a malformed signature."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise SignatureError(f"signature of {what}: 65 bytes with v 27 or 28 are needed")
    if signature[32:64] > HALF_ORDER_BYTES:
        raise SignatureError(f"signature of {what} has a high s; sign with a low s (EIP-2)")
    public = _CURVE.recover(message, signature)
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


class Curve(NamedTuple):
    """sign: digest and private key, 32 bytes each, to r, s and v of 27 or 28, 65 bytes.

    recover: digest and such a signature to the public key, or None for a signature that nobody can have made.
    """

    sign: Callable[[bytes, bytes], bytes]
    recover: Callable[[bytes, bytes], bytes | None]


def _direct(binding: Any, context: Any) -> Curve:  # noqa: ANN401 - functions of C have no types
    """Calls of the library. Each thread that is inside has buffers of its own: the calls let others run."""
    ffi, library = binding.ffi, binding.lib
    make, find = library.secp256k1_ecdsa_sign_recoverable, library.secp256k1_ecdsa_recover
    write = library.secp256k1_ecdsa_recoverable_signature_serialize_compact
    read = library.secp256k1_ecdsa_recoverable_signature_parse_compact
    free: list[tuple[Any, ...]] = []

    def made() -> tuple[Any, ...]:
        """Signature, its compact form, its v, a public key; views of the form and of the key."""
        signature, key = ffi.new("secp256k1_ecdsa_recoverable_signature *"), ffi.new("secp256k1_pubkey *")
        compact, v = ffi.new("unsigned char[]", COMPACT), ffi.new("int *")
        return signature, compact, v, key, ffi.buffer(compact), ffi.buffer(key)

    def taken() -> tuple[Any, ...]:
        """Buffers that nobody uses."""
        try:
            return free.pop()
        except IndexError:  # another thread may have the last ones
            return made()

    def sign(digest: bytes, key: bytes) -> bytes:
        own = taken()
        signature, compact, v, _, form, _ = own
        if len(digest) != 32 or len(key) != 32 or not make(context, signature, digest, key, ffi.NULL, ffi.NULL):
            raise ValueError("a digest and a private key have 32 bytes, and the key is below the order of the curve")
        write(context, compact, v, signature)
        done: bytes = form[:] + V[v[0]]
        free.append(own)
        return done

    def recover(digest: bytes, signature: bytes) -> bytes | None:
        own = taken()
        parsed, _, _, key, _, point = own
        possible = len(digest) == 32 and read(context, parsed, signature, signature[COMPACT] - LEAST_V)
        found = serialised(point[:]) if possible and find(context, key, parsed, digest) else None
        free.append(own)
        return found

    @lru_cache(maxsize=AT_HAND)
    def serialised(point: bytes) -> bytes:
        """Public key of a point as the library holds it."""
        key, out, length = ffi.new("secp256k1_pubkey *"), ffi.new("unsigned char[65]"), ffi.new("size_t *", 65)
        ffi.memmove(key, point, len(point))
        library.secp256k1_ec_pubkey_serialize(context, out, length, key, library.SECP256K1_EC_UNCOMPRESSED)
        return bytes(ffi.buffer(out, 65)[1:])

    return Curve(sign, recover)


def _interface() -> Curve:
    """The same through the library's Python interface."""
    ready = lru_cache(maxsize=AT_HAND)(PrivateKey)  # to make a key ready takes twice as long as to sign with it

    def sign(digest: bytes, key: bytes) -> bytes:
        made: bytes = ready(key).sign_recoverable(digest, hasher=None)
        return made[:COMPACT] + V[made[COMPACT]]

    def recover(digest: bytes, signature: bytes) -> bytes | None:
        try:
            raw = signature[:COMPACT] + bytes([signature[COMPACT] - LEAST_V])
            public = PublicKey.from_signature_and_message(raw, digest, hasher=None)
        except ValueError:
            return None
        return bytes(public.format(compressed=False)[1:])

    return Curve(sign, recover)


def _chosen() -> Curve:
    """The direct way where the library is bound as we know it, else its interface."""
    through, digest, key = _interface(), bytes(31) + b"\x07", bytes(31) + b"\x05"
    try:
        direct = _direct(import_module("coincurve._libsecp256k1"), GLOBAL_CONTEXT.ctx)
        signature = direct.sign(digest, key)
        trusted = signature == through.sign(digest, key)
        trusted &= direct.recover(digest, signature) == through.recover(digest, signature)
    except (ImportError, AttributeError, TypeError, ValueError):
        trusted = False
    return direct if trusted else through


_CURVE = _chosen()
