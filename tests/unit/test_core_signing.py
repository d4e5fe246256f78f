"""Signatures by direct calls of the library: those that its interface makes, in any number of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from eth_account import Account

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing

CASES = [(sha256(b"digest %d" % i).digest(), sha256(b"key %d" % i).digest()) for i in range(40)]


def test_the_direct_way_and_the_interface_agree():
    through = signing._interface()
    for digest, key in CASES:
        signature = signing._CURVE.sign(digest, key)
        assert signature == through.sign(digest, key)
        assert signing._CURVE.recover(digest, signature) == through.recover(digest, signature)


def test_threads_do_not_disturb_each_other():
    with ThreadPoolExecutor(4) as pool:
        digests, keys = zip(*(10 * CASES), strict=True)
        signed = list(pool.map(signing.sign, digests, keys))
        signers = list(pool.map(lambda digest, signature: signing.signer(digest, signature, "it"), digests, signed))
    assert signers == [Account.from_key(key).address.lower() for _, key in CASES] * 10


def test_a_digest_that_was_not_signed_has_another_signer():
    (digest, key), (other, _) = CASES[:2]
    assert signing.signer(other, signing.sign(digest, key), "it") != signing.address_of(key)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s: s[:64], "65 bytes"),
        (lambda s: s[:64] + b"\x01", "v 27 or 28"),
        (lambda s: s[:32] + b"\xff" * 32 + s[64:], "high s"),
        (lambda s: bytes(64) + s[64:], "malformed"),
        (lambda s: b"\xff" * 32 + s[32:], "malformed"),
    ],
)
def test_what_is_no_signature_is_told(damage, message):
    digest, key = CASES[0]
    with pytest.raises(SignatureError, match=message):
        signing.signer(digest, damage(signing.sign(digest, key)), "it")


def test_a_key_beyond_the_curve_signs_nothing():
    with pytest.raises(ValueError, match="below the order"):
        signing.sign(CASES[0][0], b"\xff" * 32)
