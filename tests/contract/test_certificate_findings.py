"""What a file of certificates shows: an honest one nothing, each kind of fraud the call that convicts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.contract.certificate_world import MEMBERS, REGISTERS_OF, CertificateWorld, readings_of
from tests.contract.test_certificate_disputes import TWICE, convicted, given_to, reading_of, with_leaf_of
from tests.contract.world import GATEWAY, SLOT
from transactive.chain.disputes.certificate_findings import CertificateCase
from transactive.chain.disputes.leaf_file import CertificateFile, LeafFile, certificate_file, leaf_file
from transactive.chain.disputes.receipt_file import ReadingFile
from transactive.core.errors import InputError
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import Fills
from transactive.metering import gateway


@pytest.fixture
def w() -> CertificateWorld:
    return CertificateWorld.made()


def file_of(w: CertificateWorld, index: int, records: Any = None, *, blank: bool = False) -> CertificateFile:
    """What the operator gives to a member. records: behind the leaf, if they are not the honest ones."""
    tree, made = w.carbon_tree, records or w.carbon
    leaf = None if blank else tree.leaf(index)
    file = certificate_file(
        w.client.chain_id, w.c.address, index, tree.leaf(0), tree.proof(index), w.opening(),
        w.certificates.address, made.rests[index], made.rows[index],
    )  # fmt: skip
    words = leaf and tuple("0x" + part.hex() if isinstance(part, bytes) else str(part) for part in leaf.content)
    return msgspec.structs.replace(file, leaf=words)


def own_of(w: CertificateWorld, index: int) -> LeafFile:
    """The settlement's leaf of the same slot."""
    shown = w.tree.leaf(index), w.tree.proof(index), w.opening()
    return leaf_file(w.client.chain_id, w.c.address, index, *shown, [], Fills())


def reading_file(w: CertificateWorld, index: int, registers: Any = REGISTERS_OF) -> ReadingFile:
    """Registers as the gateway signed them."""
    (meters, root, totals, _, steps, _), _sums = reading_of(w, index, registers)
    read = readings_of((w.slot - 1) * SLOT, registers)
    signature = gateway.sign(read, bytes(GATEWAY.key), w.client.chain_id).signature
    names = ("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh")
    row = tuple(int(getattr(read, name)[index]) for name in names)
    told = [("0x" + hash_.to_bytes(32, "big").hex(), str(sums)) for hash_, sums in steps]
    return ReadingFile(meters, "0x" + root.hex(), str(totals), row, told, "0x" + signature.hex())  # type: ignore[arg-type]


def brought(w: CertificateWorld, case: CertificateCase, function: str, **files: Any) -> None:
    """One finding, of this kind, and the judge convicts on it."""
    found = case.findings(**files)
    assert function in [one.function for one in found]
    (one, *_) = (fraud for fraud in found if fraud.function == function)
    assert one.what
    w.evidence(function, *one.arguments)
    convicted(w)


def test_nothing_is_found_in_an_honest_slot(w):
    w.commit_carbon()
    files = [file_of(w, index) for index in range(MEMBERS)]
    for index, file in enumerate(files):
        case = CertificateCase(w.client, file)
        assert not case.findings(own_of(w, index), files, reading_file(w, index))


def test_sums_and_energy_that_cannot_be(w):
    w.commit_carbon(leaves={0: w.forged(0, issued_wh=1_001)})
    brought(w, CertificateCase(w.client, file_of(w, 0)), "challengeLeaf")


@pytest.mark.parametrize("lanes", [{"metered_wh": 1_001}, {"issued_wh": 999}])
def test_energy_that_the_settlement_does_not_have(w, lanes):
    w.commit_carbon(leaves={0: w.forged(0, **lanes)})
    brought(w, CertificateCase(w.client, file_of(w, 0)), "challengeMoney", own=own_of(w, 0))


def test_a_leaf_that_was_left_out(w):
    w.commit_carbon(places={0: (ZERO, 0, 0)})
    case = CertificateCase(w.client, file_of(w, 0, blank=True))
    assert not case.findings()
    brought(w, case, "challengeMoney", own=own_of(w, 0))


def test_bundles_that_are_not_the_leafs(w):
    other = with_leaf_of(w, 0, TWICE["a Wh in two bundles"])
    brought(w, CertificateCase(w.client, file_of(w, 0, other)), "challengeBundles")


def test_a_wh_that_two_have(w):
    other = with_leaf_of(w, 3, given_to(1, owner=3))
    brought(w, CertificateCase(w.client, file_of(w, 0)), "challengeTwice", others=[file_of(w, 3, other)])


def test_energy_that_the_gateway_did_not_sign(w):
    w.commit_carbon()
    row = [list(registers) for registers in REGISTERS_OF]
    row[4][2] += 1
    brought(w, CertificateCase(w.client, file_of(w, 4)), "challengeReading", read=reading_file(w, 4, row))


def test_files_that_belong_to_something_else(w):
    w.commit_carbon()
    first = file_of(w, 0)
    w.commit_carbon()
    case = CertificateCase(w.client, file_of(w, 0))
    with pytest.raises(InputError, match="--other is of another slot"):
        case.findings(others=[first])
    with pytest.raises(InputError, match="--own is not the settlement's leaf of the same slot and member"):
        case.findings(own=own_of(w, 1))
