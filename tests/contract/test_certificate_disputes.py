"""Evidence of wrong certificates: every kind convicts and pays, and an honest slot cannot be convicted."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.certificate_world import (
    BUNDLES,
    CLAIMED,
    HELD,
    MEMBERS,
    REGISTERS_OF,
    CertificateWorld,
    readings_of,
    records_of,
    tree_of,
)
from tests.contract.world import (
    ARBITER,
    BOND,
    GATEWAY,
    OPERATOR,
    OWNER,
    PENALTY,
    SLOT,
    STRANGER,
    reason_of,
    refused,
)
from transactive.chain.artifact import source
from transactive.chain.disputes import evidence
from transactive.chain.twins import certificate_disputes as twin
from transactive.core.proofs.leaves import climb
from transactive.core.proofs.merkle import REGISTERS, ZERO
from transactive.metering import gateway

NO_FRAUD = "certificate_disputes: no fraud shown"


@pytest.fixture
def w() -> CertificateWorld:
    return CertificateWorld.made()


def convicted(w: CertificateWorld) -> None:
    """The stake paid the challenger, and the commitment is gone with everything in it."""
    assert w.read("bond") == BOND - PENALTY
    assert w.read("awards", STRANGER.address) == PENALTY // 2
    assert not w.read("isCommitted", w.opening().content)
    assert w.solvent()


def given_to(place: int, **changes: int) -> list[twin.Bundle]:
    """The bundles with one of them stated otherwise."""
    device, first, wh, owner, state, mg = BUNDLES[place]
    changed = {"first": first, "wh": wh, "owner": owner, "state": state, "mg": mg} | changes
    return [*BUNDLES[:place], (device, *changed.values()), *BUNDLES[place + 1 :]]  # type: ignore[list-item]


def with_leaf_of(w: CertificateWorld, index: int, bundles: list[twin.Bundle]) -> Any:
    """Commit the honest slot but for the record of one leaf, which holds other bundles. Gives the other records."""
    other = records_of(readings_of(w.slot * SLOT), bundles)
    w.commit_carbon(leaves={index: replace(w.forged(index), fills=other.hashes[index])})
    return other


def reading_of(w: CertificateWorld, index: int, registers: Any = REGISTERS_OF, key: Any = GATEWAY) -> tuple[Any, int]:
    """Evidence of what the gateway signed."""
    read = readings_of((w.slot - 1) * SLOT, registers)
    signature = gateway.sign(read, bytes(key.key), w.client.chain_id).signature
    sums = REGISTERS.pack([int(getattr(read, name)[index]) for name in REGISTERS.names])
    return evidence.reading(gateway.readings_tree(read), MEMBERS, index, sums, signature), sums


def test_an_honest_slot_cannot_be_convicted(w):
    w.commit_carbon()
    opening = w.opening().content
    for index in range(MEMBERS):
        shown, record = w.carbon_shown(index), w.carbon.record(index)
        for call in (
            ("challengeLeaf", shown),
            ("challengeBundles", shown, record),
            ("challengeMoney", shown, w.shown(index)),
            ("challengeReading", shown, reading_of(w, index)[0]),
        ):
            with refused(NO_FRAUD):
                w.evidence(call[0], opening, *call[1:])
        for other in range(MEMBERS):
            for place in range(len(w.carbon.rows[index])):
                for second in range(len(w.carbon.rows[other])):
                    against = (w.carbon_shown(other), w.carbon.record(other), second)
                    if (index + other + place + second) % 7 == 0:  # some of all pairs
                        with refused(NO_FRAUD):
                            w.evidence("challengeTwice", opening, shown, record, place, *against)


LIES = {
    "issued more than metered": (0, {"issued_wh": 1_001}),
    "claimed more than issued": (4, {"claimed_wh": 51}),
    "received more than consumed": (3, {"received_wh": 501}),
    "claims that nobody received": (3, {"received_wh": 1}),
    "received what nobody gave": (0, {"claimed_wh": 600}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_leaf_that_cannot_be_right(w, lie):
    index, lanes = LIES[lie]
    w.commit_carbon(leaves={index: w.forged(index, **lanes)})
    leaf, proof = w.carbon_tree.leaf(index), w.carbon_tree.proof(index)
    assert twin.wrong_leaf(w.slot - 1, index, leaf, proof)
    w.evidence("challengeLeaf", w.opening().content, w.carbon_shown(index))
    convicted(w)


@pytest.mark.parametrize("change", [{"index": 2}, {"slot": 1}])
def test_a_leaf_in_anothers_place_as_one_that_is_there_twice(w, change):
    """A place is a member's: a leaf that is there twice is once in another's place."""
    honest = w.forged(2)
    w.commit_carbon(leaves={5: replace(honest, **({"index": 2} | change))})
    w.evidence("challengeLeaf", w.opening().content, w.carbon_shown(5))
    convicted(w)


@pytest.mark.parametrize("lies", [{(1, 0): 1}, {(0, 3): 1 << 63}, {(4, 1): 1 << 64}])
def test_sums_that_do_not_add_up_or_carry(w, lies):
    honest = tree_of(w.slot, readings_of(w.slot * SLOT))
    stated = {at: (honest.node(*at)[1] + change, honest.node(*at)[2]) for at, change in lies.items()}
    w.commit_carbon(lies=stated)
    index = 0 if (1, 0) in lies else 1 if (0, 3) in lies else 7
    assert twin.wrong_leaf(w.slot - 1, index, w.carbon_tree.leaf(index), w.carbon_tree.proof(index))
    w.evidence("challengeLeaf", w.opening().content, w.carbon_shown(index))
    convicted(w)


TWICE = {
    "the same bundle twice": [*BUNDLES[:2], BUNDLES[1], *BUNDLES[2:]],
    "a Wh in two bundles": [*BUNDLES[:1], (0, 199, 301, 2, CLAIMED, 1), *BUNDLES[2:]],
    "devices out of order": [BUNDLES[4], *BUNDLES[:4], BUNDLES[5]],
    "less than the leaf": list(BUNDLES[:2]) + list(BUNDLES[3:]),
    "claimed by nobody's meter": [*BUNDLES[:2], (0, 500, 400, 3, CLAIMED, 1), *BUNDLES[3:]],
}


@pytest.mark.parametrize("fault", TWICE)
def test_bundles_that_hold_a_wh_twice_or_differ_from_the_leaf(w, fault):
    """The leaf's sums are the honest ones; its record is another."""
    rows = TWICE[fault]
    index = 2 if fault == "devices out of order" else 0
    other = with_leaf_of(w, index, rows)
    assert twin.wrong_bundles(w.carbon_tree.leaf(index), other.rows[index])
    with refused("bundles: other record"):
        w.evidence("challengeBundles", w.opening().content, w.carbon_shown(index), w.carbon.record(index))
    w.evidence("challengeBundles", w.opening().content, w.carbon_shown(index), other.record(index))
    convicted(w)


