"""Keccak-256 as we call it gives what the library's own interface gives, in any number of threads."""

from concurrent.futures import ThreadPoolExecutor

from eth_hash.auto import keccak as reference
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.proofs import keccak as module
from transactive.core.proofs.keccak import keccak


@given(st.binary(max_size=600))
def test_equals_the_interface(data: bytes) -> None:
    assert keccak(data) == reference(data)


def test_known_answers() -> None:
    assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak(b"Transfer(address,address,uint256)")[:4].hex() == "ddf252ad"


def test_calls_the_library_directly() -> None:
    """Pinned with the library: a version whose inside is bound in another way makes a run slower, and shows here."""
    assert keccak is not reference
    assert keccak.__module__ == module.__name__


def test_threads_do_not_disturb_each_other() -> None:
    texts = [bytes([number % 256]) * (number % 700) for number in range(4_000)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(keccak, texts)) == [reference(text) for text in texts]
