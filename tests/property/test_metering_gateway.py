"""The gateway's signature: it stands for every register of the slot, and for nothing else."""

from dataclasses import fields, replace

import numpy as np
import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import SignatureError
from transactive.core.proofs.merkle import REGISTERS, climb
from transactive.core.tables import Readings
from transactive.metering.gateway import SignedReadings, digest, enter, readings_tree, sign

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
COLUMNS = [field.name for field in fields(Readings) if field.name not in ("slot", "quality")]
"""The registers, which are what is signed."""
ENERGY = st.one_of(st.integers(0, 3), st.integers(0, 2**45))
KEYS = st.integers(1, 2**200).map(lambda n: n.to_bytes(32, "big"))
CHAINS = st.integers(1, 2**60)


@st.composite
def readings(draw):
    members = draw(st.integers(1, 6))
    rows = draw(st.lists(st.tuples(*[ENERGY] * 5), min_size=members, max_size=members))
    return Readings(draw(st.integers(0, 2**35)) * 300, *np.array(rows, np.int64).T)


def address(key):
    return Account.from_key(key).address


def refused(signed, gateway, chain_id, complaint="signed by|malformed"):
    with pytest.raises(SignatureError, match=complaint):
        enter(signed, gateway, chain_id)


@given(readings(), KEYS, CHAINS)
def test_digest_and_signer_are_those_of_eth_account(table, key, chain_id):
    tree = readings_tree(table)
    message = encode_typed_data(
        {"name": "TransActive Metering", "version": "1", "chainId": chain_id},
        {
            "Readings": [
                {"name": "slot", "type": "uint256"},
                {"name": "meters", "type": "uint256"},
                {"name": "root", "type": "bytes32"},
                {"name": "totals", "type": "uint256"},
            ]
        },
        {"slot": table.slot, "meters": len(table.import_wh), "root": tree.root, "totals": tree.totals},
    )
    assert digest(table, chain_id) == _hash_eip191_message(message)
    signed = sign(table, key, chain_id)
    assert Account.recover_message(message, signature=signed.signature) == address(key)
    assert signed.signature == Account.sign_message(message, key).signature  # RFC 6979: the same on every machine


@given(readings(), KEYS, CHAINS, st.booleans())
def test_signed_readings_come_in(table, key, chain_id, lower):
    gateway = address(key).lower() if lower else address(key)
    assert enter(sign(table, key, chain_id), gateway, chain_id) is table


@given(readings(), KEYS, CHAINS, st.data())
def test_any_changed_register_is_refused(table, key, chain_id, data):
    signed = sign(table, key, chain_id)
    name = data.draw(st.sampled_from(COLUMNS))
    column = getattr(table, name).copy()
    column[data.draw(st.integers(0, len(column) - 1))] += data.draw(st.sampled_from((1, -1, 2**45, 2**50)))
    refused(replace(signed, readings=replace(table, **{name: column})), address(key), chain_id)


@given(readings(), KEYS, CHAINS, st.data())
def test_other_slot_order_size_chain_and_key_are_refused(table, key, chain_id, data):
    signed, gateway = sign(table, key, chain_id), address(key)
    refused(replace(signed, readings=replace(table, slot=table.slot + 300)), gateway, chain_id)
    refused(replace(signed, readings=replace(table, slot=-300)), gateway, chain_id)
    refused(signed, gateway, chain_id + 1)
    refused(signed, address(b"\x07" * 32), chain_id)
    refused(sign(table, b"\x07" * 32, chain_id), gateway, chain_id)
    longer = {name: np.append(getattr(table, name), 0) for name in COLUMNS}  # a meter that measured nothing
    refused(replace(signed, readings=replace(table, **longer)), gateway, chain_id)
    order = np.array(data.draw(st.permutations(range(len(table.import_wh)))))
    moved = replace(table, **{name: getattr(table, name)[order] for name in COLUMNS})
    if any((getattr(moved, name) != getattr(table, name)).any() for name in COLUMNS):
        refused(replace(signed, readings=moved), gateway, chain_id)


@given(readings(), KEYS, CHAINS)
def test_the_high_s_twin_is_refused(table, key, chain_id):
    signature = sign(table, key, chain_id).signature
    s = int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + (ORDER - s).to_bytes(32, "big") + bytes([55 - signature[64]])
    refused(SignedReadings(table, twin), address(key), chain_id, "high s")


@given(readings(), KEYS, CHAINS, st.data())
def test_a_signature_of_another_form_is_refused(table, key, chain_id, data):
    signature, gateway = sign(table, key, chain_id).signature, address(key)
    for form in (b"", signature[:64], signature + b"\x00", signature[:64] + bytes([signature[64] - 27])):
        refused(SignedReadings(table, form), gateway, chain_id, "65 bytes with v 27 or 28")
    refused(SignedReadings(table, signature[:64] + bytes([55 - signature[64]])), gateway, chain_id)
    position = data.draw(st.integers(0, 63))
    flipped = bytearray(signature)
    flipped[position] ^= 1 << data.draw(st.integers(0, 7))
    refused(SignedReadings(table, bytes(flipped)), gateway, chain_id, "signed by|malformed|high s")


@given(st.binary(min_size=65, max_size=65))
def test_no_bytes_do_anything_but_be_refused(signature):
    table = Readings(300, *(np.array([k], np.int64) for k in range(5)))
    forms = (signature, signature[:64] + b"\x1b", bytes(64) + b"\x1b", signature[:32] + bytes(32) + b"\x1c")
    for form in forms:
        refused(SignedReadings(table, form), address(b"\x07" * 32), 1, "slot 300")


@given(readings())
def test_every_member_can_prove_its_own_reading(table):
    tree = readings_tree(table)
    for i in range(len(table.import_wh)):
        leaf = tree.node(0, i)
        assert REGISTERS.unpack(leaf[1]) == {name: int(getattr(table, name)[i]) for name in COLUMNS}
        assert climb(leaf, i, tree.proof(i), REGISTERS) == (tree.root, tree.totals, True)
    assert REGISTERS.unpack(tree.totals) == {name: int(getattr(table, name).sum()) for name in COLUMNS}
