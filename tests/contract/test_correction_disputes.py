"""Corrected readings before the judge: a wrong one convicts, an operator with corrected meters is never convicted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.certificate_world import MEMBERS, REGISTERS_OF, CertificateWorld
from tests.contract.test_certificate_disputes import NO_FRAUD, convicted
from tests.contract.world import GATEWAY, SLOT, STRANGER, reason_of, refused
from transactive.chain.disputes import evidence
from transactive.chain.disputes.certificate_findings import CertificateCase
from transactive.chain.disputes.leaf_file import CertificateFile, LeafFile, certificate_file, leaf_file
from transactive.chain.twins import certificate_disputes as twin
from transactive.core.proofs.corrections import NUMBERS, Corrections, correction_digest
from transactive.core.proofs.signed_orders import Fills
from transactive.core.proofs.signing import sign

CORRECTION, TWICE, START = (f"challengeCorrection{name}" for name in ("", "Twice", "Start"))


@pytest.fixture
def w() -> CertificateWorld:
    """A settlement with an honest slot that can be corrected."""
    world = CertificateWorld.made()
    world.commit_carbon()
    return world


def line(w: CertificateWorld, origin: int, index: int = 0, **changes: Any) -> list[int]:
    """An honest correction of a member's reading in slot number `origin`: 50 Wh more made and used."""
    was = REGISTERS_OF[index]
    told = dict.fromkeys(NUMBERS, 0) | {
        "member": index, "origin": origin * SLOT, "previous": origin * SLOT, "supply": 280_000, "feed_in": 80_000,
        "was_import_wh": was[0], "was_export_wh": was[1], "was_generation_wh": was[2],
        "now_import_wh": was[0], "now_export_wh": was[1], "now_generation_wh": was[2] + 50,
        "charge_wh": was[3], "discharge_wh": was[4], "first_wh": was[2], "issued_wh": 50, "metered": 1,
    }  # fmt: skip
    return list((told | changes).values())


def signed(w: CertificateWorld, rows: list[list[int]], key: Any = GATEWAY) -> Corrections:
    """Lines as the gateway signs them."""
    signatures = [list(sign(correction_digest(row, w.client.chain_id), bytes(key.key))) for row in rows]
    return Corrections.of(0, np.array(rows, np.int64), np.array(signatures, np.int64))


def commit(w: CertificateWorld, lines: Corrections, index: int = 0) -> int:
    """Commit a slot with corrections of a member; returns its number."""
    number: int = w.slot
    w.commit_carbon(leaves={index: replace(w.forged(index), orders=lines.lines_hash())})
    return number


def of(w: CertificateWorld, lines: Corrections, place: int = 0, index: int = 0) -> tuple[Any, ...]:
    """Evidence about a line of the last slot."""
    return w.opening().content, w.carbon_shown(index), evidence.corrections(lines, place)


def test_an_honest_operator_with_corrected_meters_cannot_be_convicted(w):
    origin = w.slot - 1
    first = signed(w, [line(w, origin)])
    one = commit(w, first)
    seen = w.carbon_shown(0), evidence.corrections(first, 0)
    again = line(
        w, origin, previous=one * SLOT, was_generation_wh=1_050, now_generation_wh=900, now_export_wh=700,
        issued_wh=0, withdrawn_wh=50, shortfall_wh=100,
    )  # fmt: skip
    other = line(w, one, was_generation_wh=1_000, now_generation_wh=1_010, issued_wh=0, repaid_wh=10)
    second = signed(w, [again, other])
    commit(w, second)
    openings = {number: w.opening(number - w.slot).content for number in (origin, one)}
    for place, row in enumerate((again, other)):
        assert not twin.wrong_correction(row, (w.slot - 1) * SLOT, by_gateway=True)
        with refused(NO_FRAUD):
            w.evidence(CORRECTION, *of(w, second, place))
    with refused(NO_FRAUD):
        w.evidence(TWICE, *of(w, second), openings[one], *seen)
    with refused(NO_FRAUD):  # another line of the same leaf
        w.evidence(TWICE, *of(w, second, 1), *of(w, second, 0))
    with refused(NO_FRAUD):
        w.evidence(START, *of(w, second), openings[one], *seen)
    with refused(NO_FRAUD):
        w.evidence(START, *of(w, second, 1), openings[one], w.shown(0, one - w.slot), seen[1])
    with refused("certificate_disputes: other slot"):
        w.evidence(START, *of(w, second), openings[origin], *seen)


