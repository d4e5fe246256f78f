"""Packed blocks: any columns come back as they went in, and nothing that is damaged is believed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import StateError
from transactive.core.proofs.accepted_orders import Accepted
from transactive.core.proofs.receipts import ReceiptTree
from transactive.core.proofs.signed_orders import Grant, Order, SignedOrder
from transactive.store.packed import VERSION, PackedBlock, digest_of, pack, unpack
from transactive.store.row_blocks import (
    BUNDLE,
    POSITION,
    POSTING,
    READING,
    pack_bundles,
    pack_positions,
    pack_postings,
    pack_readings,
    unpack_columns,
)
from transactive.store.row_digests import rows_digest
from transactive.store.schema import REFUSALS
from transactive.store.slot_blocks import (
    pack_figures,
    pack_orders,
    pack_signatures,
    pack_texts,
    unpack_figures,
    unpack_orders,
    unpack_signatures,
    unpack_texts,
)

INT64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-300, 300), st.sampled_from((-(2**63), 2**63 - 1)))
ORDER = ("member", "is_buy", "price", "energy_wh", "lock_n", "allocated_wh", "money_n")
FIRST = bytes.fromhex(
    "0164a62fc7ffe426fa3aeb00a9ece160d895049294a66d656d6265720100c294a5707269636508fbc281a3636170ce00"
    "03d090c41b789c63606064696598ca6ac1708181918199010b7000003f4b0271c4067369676e6564"
)
"""A block of version 1, never made anew."""


def columns_of(names: tuple[str, ...], least: int = 0):
    """Columns of int64 of one length."""
    rows = st.integers(least, 12)
    return rows.flatmap(
        lambda count: st.fixed_dictionaries({name: st.lists(INT64, min_size=count, max_size=count) for name in names})
    ).map(lambda found: {name: np.array(column, np.int64) for name, column in found.items()})


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@given(columns_of(("a", "b", "c")), st.dictionaries(st.text(max_size=5), INT64, max_size=3), st.binary(max_size=40))
def test_any_columns_come_back(columns, numbers, tail):
    block = unpack(pack(PackedBlock(columns, numbers, tail)), "block")
    assert same(block.columns, columns)
    assert (block.numbers, block.tail) == (numbers, tail)
    assert all(column.dtype == np.int64 for column in block.columns.values())


@given(columns_of(ORDER))
def test_any_orders_come_back(orders):
    orders["is_buy"] &= 1
    assert same(unpack_orders(pack_orders(orders), "orders"), orders)


@given(columns_of(POSITION))
def test_any_positions_come_back_in_the_order_of_side_member_and_price(positions):
    positions["is_buy"] &= 1
    block, counts = pack_positions(positions)
    found = unpack_columns(block, "positions")
    rows = list(zip(*(positions[name].tolist() for name in POSITION), strict=True))
    back = list(zip(*(found[name].tolist() for name in POSITION), strict=True))
    assert sorted(back) == sorted(rows)
    assert [row[:3] for row in back] == sorted(row[:3] for row in rows)
    assert counts == {"positions": len(rows)}


@given(columns_of(POSTING), st.sets(st.sampled_from(POSTING), min_size=1))
def test_any_postings_come_back_and_name_their_kinds(postings, some):
    postings["kind"] %= 60
    block, counts = pack_postings(postings)
    assert same(unpack_columns(block, "postings"), postings)
    assert counts == {
        "postings": len(postings["kind"]),
        "kinds": sum(1 << kind for kind in set(postings["kind"].tolist())),
    }
    found = unpack_columns(block, "postings", some)
    assert all(np.array_equal(found[name], postings[name]) for name in some)


@given(columns_of(READING), st.sets(st.sampled_from(READING), min_size=1))
def test_any_readings_come_back_with_their_sums(readings, some):
    readings = {name: column % 2**58 for name, column in readings.items()}
    block, counts = pack_readings(readings)
    assert same(unpack_columns(block, "readings"), readings)
    assert same(unpack_columns(block, "readings", some), {name: readings[name] for name in READING if name in some})
    assert all(total == sum(readings[name].tolist()) for name, total in counts.items() if name != "meters")


def test_what_follows_from_other_columns_takes_no_byte():
    imported = np.arange(1, 101) ** 2
    columns = dict.fromkeys(READING, np.zeros(100, np.int64)) | {
        "import_wh": imported, "net_n": -220_000 * imported,
        "unmatched_mg": 93 * imported, "levy_n": 93 * imported * 75_363 // 1000,
    }  # fmt: skip
    without = columns | {"net_n": columns["member"], "levy_n": columns["member"]}
    assert len(pack_readings(columns)[0]) - len(pack_readings(without)[0]) < 50


def test_a_block_of_readings_that_took_nothing_away_is_read_still():
    columns = {name: np.arange(5) * place for place, name in enumerate(READING)}
    block = pack(PackedBlock(columns))
    assert same(unpack_columns(block, "readings"), columns)
    assert same(unpack_columns(block, "readings", ("net_n", "levy_n")), {n: columns[n] for n in ("net_n", "levy_n")})


@given(columns_of(BUNDLE))
def test_any_bundles_come_back_in_the_order_of_their_devices(bundles):
    bundles["state"] %= 60
    found = unpack_columns(pack_bundles(bundles)[0], "bundles")
    rows = list(zip(*(bundles[name].tolist() for name in BUNDLE), strict=True))
    assert sorted(rows) == sorted(zip(*(found[name].tolist() for name in BUNDLE), strict=True))
    keys = list(zip(found["device"].tolist(), found["first_wh"].tolist(), strict=True))
    assert keys == sorted(keys)


@given(st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(INT64, min_size=width, max_size=width), max_size=9)))
def test_any_figures_come_back(rows):
    figures = np.array(rows, np.int64).reshape(len(rows), len(rows[0]) if rows else 6)
    assert np.array_equal(unpack_figures(pack_figures(figures), "figures"), figures)


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_any_texts_come_back(texts):
    assert unpack_texts(pack_texts(texts), "texts") == texts


@given(
    st.lists(st.tuples(st.binary(max_size=70), st.binary(max_size=70), st.booleans()), min_size=1, max_size=5),
    st.booleans(),
)
def test_any_signatures_come_back(given_, together):
    grant = Grant(3, "0x" + "ab" * 20, 5, 6, 7, 8)
    signed, alone = [], []
    for account, (signature, receipt, by_agent) in enumerate(given_):
        order = Order(account, 9, 4, ((5, 6),), ())
        agent = (grant, b"granted") if by_agent else ()
        signed.append(SignedOrder(order, signature, *agent))
        alone.append(receipt)
    tree = ReceiptTree(signed) if together else None
    accepted = [
        Accepted(one, b"for all" if tree else receipt, tree) for one, receipt in zip(signed, alone, strict=True)
    ]
    block, grants = pack_signatures(accepted)
    found = unpack_signatures(block, "signatures")
    assert found.grants == sorted(grants)
    assert found.serial == 4
    again = found.accepted([one.signed.order for one in accepted], grants)
    assert again == accepted
    assert [one.receipt for one in again] == [one.receipt for one in accepted]


@given(columns_of(("a", "b"), least=1), st.data())
def test_a_damaged_byte_is_named_and_never_read(columns, data):
    block = bytearray(pack(PackedBlock(columns, {"n": 1}, b"tail")))
    place = data.draw(st.integers(0, len(block) - 1))
    block[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StateError, match="orders of noon: is not as it was written; take the folder from a copy"):
        unpack(bytes(block), "orders of noon")


@given(columns_of(("a",), least=1), st.data())
def test_a_block_that_was_cut_is_named(columns, data):
    block = pack(PackedBlock(columns))
    with pytest.raises(StateError, match="is not as it was written"):
        unpack(block[: data.draw(st.integers(0, len(block) - 1))], "block")


def test_a_newer_format_is_refused_by_name():
    body = bytes([VERSION + 1]) + b"whatever"
    with pytest.raises(StateError, match=rf"of format {VERSION + 1}, and this program reads up to {VERSION}; install"):
        unpack(body[:1] + digest_of(body) + body[1:], "block")


def test_a_block_of_the_first_version_is_read_for_ever():
    block = unpack(FIRST, "block")
    assert {name: column.tolist() for name, column in block.columns.items()} == {
        "member": [0, 0, 1, 4],
        "price": [80_000, -5, 250_000, 2**62],
    }
    assert (block.numbers, block.tail) == ({"cap": 250_000}, b"signed")


def test_columns_of_different_lengths_are_no_block():
    with pytest.raises(ValueError, match="one length"):
        pack(PackedBlock({"a": np.zeros(1, np.int64), "b": np.zeros(2, np.int64)}))


@given(columns_of(("row", "is_buy", "price", "energy_wh"), least=1), st.data())
def test_rows_have_their_digest_in_any_order_and_no_other_rows_have_it(columns, data):
    columns["row"] = np.arange(len(columns["row"]))
    digest = rows_digest(REFUSALS, columns)
    order = data.draw(st.permutations(range(len(columns["row"]))))
    assert rows_digest(REFUSALS, {name: column[order] for name, column in columns.items()}) == digest
    name = data.draw(st.sampled_from(sorted(columns)))
    columns[name] = columns[name].copy()
    columns[name][data.draw(st.integers(0, len(columns[name]) - 1))] ^= 1 << data.draw(st.integers(0, 62))
    assert rows_digest(REFUSALS, columns) != digest