@pytest.mark.parametrize("changes", [{"owner": 3}, {"wh": 250}, {"first": 201}, {"state": HELD}, {"mg": 1}])
def test_a_wh_that_was_given_to_two(w, changes):
    """Home 0 says that home 2 has the bundle; another leaf says something else of the same Wh."""
    holder = changes.get("owner", 2)
    other = with_leaf_of(w, holder, given_to(1, **changes))
    places = (
        w.carbon.rows[0].index(BUNDLES[1]),
        next(k for k, row in enumerate(other.rows[holder]) if row[0] == 0 and row[1] in (200, 201)),
    )
    opening = w.opening().content
    one = (w.carbon_shown(0), w.carbon.record(0), places[0])
    two = (w.carbon_shown(holder), other.record(holder), places[1])
    assert twin.given_twice(w.carbon.rows[0][places[0]], other.rows[holder][places[1]])
    for wrong in ((*one[:2], 9, *two), (*one, *two[:2], 9)):
        with refused("certificate_disputes: no such bundle"):
            w.evidence("challengeTwice", opening, *wrong)
    for wrong in ((*one, two[0], w.carbon.record(4), 0), (one[0], w.carbon.record(4), 0, *two)):
        with refused("bundles: other record"):
            w.evidence("challengeTwice", opening, *wrong)
    w.evidence("challengeTwice", opening, *two, *one)
    convicted(w)


@pytest.mark.parametrize("lanes", [{"metered_wh": 1_001}, {"issued_wh": 999}])
def test_certificates_that_contradict_the_settlement(w, lanes):
    w.commit_carbon(leaves={0: w.forged(0, **lanes)})
    assert twin.wrong_money(w.carbon_tree.leaf(0), w.tree.leaf(0))
    for other in (w.shown(1), w.shown(9)):
        with refused("certificate_disputes: other member"):
            w.evidence("challengeMoney", w.opening().content, w.carbon_shown(0), other)
    with refused("certificate_disputes: bad proof"):
        w.evidence("challengeMoney", w.opening().content, w.carbon_shown(0), (*w.shown(0)[:3], w.shown(0)[3][:-1]))
    w.evidence("challengeMoney", w.opening().content, w.carbon_shown(0), w.shown(0))
    convicted(w)


def test_a_leaf_left_out_of_the_certificates(w):
    w.commit_carbon(places={0: (ZERO, 0, 0)})
    assert twin.wrong_money(None, w.tree.leaf(0))
    w.evidence("challengeMoney", w.opening().content, w.carbon_shown(0, blank=True), w.shown(0))
    convicted(w)


@pytest.mark.parametrize("change", range(5))
def test_each_register_is_held_against_the_gateway(w, change):
    """Whatever the gateway signed differently shows: generation and discharge as metered, all five as consumption."""
    w.commit_carbon()
    row = [list(registers) for registers in REGISTERS_OF]
    row[4][change] += 1
    shown, sums = reading_of(w, 4, row)
    assert twin.wrong_reading(w.carbon_tree.leaf(4), sums)
    with refused("certificate_disputes: not the gateway"):
        stranger = reading_of(w, 4, row, STRANGER)[0]
        w.evidence("challengeReading", w.opening().content, w.carbon_shown(4), stranger)
    w.evidence("challengeReading", w.opening().content, w.carbon_shown(4), shown)
    convicted(w)


