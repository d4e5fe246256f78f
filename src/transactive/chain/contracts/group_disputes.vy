# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Group disputes
@notice Judges whether the settlement of a whole community says of each group what the group's own settlement says.
@dev Stands where `demands.vy` stands in the judge of the whole's settlement, and works by way of it, with the same stake and
     until the same moment. The whole commits once a period, when all groups have paid: a leaf for each group, which holds

         slot | place of the group's link | what its members owe and are owed, trades and energy | the same | head | zero | salt

     The head is that of the hash chain over all that the group committed in the period. So whatever a member finds in its
     leaf leads to its group's root, from there to the whole's root, and to the payment of both. In the group the link's
     leaf holds the same money with sides exchanged, so that both trees are zero-sum by themselves.

     PROVABLE here
       - `challengeGroup`: a leaf of the whole for a group that has not paid the period; that names another head than the
         group has; or whose sums are not those of the group's last commitment and of the link's leaf in it
       - `challengeSilence`: a leaf of the whole, or what stands behind it, kept from a member that asked
     That net amounts are those of the leaves is judged in each settlement by its own `disputes.vy`.
     An honest operator, which commits the whole after all groups have paid, is never convicted: what is final in a group stays.
     NOT PROVABLE
       - that a contract which the operator registered as a link is one: compare its code (`chain status` does)
     PRIVACY: an answer shows totals of a group, and no member's leaf.
