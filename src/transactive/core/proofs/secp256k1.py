"""Recoverable signatures on secp256k1: made, and the public key behind one found again.

A slot makes and checks one for each member. The library that computes them sits beneath a Python interface that makes
a handful of objects each time; so it is called directly, on buffers that are used again. Where it cannot be, the
interface does it. Sources: SEC 1 (ECDSA, recovery of public keys), RFC 6979 (nonces).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from coincurve import PrivateKey, PublicKey
from coincurve.context import GLOBAL_CONTEXT

COMPACT, PUBLIC = 64, 64
"""Bytes of r and s, and of a public key without its first byte."""
AT_HAND = 8_192
"""Keys that stay at hand: of a full tree, and of as many agents."""


class Curve(NamedTuple):
    """sign: digest and private key, 32 bytes each, to r, s and v from 0 to 3, 65 bytes.

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

    def sign(digest: bytes, key: bytes) -> bytes:
        own = free.pop() if free else made()
        signature, compact, v, _, form, _ = own
        if len(digest) != 32 or len(key) != 32 or not make(context, signature, digest, key, ffi.NULL, ffi.NULL):
            raise ValueError("a digest and a private key have 32 bytes, and the key is below the order of the curve")
        write(context, compact, v, signature)
        done: bytes = form[:] + v[0].to_bytes(1, "big")
        free.append(own)
        return done

    def recover(digest: bytes, signature: bytes) -> bytes | None:
        own = free.pop() if free else made()
        parsed, _, _, key, _, point = own
        possible = len(digest) == 32 and read(context, parsed, signature[:COMPACT], signature[COMPACT])
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
        return made

    def recover(digest: bytes, signature: bytes) -> bytes | None:
        try:
            public = PublicKey.from_signature_and_message(signature, digest, hasher=None)
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


sign, recover = _chosen()
