# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Demands
@notice Judges what was kept back: from a member that asks for what stands behind its place of a commitment, and from a slot.
@dev Works as `disputes.vy` does and by way of it, with the same stake and until the same moment. A commitment holds hashes;
     an operator that keeps a leaf, an order or a trade to itself could not be challenged for it. So a member may `demand`
     the content of its place, the operator has a quarter of a window to `answer` on chain, and otherwise anybody convicts
     it with `challengeSilence`. Demands close at half of a netting's window, so that answers and verdicts have their time.

     Two marks of a leaf (`modules/leaves.vy`) keep something from counting, and are judged here:

       - substituted: `challengeReceipt` shows the collector's own receipt for the meter's record of the slot. In time is
         what was on disk within a thirtieth of a slot after its end: who waits that long is never convicted, whatever
         comes later. The collector is the gateway; how long a meter was waited for beyond that is its word
       - void: `challengeVoid` shows that somebody traded in the slot whose session is marked so

     A commitment states the Wh of its period's substituted leaves. Members show such leaves by `showSubstituted`, each its
     own; once those of a slot have more than was stated for it, `challengeStatement` convicts. That more is stated than was
     substituted nobody can show: TRUSTED. It makes bets on totals void and changes nothing else.

     An operator that has its books and gas is never convicted. One demand of a member at a time: an answer costs the
     operator as much as the demand costs its member, about.
     PRIVACY: an answer shows leaf, orders and trades of the member that asked for them, of nobody else.
