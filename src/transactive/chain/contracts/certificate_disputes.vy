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
         metered, claimed beyond issued, received beyond consumed, or claims of the slot that nobody received; certificates of a leaf that nobody metered
       - `challengeBundles`: a leaf that differs from its bundles, or a Wh twice among them
       - `challengeTwice`: a Wh that two leaves state differently, as when it was given to two
       - `challengeMoney`: metered or issued energy, or marks, that the settlement's own leaf of the slot does not have
       - `challengeReading`: metered or consumed energy that the gateway did not sign, unless nobody metered it
       - `challengeCorrection`: a corrected reading that the gateway did not sign, or of no earlier slot; certificates beyond
         what it generated, or taken back beyond what it lowers
       - `challengeCorrectionTwice`: a reading that two corrections replace, so that its certificates would exist twice
       - `challengeCorrectionStart`: a correction that begins at another reading than the commitment it names, or issues
         certificates that exist already
     NOT PROVABLE
       - a footprint or levy that the rules do not give, and leaves kept from their members: see `settlement.vy`
       - the money of a correction, as the tariff is not on chain; one that names a commitment without a reading of its slot;
         a shortfall of certificates that is paid back late: each member computes its own
     TRUSTED
       - the gateway to sign one truth for each slot, and corrections of it by whoever is gateway when they are settled
     PRIVACY: a challenge shows leaves and bundles of whoever starts it; `challengeTwice` those of two members.
