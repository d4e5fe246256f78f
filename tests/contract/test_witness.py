"""The witness beside its twin: from a signed block of one chain to a member's leaf, on another chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.witness_world import FAR, OUTSIDER, SIGNERS, Witnessed, proof_of
from tests.contract.world import OFF, OWNER, STRANGER, World, refused
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import ZERO


@pytest.fixture(scope="module")
def witnessed() -> Witnessed:
    """Two slots of a period that were traded in, and the head of it proved."""
    w = World.fresh()
    found = Witnessed.fresh(w)
    for price in (70, 30):
        w.book.trade(0, 1, price)
        w.commit()
    number, header, account, storage = proof_of(w, w.period)
    found.note((FAR, number, keccak(header)), *SIGNERS[:2])
    found.prove(number, header, account, storage)
    return found


def test_leaves_under_a_proved_head_are_seen_since_its_block(witnessed):
    number = witnessed.world.anchored.chain.head.block_number
    for position in (-2, -1):
        assert [witnessed.seen(index, position) for index in (0, 1, 5)] == [number + 1] * 3
    head = witnessed.world.opening().head
    assert witnessed.client.read(witnessed.c, "headSeen", FAR, witnessed.world.c.address, witnessed.world.period, head)


def test_a_leaf_that_is_not_under_the_head_is_not_seen(witnessed):
    w = witnessed.world
    leaf, opening = w.trees[w.chain[-1].slot].leaf(0), w.opening()
    assert witnessed.seen(0, -1, leaf=replace(leaf, money=leaf.money + 1)) == 0
    assert witnessed.seen(0, -1, leaf=replace(leaf, index=1)) == 0
    assert witnessed.seen(0, -1, leaf=replace(leaf, slot=leaf.slot + 1)) == 0
    assert witnessed.seen(0, -1, opening=replace(opening, previous=ZERO)) == 0
    assert witnessed.seen(0, -1, opening=replace(opening, later=(ZERO,))) == 0
    assert witnessed.seen(0, -1, period=w.period + 1) == 0
    assert witnessed.seen(0, -1, settlement=STRANGER.address) == 0


def test_only_what_leads_to_the_head_proves_it(witnessed):
    w = witnessed.world
    number, header, account, storage = proof_of(w, w.period)
    with refused("witness: proved already"):
        witnessed.prove(number, header, account, storage)
    flipped = [*storage[:-1], storage[-1][:-1] + bytes([storage[-1][-1] ^ 1])]
    for wrong in (flipped, storage[:-1], [], account):
        with refused("witness: bad proof"):
            witnessed.prove(number, header, account, wrong)
    with refused("witness: bad proof"):
        witnessed.prove(number, header, account[:-1], storage)
    with refused("witness: bad proof"):
        witnessed.prove(number, header, account, storage, period=w.period + 1)
    with refused("witness: bad proof"):
        witnessed.prove(number, header, account, storage, settlement=w.token.address)
    for block, shown in ((number, header + b"x"), (number + 1, header)):
        with refused("witness: not that block"):
            witnessed.prove(block, shown, account, storage)


def test_a_block_needs_signers_each_once(witnessed):
    found = Witnessed.fresh(witnessed.world)
    block = FAR, 9, keccak(b"a block")
    a, b, c = SIGNERS
    with refused("witness: too few signatures"):
        found.note(block, a)
    for keys in ((a, a), (b, a), (a, OUTSIDER), (OUTSIDER, a, b)):
        with refused("witness: bad signature"):
            found.note(block, *keys)
    with refused("witness: no hash"):
        found.note((FAR, 9, ZERO), a, b)
    with refused("witness: bad signature"):  # signed for a witness on another chain
        found.client.send(STRANGER, found.c, "note", *block, [found.signed(block, key, chain=1) for key in (a, b)])
        found.client.block(found.now + 1)
    found.note(block, a, b, c)
    with refused("witness: noted already"):
        found.note((FAR, 9, keccak(b"another")), a, b)


def test_two_hashes_of_one_block_freeze_new_heads_alone(witnessed):
    one, other = ((FAR, 77, keccak(text)) for text in (b"one", b"other"))
    a, b, c = SIGNERS
    before = witnessed.seen(0, -1)
    for keys in ((a, b), (OUTSIDER, OUTSIDER)):
        with refused("witness: bad signature"):
            witnessed.freeze(one, other, *keys)
    with refused("witness: one hash"):
        witnessed.freeze(one, one, a, a)
    witnessed.freeze(one, other, a, a)
    for call in (lambda: witnessed.note(one, b, c), lambda: witnessed.freeze(one, other, b, b)):
        with refused("witness: frozen"):
            call()
    with refused("witness: frozen"):
        witnessed.prove(*proof_of(witnessed.world, witnessed.world.period))
    assert witnessed.seen(0, -1) == before > 0

    twin = witnessed.twin
    with refused("witness: not the governor"):
        witnessed.do(STRANGER, lambda: twin.thaw(STRANGER.address), "thaw")
    out = lambda: twin.set_signer(OWNER.address, a.address, wanted=False)  # noqa: E731 - one place
    witnessed.do(OWNER, out, "setSigner", a.address, OFF)
    with refused("witness: too few signers"):
        leave = lambda: twin.set_signer(OWNER.address, b.address, wanted=False)  # noqa: E731 - one place
        witnessed.do(OWNER, leave, "setSigner", b.address, OFF)
    witnessed.do(OWNER, lambda: twin.thaw(OWNER.address), "thaw")
    with refused("witness: bad signature"):
        witnessed.freeze(one, other, a, a)  # it signs no more, so it stops nobody
    witnessed.note(one, b, c)
