"""What the judge of certificates must find, in plain Python: its oracle in tests, and how evidence is looked for.

Each function says whether evidence shows a fraud. Proofs are taken to lead to the committed root, and bundles to be
those of the leaf; that they are is the contract's other check.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transactive.core.certificates import CARBON, CertificateState
from transactive.core.certificates import ENERGY as CERTIFICATES
from transactive.core.proofs.leaves import ENERGY, Leaf, LeafMark, Step, climb
from transactive.core.proofs.merkle import REGISTERS

MOST_WH = 2**62

Bundle = tuple[int, int, int, int, int, int]
"""Device, first Wh, Wh, owner, state, mg."""


@dataclass(frozen=True, slots=True)
class BundleSums:
    """What a member's bundles add up to [Wh]; is_sound: in order, and no Wh twice among them."""

    issued_wh: int
    claimed_wh: int
    received_wh: int
    held_wh: int
    is_sound: bool

    def fits(self, leaf: Leaf) -> bool:
        """Whether a leaf says the same."""
        energy, carbon = CERTIFICATES.unpack(leaf.money), CARBON.unpack(leaf.energy)
        said = energy["issued_wh"], energy["claimed_wh"], carbon["received_wh"]
        return self.is_sound and said == (self.issued_wh, self.claimed_wh, self.received_wh)


def tally(member: int, bundles: Sequence[Bundle]) -> BundleSums:
    """Add up the bundles of a member's record."""
    mine = [b for b in bundles if b[0] // 2 == member]
    claimed = [b for b in bundles if b[4] == CertificateState.CLAIMED]
    return BundleSums(
        issued_wh=_energy(mine),
        claimed_wh=_energy(b for b in claimed if b[0] // 2 == member),
        received_wh=_energy(b for b in claimed if b[3] == member),
        held_wh=_energy(b for b in mine if b[4] == CertificateState.HELD),
        is_sound=_in_order(bundles),
    )


def wrong_leaf(slot: int, index: int, leaf: Leaf, proof: Sequence[Step]) -> bool:
    """Whether a leaf of the certificates of slot `slot`, or the slot as its proof states it, cannot be right."""
    _root, money, energy, consistent = climb(leaf, index, proof)
    if not consistent or (leaf.number, leaf.index) != (slot, index):
        return True
    if leaf.marks & LeafMark.SUBSTITUTED and CERTIFICATES.unpack(leaf.money)["issued_wh"]:
        return True
    blinded = (CERTIFICATES.unpack(money)["claimed_wh"], CARBON.unpack(energy)["received_wh"])
    return not (is_within(leaf.money, leaf.energy) and is_within(money, energy)) or blinded[0] != blinded[1]


def is_within(money: int, energy: int) -> bool:
    """Whether issued <= metered, claimed <= issued and received <= consumed."""
    sums, carbon = CERTIFICATES.unpack(money), CARBON.unpack(energy)
    issued = sums["claimed_wh"] <= sums["issued_wh"] <= sums["metered_wh"]
    return issued and carbon["received_wh"] <= sums["consumed_wh"]


def wrong_bundles(leaf: Leaf, bundles: Sequence[Bundle]) -> bool:
    """Whether a leaf differs from its bundles, or they hold a Wh twice."""
    return not tally(leaf.index, bundles).fits(leaf)


def given_twice(one: Bundle, two: Bundle) -> bool:
    """Whether two bundles of a slot state the same Wh of a device differently."""
    begins, ends = max(one[1], two[1]), min(one[1] + one[2], two[1] + two[2])
    return one[0] == two[0] and begins < ends and one != two


def wrong_money(leaf: Leaf | None, own: Leaf | None) -> bool:
    """Whether a leaf of certificates contradicts the settlement's leaf of the member and slot; None is one of zeros."""
    if leaf and own and leaf.slot != own.slot:
        return True
    sums, energy = CERTIFICATES.unpack(leaf.money if leaf else 0), ENERGY.unpack(own.slot_energy if own else 0)
    return (sums["metered_wh"], sums["issued_wh"]) != (energy["produced_wh"], energy["certified_wh"])


def wrong_reading(leaf: Leaf, registers: int) -> bool:
    """Whether energy metered or consumed in a leaf is not what a meter's packed registers say, if one metered it."""
    if leaf.marks & LeafMark.SUBSTITUTED:
        return False
    read, sums = REGISTERS.unpack(registers), CERTIFICATES.unpack(leaf.money)
    produced = read["generation_wh"] + read["discharge_wh"]
    consumed = read["import_wh"] + produced - read["export_wh"] - read["charge_wh"]
    return (sums["metered_wh"], sums["consumed_wh"]) != (produced, consumed)


def wrong_correction(line: Sequence[int], start: int, *, by_gateway: bool) -> bool:
    """Whether a line of a corrected reading in the slot that starts at `start` cannot be right, or is not signed.

    line: in the order of `core.proofs.corrections.NUMBERS`; by_gateway: whether the gateway of that slot signed it.
    """
    _, origin, previous, *registers, _, _, _, issued, withdrawn, short, repaid, metered = line
    was, now, (charge, discharge) = registers[:3], registers[3:6], registers[6:8]
    used = [imported + made + discharge - exported - charge for imported, exported, made in (was, now)]
    right = by_gateway and origin <= previous < start and min(used) >= 0
    issues = issued + repaid <= now[2] * (metered == 1)
    return not (right and issues and withdrawn + short <= max(was[2] - now[2], 0))


def corrected_twice(one: Sequence[int], two: Sequence[int]) -> bool:
    """Whether two lines, which are not the same one, replace the same reading."""
    return list(one[:3]) == list(two[:3])


def wrong_start(line: Sequence[int], own: Leaf | None, before: Sequence[int] | None = None) -> bool:
    """Whether a line begins at another reading than `before`, the line before it, or the slot's own leaf holds.

    Or whether it issues certificates for what had them.
    """
    was, discharge, issued, made = line[3:6], line[10], line[14], line[8]
    if before is not None:
        again = before[18] == 1 and issued > 0 and issued + was[2] > made
        return again or [*before[6:9], *before[9:11]] != [*was, *line[9:11]]
    energy = ENERGY.unpack(own.slot_energy if own else 0)
    stated = energy["imported_wh"], energy["exported_wh"], energy["produced_wh"]
    again = issued > 0 and issued + energy["certified_wh"] > made + discharge
    return again or stated != (was[0], was[1], was[2] + discharge)


def _energy(bundles: Iterable[Bundle]) -> int:
    return sum(b[2] for b in bundles)


def _in_order(bundles: Sequence[Bundle]) -> bool:
    """Whether devices ascend, and so do the Wh of each, without an overlap."""
    device, end = 0, 0
    for made_by, first, wh, *_ in bundles:
        if made_by != device:
            if made_by < device:
                return False
            device, end = made_by, 0
        if first < end or max(first, wh) >= MOST_WH:
            return False
        end = first + wh
    return True