"""

from modules import bundles
from modules import commitments
from modules import corrections
from modules import leaves
from modules import readings

interface Settlement:
    def depth() -> uint256: view
    def isCommitted(opening: commitments.Opening) -> bool: view
    def slotSeconds() -> uint256: view

interface Disputes:
    def getSettlement() -> address: view
    def wasGateway(account: address, time: uint256) -> bool: view
    def convict(opening: commitments.Opening, challenger: address): nonpayable

disputes: immutable(Disputes)
settlement: immutable(Settlement)
depth: immutable(uint256)
slotSeconds: immutable(uint256)


@deploy
def __init__(disputes_: address):
    """
    @notice Judge for the settlement of `disputes_`; it counts once its owner has named it there.
    """
    disputes = Disputes(disputes_)
    settlement = Settlement(staticcall disputes.getSettlement())
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
    if not shown.isBlank and not own.isBlank:
        same = same and shown.leaf.slot == own.leaf.slot
    assert not same, "certificate_disputes: no fraud shown"
    self._convict(opening)


@external
def challengeReading(opening: commitments.Opening, shown: commitments.Shown, reading: readings.Reading):
    """
    @notice Show that the gateway signed another reading than a leaf of certificates states.
    """
    bundles._leaf(opening, shown, depth)
    begins: uint256 = commitments._number(opening.commitment.slot) * slotSeconds
    signer: address = readings._signer(begins, shown.index, reading)
    assert staticcall disputes.wasGateway(signer, begins), "certificate_disputes: not the gateway"
    # `challengeReceipt` of the other judge is for what nobody metered
    assert not leaves._has(shown.leaf, leaves.SUBSTITUTED), "certificate_disputes: no fraud shown"
    sums: uint256 = reading.sums
    produced: uint256 = readings._register(sums, 2) + readings._register(sums, 4)
    inflow: uint256 = readings._register(sums, 0) + produced
    outflow: uint256 = readings._register(sums, 1) + readings._register(sums, 3)
    money: uint256 = shown.leaf.money
    same: bool = leaves._lane(money, 0) == produced and leaves._lane(money, 3) + outflow == inflow
    assert not same, "certificate_disputes: no fraud shown"
    self._convict(opening)


@external
def challengeCorrection(opening: commitments.Opening, shown: commitments.Shown, lines: corrections.Lines):
    """
    @notice Show a corrected reading that cannot be right, or that the gateway did not sign.
    @param lines hashes of all lines of the leaf, and the one
    """
    bundles._leaf(opening, shown, depth)
    corrections._check(shown.leaf.orders, shown.index, lines)
    begins: uint256 = commitments._number(opening.commitment.slot) * slotSeconds
    signer: address = corrections._signer(shown.index, lines.line)
    isRight: bool = corrections._isPossible(lines.line, begins)
    isRight = isRight and staticcall disputes.wasGateway(signer, begins)
    assert not isRight, "certificate_disputes: no fraud shown"
    self._convict(opening)


@external
def challengeCorrectionTwice(
    opening: commitments.Opening,
    shown: commitments.Shown,
    lines: corrections.Lines,
    before: commitments.Opening,
    earlier: commitments.Shown,
    otherLines: corrections.Lines,
):
    """
    @notice Show that another line replaces the same reading of the same meter, in this commitment or in an earlier one.
    @param before commitment with the other line
    """
    bundles._leaf(opening, shown, depth)
    corrections._check(shown.leaf.orders, shown.index, lines)
    self._before(before, earlier, shown.index)
    corrections._check(earlier.leaf.orders, earlier.index, otherLines)
    isOther: bool = commitments._number(before.commitment.slot) < commitments._number(opening.commitment.slot)
    if commitments._number(before.commitment.slot) == commitments._number(opening.commitment.slot):
        isOther = lines.place != otherLines.place
    line: corrections.Line = lines.line
    same: bool = line.origin == otherLines.line.origin and line.previous == otherLines.line.previous
    assert isOther and same, "certificate_disputes: no fraud shown"
    self._convict(opening)


@external
def challengeCorrectionStart(
    opening: commitments.Opening,
    shown: commitments.Shown,
    lines: corrections.Lines,
    before: commitments.Opening,
    earlier: commitments.Shown,
    otherLines: corrections.Lines,
):
    """
    @notice Show that a correction replaces another reading than the commitment that it names holds, or issues
            certificates for what had them.
    @param before the commitment that the line names as `previous`
    @param earlier the settlement's own leaf there if that is the corrected slot itself, else that of its certificates
    @param otherLines lines there with the one of the same slot; ignored if `previous` is the corrected slot itself
    """
    bundles._leaf(opening, shown, depth)
    corrections._check(shown.leaf.orders, shown.index, lines)
    line: corrections.Line = lines.line
    assert commitments._number(before.commitment.slot) * slotSeconds == line.previous, "certificate_disputes: other slot"
    same: bool = False
    if line.previous == line.origin:
        assert staticcall settlement.isCommitted(before), "certificate_disputes: not committed"
        root: bytes32 = empty(bytes32)
        money: uint256 = 0
        energy: uint256 = 0
        consistent: bool = False
        root, money, energy, consistent = commitments._climb(earlier, depth)
        assert root == before.commitment.root, "certificate_disputes: bad proof"
        assert earlier.index == shown.index, "certificate_disputes: other member"
        stated: uint256 = 0  # a leaf left out states nothing
        if not earlier.isBlank:
            stated = earlier.leaf.slotEnergy
        produced: uint256 = readings._register(line.was, 2) + readings._register(line.was, 4)
        same = leaves._lane(stated, 0) == readings._register(line.was, 0)
        same = same and leaves._lane(stated, 1) == readings._register(line.was, 1)
        same = same and leaves._lane(stated, 2) == produced
        made: uint256 = readings._register(line.now, 2) + readings._register(line.now, 4)
        same = same and (line.issued == 0 or line.issued + leaves._lane(stated, 3) <= made)
    else:
        self._before(before, earlier, shown.index)
        corrections._check(earlier.leaf.orders, earlier.index, otherLines)
        assert otherLines.line.origin == line.origin, "certificate_disputes: other slot"
        same = otherLines.line.now == line.was
        less: uint256 = readings._register(line.was, 2)
        if otherLines.line.metered == 1:
            same = same and (line.issued == 0 or line.issued + less <= readings._register(line.now, 2))
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
@view
def _before(before: commitments.Opening, earlier: commitments.Shown, index: uint256):
    """
    @dev Require that a commitment counts, and that it has this leaf of member `index` among its certificates.
    """
    assert staticcall settlement.isCommitted(before), "certificate_disputes: not committed"
    bundles._path(before, earlier, depth)
    assert earlier.index == index and not earlier.isBlank, "certificate_disputes: other member"


@internal
def _convict(opening: commitments.Opening):
    """
    @dev Let the settlement act; it refuses what is not committed or already final.
    """
    extcall disputes.convict(opening, msg.sender)
