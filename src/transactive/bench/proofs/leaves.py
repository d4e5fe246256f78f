"""A slot's tree over members and blinding leaves, and signed orders as they enter, against the bare cryptography."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from time import thread_time

import numpy as np

from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row

MEMBERS, ORDERS, STEPS = 1_000, 100, 28
LEAF_BYTES, BLIND_BYTES, NODE_BYTES = 289, 161, 193
KEY, CONTRACT = b"\x01" * 32, "0x" + "c0" * 20


@bench("leaves", summary="leaves of a slot and signed orders against bare hashes and signatures")
def leaves(_: BenchTimer) -> Iterator[Row]:
    """Measure the tree of a thousand members, and the check of a hundred signed orders, in processor time."""
    from transactive.core.proofs import signing
    from transactive.core.proofs.leaves import SlotLeaves
    from transactive.core.proofs.merkle import ZERO
    from transactive.core.proofs.signed_orders import Order, SignedOrder, check, domain, sign_order
    from transactive.core.proofs.slot_tree import SlotTree, depth_for_accounts

    meter, rng = BenchTimer(thread_time), np.random.default_rng(1)
    money, energy = (rng.integers(0, 10**10, (MEMBERS, 4)) for _ in range(2))
    none = [ZERO] * MEMBERS
    content, depth = SlotLeaves(7, money, energy, money, energy, none, none), depth_for_accounts(MEMBERS)
    hashed = [bytes(size) for size in (LEAF_BYTES, BLIND_BYTES, NODE_BYTES, NODE_BYTES) for _ in range(MEMBERS)]
    hashing = Reference("the same hashes alone", lambda: [hashlib.sha256(data).digest() for data in hashed])
    yield meter.time(f"tree of {MEMBERS:,} members", lambda: SlotTree(content, depth, KEY), hashing, repeats=25)

    here = domain(31337, CONTRACT)
    buys, sells = tuple((500 - k, 50) for k in range(STEPS)), tuple((600 + k, 50) for k in range(STEPS))
    signed = [sign_order(Order(0, slot, 0, buys, sells), KEY, here) for slot in range(ORDERS)]
    messages = [signing.digest(here, one.order.hash) for one in signed]
    member = signing.signer(messages[0], signed[0].signature, "an order")

    def recovered() -> list[str]:
        return [signing.signer(m, one.signature, "an order") for m, one in zip(messages, signed, strict=True)]

    def checked() -> None:
        for one in signed:  # made anew, so that no hash is known already
            fresh = Order(one.order.account, one.order.slot, one.order.serial, one.order.buys, one.order.sells)
            check(SignedOrder(fresh, one.signature), member, here, 2**40)

    yield meter.time(f"check {ORDERS} signed orders", checked, Reference("recover their signers", recovered), repeats=5)
