"""Demo keys: the same on every machine, refused where there is value."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from transactive.chain.keys.keys import CURVE_ORDER, DemoKeys, derive, refuse_unless_development
from transactive.chain.keys.roles import ROLES
from transactive.core.errors import ChainError


@dataclass
class Node:
    is_embedded: bool
    chain_id: int


def test_keys_follow_from_seed_and_name():
    one, two = DemoKeys("a"), DemoKeys("a")
    assert one.role("operator").address == two.role("operator").address
    assert one.addresses(3) == two.addresses(3)
    assert len(set(one.addresses(20)) | set(DemoKeys("b").addresses(20))) == 2 * (len(ROLES) + 20)
    assert one.account(1).key != one.role("1").key


def test_parts_cannot_be_shifted_between_seed_and_name():
    assert derive("ab", "c") != derive("a", "bc")


def test_a_known_key():
    """Pinned: a change would lock everybody out of the chains that exist."""
    assert (
        derive("transactive", "role operator").hex()
        == "e59f3a7bf1fb180efa3a4bfc6c08d60c2cec7fed2af35be928c10070665da4d6"
    )
    assert 0 < int.from_bytes(derive("", ""), "big") < CURVE_ORDER


@pytest.mark.parametrize(("is_embedded", "chain_id"), [(True, 1), (True, 31337), (False, 31337), (False, 1337)])
def test_allowed_chains(is_embedded, chain_id):
    node = Node(is_embedded, chain_id)
    refuse_unless_development(node)
    DemoKeys().check(node)


@pytest.mark.parametrize("chain_id", [1, 10, 56, 100, 8453, 11155111, 0, 31338])
def test_refused_chains(chain_id):
    with pytest.raises(ChainError, match=f"chain {chain_id} is not a development chain"):
        DemoKeys().check(Node(is_embedded=False, chain_id=chain_id))