FAULTS = {
    "of the future": {"previous": 2**40},
    "before what it replaces": {"previous": 0},
    "more certificates than generated": {"issued_wh": 1_051},
    "more paid back than generated": {"issued_wh": 0, "repaid_wh": 1_051},
    "certificates of an estimate": {"metered": 0},
    "taken back without a reason": {"issued_wh": 0, "withdrawn_wh": 1},
    "a shortfall without a reason": {"issued_wh": 0, "shortfall_wh": 1},
    "negative use": {"now_export_wh": 1_051},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_correction_that_cannot_be_right_convicts(w, fault):
    wrong = line(w, w.slot - 1, **FAULTS[fault])
    lines = signed(w, [line(w, w.slot - 1, 0), wrong])
    commit(w, lines)
    assert twin.wrong_correction(wrong, (w.slot - 1) * SLOT, by_gateway=True)
    w.evidence(CORRECTION, *of(w, lines, 1))
    convicted(w)


@pytest.mark.parametrize("change", ["key", "registers", "v"])
def test_a_correction_that_the_gateway_did_not_sign_convicts(w, change):
    row = line(w, w.slot - 1)
    lines = signed(w, [row], STRANGER if change == "key" else GATEWAY)
    if change == "registers":
        rows = lines.rows
        rows[0, NUMBERS.index("now_import_wh")] += 1
        lines = Corrections.of(0, rows, lines.signature)
    if change == "v":
        lines.signature[0, 64] = 29
    commit(w, lines)
    assert twin.wrong_correction(row, (w.slot - 1) * SLOT, by_gateway=False)
    w.evidence(CORRECTION, *of(w, lines))
    convicted(w)


def test_a_reading_that_is_replaced_twice_convicts(w):
    origin = w.slot - 1
    first = signed(w, [line(w, origin)])
    one = commit(w, first)
    seen = w.carbon_shown(0), evidence.corrections(first, 0)
    more = line(w, origin, now_generation_wh=1_070, issued_wh=70)
    commit(w, signed(w, [more]))
    assert twin.corrected_twice(more, line(w, origin))
    w.evidence(TWICE, *of(w, signed(w, [more])), w.opening(one - w.slot).content, *seen)
    convicted(w)


def test_a_line_that_stands_twice_in_a_leaf_convicts(w):
    row = line(w, w.slot - 1)
    lines = signed(w, [row, row])
    commit(w, lines)
    w.evidence(TWICE, *of(w, lines, 1), *of(w, lines, 0))
    convicted(w)


@pytest.mark.parametrize("name", ["was_import_wh", "was_export_wh", "was_generation_wh", "discharge_wh"])
def test_a_correction_that_begins_elsewhere_than_the_slots_own_leaf_convicts(w, name):
    row = line(w, w.slot - 1, 1)
    row[NUMBERS.index(name)] += 1
    own = w.shown(1)
    lines = signed(w, [row])
    commit(w, lines, 1)
    before = w.opening(-2).content
    assert twin.wrong_start(row, w.tree.leaf(1))
    with refused("certificate_disputes: other member"):
        w.evidence(START, *of(w, lines, 0, 1), before, w.shown(2, -2), evidence.corrections(lines, 0))
    with refused("certificate_disputes: bad proof"):
        w.evidence(START, *of(w, lines, 0, 1), before, (*own[:3], own[3][:-1]), evidence.corrections(lines, 0))
    w.evidence(START, *of(w, lines, 0, 1), before, own, evidence.corrections(lines, 0))
    convicted(w)


def test_a_correction_that_begins_elsewhere_than_the_one_before_convicts(w):
    origin = w.slot - 1
    first = signed(w, [line(w, origin)])
    one = commit(w, first)
    seen = w.carbon_shown(0), evidence.corrections(first, 0)
    wrong = line(w, origin, previous=one * SLOT, now_generation_wh=1_100)  # 50 Wh would be issued twice
    lines = signed(w, [wrong])
    commit(w, lines)
    assert twin.wrong_start(wrong, None, line(w, origin))
    w.evidence(START, *of(w, lines), w.opening(one - w.slot).content, *seen)
    convicted(w)


def test_certificates_that_exist_already_are_not_issued_late(w):
    """All 1,000 Wh of the slot had theirs: of 1,050 Wh no more than 50 are left."""
    own, wrong = w.shown(0), line(w, w.slot - 1, issued_wh=51)
    lines = signed(w, [wrong])
    commit(w, lines)
    assert not twin.wrong_correction(wrong, (w.slot - 1) * SLOT, by_gateway=True)
    assert twin.wrong_start(wrong, w.trees[w.chain[-2].slot].leaf(0))
    w.evidence(START, *of(w, lines), w.opening(-2).content, own, evidence.corrections(lines, 0))
    convicted(w)


def test_nor_are_those_of_the_correction_before(w):
    origin = w.slot - 1
    first = signed(w, [line(w, origin)])
    one = commit(w, first)
    seen = w.carbon_shown(0), evidence.corrections(first, 0)
    wrong = line(w, origin, previous=one * SLOT, was_generation_wh=1_050, now_generation_wh=1_060, issued_wh=11)
    lines = signed(w, [wrong])
    commit(w, lines)
    assert twin.wrong_start(wrong, None, line(w, origin))
    w.evidence(START, *of(w, lines), w.opening(one - w.slot).content, *seen)
    convicted(w)


def test_evidence_is_what_the_leaf_commits(w):
    lines = signed(w, [line(w, w.slot - 1), line(w, w.slot - 1, issued_wh=0)])
    commit(w, lines)
    opening, shown, (hashes, _, shown_line) = of(w, lines)
    for reason, told in (
        ("corrections: other lines", (hashes[:1], 0, shown_line)),
        ("corrections: no such line", (hashes, 2, shown_line)),
        ("corrections: other line", (hashes, 1, shown_line)),
    ):
        with refused(reason):
            w.evidence(CORRECTION, opening, shown, told)
    with refused("bundles: no leaf"):
        w.evidence(CORRECTION, opening, w.carbon_shown(12, blank=True), (hashes, 0, shown_line))
    with refused("corrections: other lines"):
        w.evidence(CORRECTION, opening, w.carbon_shown(1), (hashes, 0, shown_line))
    unknown = replace(w.opening(), commitment=replace(w.opening().commitment, money=1)).content
    with refused("certificate_disputes: not committed"):
        w.evidence(TWICE, opening, shown, (hashes, 0, shown_line), unknown, shown, (hashes, 0, shown_line))


def file_of(w: CertificateWorld, lines: Corrections, index: int = 0) -> CertificateFile:
    """What the operator gives to a member of the last slot."""
    tree, made = w.carbon_tree, w.carbon
    return certificate_file(
        w.client.chain_id, w.c.address, index, tree.leaf(index), tree.proof(index), w.opening(), w.certificates.address,
        made.rests[index], made.rows[index], lines,
    )  # fmt: skip


def own_file(w: CertificateWorld, position: int) -> LeafFile:
    """The settlement's leaf of member 0 in a slot of the period."""
    tree = w.trees[w.chain[position].slot]
    shown = tree.leaf(0), tree.proof(0), w.opening(position)
    return leaf_file(w.client.chain_id, w.c.address, 0, *shown, [], Fills())


@pytest.mark.parametrize("fault", ["", "signature", "start", "twice", "follows"])
def test_files_show_what_convicts(w, fault):
    origin = w.slot - 1
    first = signed(w, [line(w, origin)])
    one = commit(w, first)
    before = file_of(w, first)
    changes = {
        "start": {"was_export_wh": 1},
        "follows": {"previous": one * SLOT, "was_generation_wh": 1_049},
        "twice": {},
    }.get(fault, {})
    lines = signed(
        w,
        [line(w, one if fault in ("", "signature") else origin, **changes)],
        STRANGER if fault == "signature" else GATEWAY,
    )
    commit(w, lines)
    before = msgspec.structs.replace(before, later=["0x" + part.hex() for part in w.opening(-2).later])
    own = own_file(w, -3) if fault == "start" else None
    case = CertificateCase(w.client, file_of(w, lines))
    found = case.findings(own=own, others=[before] if fault in ("twice", "follows") else [])
    if not fault:
        assert found == []
        return
    kind = {"signature": CORRECTION, "twice": TWICE}.get(fault, START)
    (fraud, *_) = (each for each in found if each.function == kind)
    w.evidence(fraud.function, *fraud.arguments)
    convicted(w)


def test_lines_that_are_not_those_of_the_leaf_show_nothing(w):
    lines = signed(w, [line(w, w.slot - 1, previous=0)])
    commit(w, lines)
    other = signed(w, [line(w, w.slot - 2, issued_wh=2_000)])
    assert CertificateCase(w.client, file_of(w, other)).findings() == []
    assert [fraud.function for fraud in CertificateCase(w.client, file_of(w, lines)).findings()] == [CORRECTION]


WH = st.integers(0, 1_500)


@settings(max_examples=20, database=None, suppress_health_check=list(HealthCheck))
@given(
    index=st.integers(0, MEMBERS - 4),
    changes=st.dictionaries(
        st.sampled_from(["now_import_wh", "now_export_wh", "now_generation_wh", *NUMBERS[-5:-1]]), WH, max_size=4
    ),
    metered=st.integers(0, 2),
    key=st.sampled_from([GATEWAY, GATEWAY, STRANGER]),
)
def test_lines_are_judged_as_the_twin_judges_them(index, changes, metered, key):
    w = CertificateWorld.made()
    w.commit_carbon()
    row = line(w, w.slot - 1, index, metered=metered, **changes)
    lines = signed(w, [row], key)
    commit(w, lines, index)
    wrong = twin.wrong_correction(row, (w.slot - 1) * SLOT, by_gateway=key is GATEWAY)
    assert reason_of(w.evidence, CORRECTION, *of(w, lines, 0, index)) == (None if wrong else NO_FRAUD)