"""

from modules import commitments
from modules import leaves
from modules import signed

interface Settlement:
    def depth() -> uint256: view
    def slotSeconds() -> uint256: view
    def slotsPerPeriod() -> uint256: view
    def window() -> uint256: view
    def accountOf(index: uint256) -> address: view
    def proposal() -> (uint256, uint256): view
    def isContestable(opening: commitments.Opening) -> bool: view

interface Disputes:
    def getSettlement() -> address: view
    def wasGateway(account: address, time: uint256) -> bool: view
    def convict(opening: commitments.Opening, challenger: address): nonpayable

struct Demand:
    link: bytes32  # head of the hash chain after the commitment
    until: uint256  # time of the last answer

BLINDING: constant(uint256) = 2**62 | (2**62 << 64)  # in two lanes of a total
WAIT: constant(uint256) = 30  # the part of a slot within which a record comes in time

disputes: immutable(Disputes)
settlement: immutable(Settlement)
depth: immutable(uint256)
slotSeconds: immutable(uint256)
slotsPerPeriod: immutable(uint256)
window: immutable(uint256)

demands: public(HashMap[uint256, Demand])  # by account, its last one
counted: public(HashMap[bytes32, uint256[2]])  # by link: Wh taken and given of substituted leaves that were shown
isCounted: public(HashMap[bytes32, bool])  # by link and place

event Demanded:
    account: indexed(uint256)
    slot: indexed(uint256)
    until: uint256

event Answered:
    account: indexed(uint256)
    slot: indexed(uint256)

event Counted:
    slot: indexed(uint256)
    taken: uint256  # Wh of all substituted leaves that were shown of the slot
    given: uint256


@deploy
def __init__(disputes_: address):
    """
    @notice Judge for the settlement of `disputes_`; it counts once its owner has named it there.
    """
    disputes = Disputes(disputes_)
    settlement = Settlement(staticcall disputes.getSettlement())
    depth = staticcall settlement.depth()
    slotSeconds = staticcall settlement.slotSeconds()
    slotsPerPeriod = staticcall settlement.slotsPerPeriod()
    window = staticcall settlement.window()


@external
def demand(opening: commitments.Opening, account: uint256):
    """
    @notice Member: ask for the leaf in its place of a commitment and for the orders and trades behind it. The operator has
            a quarter of a window to answer, on chain; one demand of a member at a time. Until half of a netting's window.
    """
    assert msg.sender == staticcall settlement.accountOf(account), "demands: not the member"
    assert block.timestamp > self.demands[account].until, "demands: answer awaited"
    assert staticcall settlement.isContestable(opening), "demands: other slot"
    slot: uint256 = commitments._number(opening.commitment.slot)
    period: uint256 = 0
    readyAt: uint256 = 0
    period, readyAt = staticcall settlement.proposal()
    inTime: bool = period != slot // slotsPerPeriod or block.timestamp + window // 2 <= readyAt
    assert inTime, "demands: too late to ask"
    until: uint256 = block.timestamp + window // 4
    self.demands[account] = Demand(link=commitments._link(opening), until=until)
    log Demanded(account=account, slot=slot, until=until)


@external
def answer(
    opening: commitments.Opening,
    shown: commitments.Shown,
    entries: DynArray[signed.Entry, signed.MAX_ENTRIES],
    order: signed.Order,
    grant: signed.Grant,
    buys: DynArray[signed.Fill, signed.MAX_POINTS],
    sells: DynArray[signed.Fill, signed.MAX_POINTS],
):
    """
    @notice Show what a member demanded; the call carries it. Anybody can.
    @param order content of the last entry; ignored without entries
    @param grant its agent's grant; ignored if the member signed
    """
    assert self.demands[shown.index].link == commitments._link(opening), "demands: nothing demanded"
    leaf: leaves.Leaf = self._leaf(opening, shown)
    assert signed._entriesHash(entries) == leaf.orders, "demands: other orders"
    assert signed._fillsHash(buys, sells) == leaf.fills, "demands: other fills"
    if len(entries) > 0:
        entry: signed.Entry = entries[len(entries) - 1]
        assert signed._orderHash(order) == entry.order, "demands: other order"
        given: bool = entry.grant == empty(bytes32) or signed._grantHash(grant) == entry.grant
        assert given, "demands: other grant"
    self.demands[shown.index] = empty(Demand)
    log Answered(account=shown.index, slot=commitments._number(opening.commitment.slot))


@external
def challengeSilence(opening: commitments.Opening, account: uint256):
    """
    @notice Show that a demand was not answered in time.
    """
    demanded: Demand = self.demands[account]
    assert demanded.link == commitments._link(opening), "demands: nothing demanded"
    assert block.timestamp > demanded.until, "demands: answer awaited"
    self.demands[account] = empty(Demand)
    extcall disputes.convict(opening, msg.sender)


@external
def challengeReceipt(opening: commitments.Opening, shown: commitments.Shown, time: uint256, received: signed.Signature):
    """
    @notice Show that the collector had a meter's record of a slot in time which its leaf marks as substituted.
    @param time at which the record was on disk [Unix s]
    @param received the collector's signature for it
    """
    leaf: leaves.Leaf = self._leaf(opening, shown)
    begins: uint256 = commitments._number(opening.commitment.slot) * slotSeconds
    signer: address = signed._collector(begins, shown.index, time, received)
    assert staticcall disputes.wasGateway(signer, begins), "demands: not the gateway"
    inTime: bool = time < begins + slotSeconds + slotSeconds // WAIT
    assert inTime and leaves._has(leaf, leaves.SUBSTITUTED), "demands: no fraud shown"
    extcall disputes.convict(opening, msg.sender)


@external
def challengeVoid(opening: commitments.Opening, shown: commitments.Shown, before: commitments.Opening):
    """
    @notice Show that somebody traded in a slot whose session a leaf marks as void.
    @param before commitment before; ignored if the period begins with `opening`
    """
    leaf: leaves.Leaf = self._leaf(opening, shown)
    traded: uint256 = BLINDING  # bought and sold so far
    if opening.previous != empty(bytes32):
        assert commitments._link(before) == opening.previous, "demands: other slot"
        traded = before.commitment.money >> 128
    isFalse: bool = leaves._has(leaf, leaves.VOID) and opening.commitment.money >> 128 != traded
    assert isFalse, "demands: no fraud shown"
    extcall disputes.convict(opening, msg.sender)


@external
def showSubstituted(opening: commitments.Opening, shown: commitments.Shown):
    """
    @notice Show a substituted leaf, once, so that it counts with others of its slot against what the commitment states.
    """
    leaf: leaves.Leaf = self._leaf(opening, shown)
    assert staticcall settlement.isContestable(opening), "demands: other slot"
    assert leaves._has(leaf, leaves.SUBSTITUTED), "demands: metered"
    link: bytes32 = commitments._link(opening)
    place: bytes32 = keccak256(abi_encode(link, shown.index))
    assert not self.isCounted[place], "demands: shown before"
    self.isCounted[place] = True
    counted: uint256[2] = self._with(self.counted[link], leaf)
    self.counted[link] = counted
    log Counted(slot=commitments._number(opening.commitment.slot), taken=counted[0], given=counted[1])


@external
def challengeStatement(opening: commitments.Opening, shown: commitments.Shown, before: commitments.Opening):
    """
    @notice Show that a commitment states less than the one before, or less beyond it than its slot's substituted leaves have:
            this one, if it is one, and those that were shown.
    @param before commitment before; ignored if the period begins with `opening`
    """
    leaf: leaves.Leaf = self._leaf(opening, shown)
    taken: uint256 = 0
    given: uint256 = 0
    if opening.previous != empty(bytes32):
        assert commitments._link(before) == opening.previous, "demands: other slot"
        taken, given = commitments._substituted(before.commitment.slot)
    statedTaken: uint256 = 0
    statedGiven: uint256 = 0
    statedTaken, statedGiven = commitments._substituted(opening.commitment.slot)
    link: bytes32 = commitments._link(opening)
    counted: uint256[2] = self.counted[link]
    isNew: bool = not self.isCounted[keccak256(abi_encode(link, shown.index))]
    if isNew and leaves._has(leaf, leaves.SUBSTITUTED):
        counted = self._with(counted, leaf)
    isTrue: bool = taken + counted[0] <= statedTaken and given + counted[1] <= statedGiven
    assert not isTrue, "demands: no fraud shown"
    extcall disputes.convict(opening, msg.sender)


@external
@view
def getDisputes() -> address:
    """
    @notice Judge of the settlement, by way of which this one convicts.
    """
    return disputes.address


@internal
@pure
def _with(counted: uint256[2], leaf: leaves.Leaf) -> uint256[2]:
    """
    @dev Wh taken and given, with those of another leaf.
    """
    return [counted[0] + leaves._lane(leaf.slotEnergy, 0), counted[1] + leaves._lane(leaf.slotEnergy, 1)]


@internal
@view
def _leaf(opening: commitments.Opening, shown: commitments.Shown) -> leaves.Leaf:
    """
    @dev What stands in a place of a commitment: the leaf, which has to be there, or zeros if the place is empty.
    """
    root: bytes32 = commitments._climb(shown, depth)[0]
    assert root == opening.commitment.root, "demands: bad proof"
    if shown.isBlank:
        return empty(leaves.Leaf)
    return shown.leaf