"""

from modules import commitments
from modules import leaves

interface Settlement:
    def depth() -> uint256: view
    def slotsPerPeriod() -> uint256: view
    def window() -> uint256: view
    def accountOf(index: uint256) -> address: view
    def memberNumber(account: address) -> uint256: view
    def heads(period: uint256) -> bytes32: view
    def settledPeriod() -> uint256: view
    def proposal() -> (uint256, uint256): view
    def isContestable(opening: commitments.Opening) -> bool: view

interface Disputes:
    def getSettlement() -> address: view
    def convict(opening: commitments.Opening, challenger: address): nonpayable

interface Link:
    def group() -> address: view
    def whole() -> address: view

FIELD: constant(uint256) = 2**64 - 1
BLINDING: constant(uint256) = leaves.ONES * 2**62  # what the blinding leaves of a tree add up to
ANSWERED: constant(uint256) = max_value(uint256)

disputes: immutable(Disputes)
whole: immutable(Settlement)
depth: immutable(uint256)
slotsPerPeriod: immutable(uint256)
window: immutable(uint256)

asked: public(HashMap[bytes32, HashMap[address, uint256]])  # by head after a commitment and link: time of the last answer

event Asked:
    link: indexed(address)
    slot: indexed(uint256)
    until: uint256

event Answered:
    link: indexed(address)
    slot: indexed(uint256)


@deploy
def __init__(disputes_: address):
    """
    @notice Judge for the settlement of `disputes_`; it counts once its owner has named it there.
    """
    disputes = Disputes(disputes_)
    whole = Settlement(staticcall disputes.getSettlement())
    depth = staticcall whole.depth()
    slotsPerPeriod = staticcall whole.slotsPerPeriod()
    window = staticcall whole.window()


@external
def ask(opening: commitments.Opening, link: address):
    """
    @notice Member of a group: ask for the group's leaf in a commitment of the whole, and for what it stands on. The operator
            has a quarter of a window to answer, on chain. Until half of a netting's window.
    """
    group: Settlement = self._group(link)
    number: uint256 = (staticcall group.memberNumber(msg.sender)) & FIELD
    isMember: bool = number != 0 and staticcall group.accountOf(number - 1) == msg.sender
    assert isMember, "group_disputes: not a member"
    head: bytes32 = commitments._link(opening)
    assert self.asked[head][link] == 0, "group_disputes: asked already"
    assert staticcall whole.isContestable(opening), "group_disputes: other slot"
    period: uint256 = 0
    readyAt: uint256 = 0
    period, readyAt = staticcall whole.proposal()
    inTime: bool = period != self._period(opening) or block.timestamp + window // 2 <= readyAt
    assert inTime, "group_disputes: too late to ask"
    until: uint256 = block.timestamp + window // 4
    self.asked[head][link] = until
    log Asked(link=link, slot=commitments._number(opening.commitment.slot), until=until)


@external
def answer(
    opening: commitments.Opening,
    link: address,
    shown: commitments.Shown,
    groupOpening: commitments.Opening,
    groupShown: commitments.Shown,
):
    """
    @notice Show that a commitment of the whole says of a group what the group has; the call carries it. Anybody can, once.
    @param shown the group's leaf in the whole
    @param groupOpening the group's last commitment of the period
    @param groupShown the link's leaf in it
    """
    head: bytes32 = commitments._link(opening)
    until: uint256 = self.asked[head][link]
    assert until != 0 and until != ANSWERED, "group_disputes: nothing asked"
    leaf: leaves.Leaf = self._leaf(opening, link, shown)
    assert self._isFollowed(opening, link, leaf), "group_disputes: group not paid"
    assert self._agrees(opening, link, leaf, groupOpening, groupShown), "group_disputes: does not agree"
    self.asked[head][link] = ANSWERED
    log Answered(link=link, slot=commitments._number(opening.commitment.slot))


@external
def challengeSilence(opening: commitments.Opening, link: address):
    """
    @notice Show that nobody answered in time.
    """
    head: bytes32 = commitments._link(opening)
    until: uint256 = self.asked[head][link]
    assert until != 0 and until != ANSWERED, "group_disputes: nothing asked"
    assert block.timestamp > until, "group_disputes: answer awaited"
    self.asked[head][link] = 0
    extcall disputes.convict(opening, msg.sender)


@external
def challengeGroup(
    opening: commitments.Opening,
    link: address,
    shown: commitments.Shown,
    groupOpening: commitments.Opening,
    groupShown: commitments.Shown,
):
    """
    @notice Show that a commitment of the whole says of a group what the group does not have.
    @param shown the group's leaf in the whole, or that there is none
    @param groupOpening the group's last commitment of the period; ignored, like `groupShown`, if the whole names another
           head than the group has, or the group has not paid
    """
    leaf: leaves.Leaf = self._leaf(opening, link, shown)
    if self._isFollowed(opening, link, leaf):
        agrees: bool = self._agrees(opening, link, leaf, groupOpening, groupShown)
        assert not agrees, "group_disputes: no fraud shown"
    extcall disputes.convict(opening, msg.sender)


@external
@view
def getDisputes() -> address:
    """
    @notice Judge of the whole's settlement, by way of which this one convicts.
    """
    return disputes.address


@internal
@view
def _group(link: address) -> Settlement:
    """
    @dev Settlement of the group that a link joins to the whole; both must know it.
    """
    group: address = staticcall Link(link).group()
    self._place(Settlement(group), link)
    self._place(whole, link)
    return Settlement(group)


@internal
@view
def _place(settlement: Settlement, account: address) -> uint256:
    """
    @dev Index of an account.
    """
    number: uint256 = (staticcall settlement.memberNumber(account)) & FIELD
    assert number != 0, "group_disputes: no link"
    return number - 1


@internal
@view
def _period(opening: commitments.Opening) -> uint256:
    """
    @dev Period of a commitment.
    """
    return commitments._number(opening.commitment.slot) // slotsPerPeriod


@internal
@view
def _leaf(opening: commitments.Opening, link: address, shown: commitments.Shown) -> leaves.Leaf:
    """
    @dev What stands in the link's place of a commitment of the whole; zeros if nothing is there.
    """
    assert shown.index == self._place(whole, link), "group_disputes: other group"
    root: bytes32 = commitments._climb(shown, depth)[0]
    assert root == opening.commitment.root, "group_disputes: bad proof"
    if shown.isBlank:
        return empty(leaves.Leaf)
    return shown.leaf


@internal
@view
def _isFollowed(opening: commitments.Opening, link: address, leaf: leaves.Leaf) -> bool:
    """
    @dev Whether a group has paid the period of a leaf of the whole, and the leaf names what it has committed in it.
    """
    group: Settlement = self._group(link)
    period: uint256 = self._period(opening)
    return staticcall group.settledPeriod() >= period and staticcall group.heads(period) == leaf.fills


@internal
@view
def _agrees(
    opening: commitments.Opening,
    link: address,
    leaf: leaves.Leaf,
    groupOpening: commitments.Opening,
    groupShown: commitments.Shown,
) -> bool:
    """
    @dev Whether the sums of a leaf of the whole are those of its group; the group's commitment must be the one that it names.
    """
    if leaf.fills == empty(bytes32):  # a group without a commitment owes and is owed nothing
        return leaf.money | leaf.energy == 0
    group: Settlement = self._group(link)
    named: bool = len(groupOpening.later) == 0 and commitments._link(groupOpening) == leaf.fills
    assert named and self._period(groupOpening) == self._period(opening), "group_disputes: other slot"
    assert groupShown.index == self._place(group, link), "group_disputes: other member"
    root: bytes32 = commitments._climb(groupShown, staticcall group.depth())[0]
    assert root == groupOpening.commitment.root, "group_disputes: bad proof"
    own: leaves.Leaf = empty(leaves.Leaf)
    if not groupShown.isBlank:
        own = groupShown.leaf
    exchanged: uint256 = (leaves._lane(leaf.money, 0) << 64) | leaves._lane(leaf.money, 1)
    # the members' money and the link's are the group's; lanes of honest trees do not carry, others are wrong all the same
    money: uint256 = unsafe_add(unsafe_add(leaf.money, own.money), BLINDING)
    energy: uint256 = unsafe_add(leaf.energy, BLINDING)
    sums: bool = money == groupOpening.commitment.money and energy == groupOpening.commitment.energy
    return sums and own.money == exchanged and own.energy == 0