def test_evidence_is_of_this_commitment_and_comes_in_time(w):
    w.commit_carbon(leaves={0: w.forged(0, issued_wh=1_001)})
    opening = w.opening()
    other = replace(opening, commitment=replace(opening.commitment, certificates=w.tree.root))
    with refused("bundles: bad proof"):
        w.evidence("challengeLeaf", other.content, w.carbon_shown(0))
    with refused("bundles: no leaf"):
        w.evidence("challengeLeaf", opening.content, w.carbon_shown(12, blank=True))
    with refused("settlement: other slot"):
        wrong = replace(opening, commitment=replace(opening.commitment, money=1))
        w.evidence("challengeLeaf", wrong.content, w.carbon_shown(0))
    w.finish()
    with refused("settlement: period closed"):
        w.evidence("challengeLeaf", opening.content, w.carbon_shown(0))


def test_a_slot_without_certificates_cannot_be_judged(w):
    w.commit()
    with refused("bundles: bad proof"):
        w.carbon_tree = w.tree
        w.evidence("challengeLeaf", w.opening().content, (*w.carbon_shown(0)[:3], []))


def test_only_the_named_judge_convicts(w):
    w.commit_carbon()
    for key in (OWNER, OPERATOR, ARBITER, STRANGER):
        with refused("disputes: not the judge"):
            w.judge("convict", w.opening().content, STRANGER.address, sender=key)
    with refused("disputes: judge is fixed"):
        w.judge("setCertificateDisputes", STRANGER.address, sender=OWNER)
    assert w.client.read(w.judge_of_certificates, "getDisputes") == w.disputes.address


@pytest.mark.parametrize("key", [OPERATOR, ARBITER, OWNER, GATEWAY])
def test_anybody_can_bring_evidence(w, key):
    w.commit_carbon(leaves={0: w.forged(0, issued_wh=1_001)})
    w.evidence("challengeLeaf", w.opening().content, w.carbon_shown(0), sender=key)
    assert w.read("awards", key.address) >= PENALTY // 2


lanes = st.sampled_from(["metered_wh", "issued_wh", "claimed_wh", "consumed_wh", "received_wh", "levy_n"])


@settings(max_examples=20, database=None, suppress_health_check=list(HealthCheck))
@given(
    index=st.integers(0, MEMBERS - 1),
    changes=st.dictionaries(lanes, st.sampled_from([0, 1, 50, 200, 300, 1_000, 2**62 - 1]), max_size=2),
    level=st.integers(0, 4),
    lie=st.sampled_from([0, 0, 1, 1 << 63, 1 << 130, 1 << 255]),
    place=st.integers(0, len(BUNDLES) - 1),
    field=st.sampled_from(["wh", "first", "owner", "state"]),
    value=st.sampled_from([0, 1, 2, 3, 100, 200, 300]),
)
def test_leaves_and_bundles_are_judged_as_the_twin_judges_them(index, changes, level, lie, place, field, value):
    """Whatever is stated where, judge and twin find the same."""
    w = CertificateWorld.made()
    other = records_of(
        readings_of(w.slot * SLOT), given_to(place, **{field: min(value, 255) if field == "state" else value})
    )  # a state has 8 bits
    leaf = replace(w.forged(index, **changes), fills=other.hashes[index])
    at = (level, (2 * index >> level) ^ 1)
    sums = tree_of(w.slot, readings_of(w.slot * SLOT)).node(*at)[1:]
    w.commit_carbon(leaves={index: leaf}, lies={at: (sums[0] ^ lie, sums[1])} if lie else None)
    proof, opening, shown = w.carbon_tree.proof(index), w.opening().content, w.carbon_shown(index)
    assert climb(leaf, index, proof)[0] == w.carbon_tree.root
    for function, verdict, more in (
        ("challengeLeaf", twin.wrong_leaf(w.slot - 1, index, leaf, proof), ()),
        ("challengeBundles", twin.wrong_bundles(leaf, other.rows[index]), (other.record(index),)),
        ("challengeMoney", twin.wrong_money(leaf, w.tree.leaf(index)), (w.shown(index),)),
    ):
        mark = w.client._node.ask("evm_snapshot")
        assert reason_of(w.evidence, function, opening, shown, *more) == (None if verdict else NO_FRAUD)
        w.client._node.ask("evm_revert", mark)
        w.client.forget()


CORRECTIONS = Path(__file__).with_name("test_correction_disputes.py")
"""Tests of the same contract, of its judgements about corrected readings."""


def test_every_reason_is_met_by_a_test_here():
    files = ("certificate_disputes", "modules/bundles")
    reasons = {reason for name in files for reason in re.findall(r'"(\w+: [^"]+)"', source(name))}
    here = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__), CORRECTIONS))
    assert len(reasons) >= 6
    assert [reason for reason in sorted(reasons) if reason not in here] == []
