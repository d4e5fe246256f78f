# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Certificate disputes
@notice Judges what an operator committed of certificates: whoever brings a valid proof is paid from its stake.
@dev Works as `disputes.vy` does and by way of it, with the same stake and until the same moment: when the slot's period
     is final. A conviction takes the whole commitment back, trade, certificates and levy together.

     PROVABLE here
       - `challengeLeaf`: sums that do not add up or carry; a leaf in another's place or of another slot; issued beyond
         metered, claimed beyond issued, received beyond consumed, or claims of the slot that nobody received
       - `challengeBundles`: a leaf that differs from its bundles, or a Wh twice among them
       - `challengeTwice`: a Wh that two leaves state differently, as when it was given to two
       - `challengeMoney`: metered or issued energy that the settlement's own leaf of the slot does not have
       - `challengeReading`: metered or consumed energy that the gateway did not sign
     NOT PROVABLE
       - a footprint or levy that the rules do not give, and leaves kept from their members: see `settlement.vy`
     TRUSTED
       - the gateway to sign one truth for each slot
     PRIVACY: a challenge shows leaves and bundles of whoever starts it; `challengeTwice` those of two members.
"""

from modules import bundles
from modules import commitments
from modules import leaves
from modules import readings

interface Settlement:
    def depth() -> uint256: view
    def slotSeconds() -> uint256: view

interface Disputes:
    def getSettlement() -> address: view
    def wasGateway(account: address, time: uint256) -> bool: view
    def convict(opening: commitments.Opening, challenger: address): nonpayable

disputes: immutable(Disputes)
depth: immutable(uint256)
slotSeconds: immutable(uint256)


@deploy
def __init__(disputes_: address):
    """
    @notice Judge for the settlement of `disputes_`; it counts once its owner has named it there.
    """
    disputes = Disputes(disputes_)
    settlement: Settlement = Settlement(staticcall disputes.getSettlement())
    depth = staticcall settlement.depth()
    slotSeconds = staticcall settlement.slotSeconds()


@external
def challengeLeaf(opening: commitments.Opening, shown: commitments.Shown):
    """
    @notice Show a leaf of the slot's certificates that cannot be right.
    """
    left: uint256 = 0
    isSound: bool = False
    left, isSound = bundles._leaf(opening, shown, depth)
    assert not isSound, "certificate_disputes: no fraud shown"
    self._convict(opening)


@external
def challengeBundles(opening: commitments.Opening, shown: commitments.Shown, record: bundles.Record):
    """
    @notice Show that a leaf differs from its bundles, or that they hold a Wh twice.
    """
    bundles._leaf(opening, shown, depth)
    assert not bundles._fits(shown.leaf, bundles._tally(shown.leaf, record)), "certificate_disputes: no fraud shown"
    self._convict(opening)


@external
def challengeTwice(
    opening: commitments.Opening,
    shown: commitments.Shown,
    record: bundles.Record,
    place: uint256,
    other: commitments.Shown,
    otherRecord: bundles.Record,
    otherPlace: uint256,
):
    """
    @notice Show that two leaves of a slot state the same Wh differently, as it is when it was given to two.
    @param place of the bundle among those of the first leaf
    """
    bundles._leaf(opening, shown, depth)
    bundles._leaf(opening, other, depth)
    bundles._check(shown.leaf, record)
    bundles._check(other.leaf, otherRecord)
    assert place < len(record.bundles) and otherPlace < len(otherRecord.bundles), "certificate_disputes: no such bundle"
    one: uint256 = record.bundles[place]
    two: uint256 = otherRecord.bundles[otherPlace]
    begins: uint256 = max(bundles._first(one), bundles._first(two))
    ends: uint256 = min(bundles._first(one) + (bundles._energy(one)), bundles._first(two) + (bundles._energy(two)))
    overlap: bool = bundles._device(one) == bundles._device(two) and begins < ends
    assert overlap and one != two, "certificate_disputes: no fraud shown"
    self._convict(opening)


@external
def challengeMoney(opening: commitments.Opening, shown: commitments.Shown, own: commitments.Shown):
    """
    @notice Show that a leaf of certificates states other energy than the settlement's leaf of the same member and slot;
            where there is none, it states nothing.
    @param own the settlement's leaf
    """
    bundles._path(opening, shown, depth)
    root: bytes32 = empty(bytes32)
    money: uint256 = 0
    energy: uint256 = 0
    consistent: bool = False
    root, money, energy, consistent = commitments._climb(own, depth)
    assert root == opening.commitment.root, "certificate_disputes: bad proof"
    assert own.index == shown.index, "certificate_disputes: other member"
    sums: uint256 = 0  # a leaf left out states nothing
    if not shown.isBlank:
        sums = shown.leaf.money
    stated: uint256 = 0
    if not own.isBlank:
        stated = own.leaf.slotEnergy
    same: bool = leaves._lane(sums, 0) == leaves._lane(stated, 2)
    same = same and leaves._lane(sums, 1) == leaves._lane(stated, 3)
    assert not same, "certificate_disputes: no fraud shown"
    self._convict(opening)


@external
def challengeReading(opening: commitments.Opening, shown: commitments.Shown, reading: readings.Reading):
    """
    @notice Show that the gateway signed another reading than a leaf of certificates states.
    """
    bundles._leaf(opening, shown, depth)
    begins: uint256 = opening.commitment.slot * slotSeconds
    signer: address = readings._signer(begins, shown.index, reading)
    assert staticcall disputes.wasGateway(signer, begins), "certificate_disputes: not the gateway"
    sums: uint256 = reading.sums
    produced: uint256 = readings._register(sums, 2) + readings._register(sums, 4)
    inflow: uint256 = readings._register(sums, 0) + produced
    outflow: uint256 = readings._register(sums, 1) + readings._register(sums, 3)
    money: uint256 = shown.leaf.money
    same: bool = leaves._lane(money, 0) == produced and leaves._lane(money, 3) + outflow == inflow
    assert not same, "certificate_disputes: no fraud shown"
    self._convict(opening)


@external
@view
def getDisputes() -> address:
    """
    @notice Judge of the settlement, by way of which this one convicts.
    """
    return disputes.address


@internal
def _convict(opening: commitments.Opening):
    """
    @dev Let the settlement act; it refuses what is not committed or already final.
    """
    extcall disputes.convict(opening, msg.sender)
