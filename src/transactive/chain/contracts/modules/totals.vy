# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Totals
@notice What a community used or made in some slots, from what its settlement committed: meters decide, nobody reports.
@dev A total is the difference of two committed totals of one period, once that period is final: past every challenge of the
     judges, so that nothing reopens it, a later correction neither. For a window after that anybody can show leaves of these
     slots that are marked as substituted; if they are more than a hundredth of the total, the outcome is invalid.

     ENFORCED
       - the outcome is what was committed, to the Wh; a slot that was not committed by itself gives none
     DETECTABLE, by who has the leaf: its member, its group's neighbour in the proof, and the operator
       - that more than a hundredth was substituted; with nobody to show it the total counts
     TRUSTED: what the settlement trusts (gateway, arbiter)
"""

from modules import commitments
from modules import leaves

interface Settlement:
    def depth() -> uint256: view
    def slotSeconds() -> uint256: view
    def slotsPerPeriod() -> uint256: view
    def window() -> uint256: view
    def memberNumber(account: address) -> uint256: view
    def isFinal(opening: commitments.Opening) -> bool: view

struct Outcome:
    total: uint256  # Wh
    knownAt: uint256  # Unix s; zero while it is not known
    substituted: uint256  # Wh of the total that were shown to be substituted

LANES: constant(uint256) = 3  # imported, exported, produced
BLINDING: constant(uint256) = 2**62  # in each lane of a total
PART: constant(uint256) = 100  # substituted is at most one part in so many
# an outcome in one word: total | knownAt << 64 | substituted << 128 | closed << 255
KNOWN_AT: constant(uint256) = 64
SUBSTITUTED_AT: constant(uint256) = 128
CLOSED: constant(uint256) = 2**255
FIELD: constant(uint256) = 2**64 - 1

settlement: immutable(Settlement)
depth: immutable(uint256)
slotSeconds: immutable(uint256)
slotsPerPeriod: immutable(uint256)
window: immutable(uint256)

outcomes: HashMap[uint256, uint256]
shown: HashMap[bytes32, bool]

event Known:
    key: indexed(uint256)
    total: uint256

event Objected:
    key: indexed(uint256)
    slot: uint256
    substituted: uint256  # of all that was shown


@deploy
def __init__(settlement_: address):
    """
    @notice Read from this settlement for ever.
    """
    settlement = Settlement(settlement_)
    depth = staticcall settlement.depth()
    slotSeconds = staticcall settlement.slotSeconds()
    slotsPerPeriod = staticcall settlement.slotsPerPeriod()
    window = staticcall settlement.window()


@external
@view
def getSettlement() -> address:
    """
    @notice Settlement whose commitments decide.
    """
    return settlement.address


@external
@view
def outcomeOf(key: uint256) -> Outcome:
    """
    @notice What is known of a total; zeros before it is.
    """
    return self._outcome(key)


@internal
@view
def _outcome(key: uint256) -> Outcome:
    """
    @dev All that one word says.
    """
    word: uint256 = self.outcomes[key]
    return Outcome(
        total=word & FIELD, knownAt=(word >> KNOWN_AT) & FIELD, substituted=(word & ~CLOSED) >> SUBSTITUTED_AT
    )


@internal
@view
def _isKnown(key: uint256) -> bool:
    """
    @dev Whether a total was written down.
    """
    return (self.outcomes[key] >> KNOWN_AT) & FIELD != 0


@internal
@view
def _isClosed(key: uint256) -> bool:
    """
    @dev Whether the contract has done with it.
    """
    return self.outcomes[key] & CLOSED != 0


@internal
def _close(key: uint256):
    """
    @dev Done with it, whether it was known or not.
    """
    self.outcomes[key] |= CLOSED


@internal
@view
def _member(account: address) -> uint256:
    """
    @dev Place of an account in the settlement; what it holds stays there when a lost key is replaced.
    """
    number: uint256 = staticcall settlement.memberNumber(account)
    assert number != 0 and number < 2**64, "totals: not a member"
    return number - 1


@internal
@view
def _isOfOnePeriod(lane: uint256, first: uint256, last: uint256) -> bool:
    """
    @dev Whether there can be such a total.
    """
    return lane < LANES and first <= last and first // slotsPerPeriod == last // slotsPerPeriod


@internal
def _settle(
    key: uint256, lane: uint256, first: uint256, last: uint256, before: commitments.Opening, opening: commitments.Opening
):
    """
    @dev Write down the total of a lane from slot `first` to slot `last`.
    @param before commitment before; ignored if `first` begins a period
    @param opening commitment of `last`
    """
    assert not self._isKnown(key), "totals: known"
    total: uint256 = self._committed(lane, last, opening)
    if first % slotsPerPeriod == 0:
        total -= BLINDING
    else:
        total -= self._committed(lane, first - 1, before)
    self.outcomes[key] = total | (block.timestamp << KNOWN_AT)
    log Known(key=key, total=total)


@internal
def _object(
    key: uint256, lane: uint256, first: uint256, last: uint256, opening: commitments.Opening, leaf: commitments.Shown
):
    """
    @dev Count what a leaf says was substituted; each leaf once.
    """
    assert self._isContestable(key), "totals: not now"
    slot: uint256 = opening.commitment.slot
    assert first <= slot and slot <= last, "totals: other slot"
    assert staticcall settlement.isFinal(opening), "totals: not final"
    root: bytes32 = commitments._climb(leaf, depth)[0]
    assert root == opening.commitment.root and not leaf.isBlank, "totals: bad proof"
    assert leaves._has(leaf.leaf, leaves.SUBSTITUTED), "totals: metered"
    place: bytes32 = keccak256(abi_encode(key, slot, leaf.index))
    assert not self.shown[place], "totals: shown before"
    self.shown[place] = True
    more: uint256 = leaves._lane(leaf.leaf.slotEnergy, lane)
    self.outcomes[key] += more << SUBSTITUTED_AT
    log Objected(key=key, slot=slot, substituted=self._outcome(key).substituted)


@internal
@view
def _isContestable(key: uint256) -> bool:
    """
    @dev Whether objections count: the total is known, and not longer than a window.
    """
    knownAt: uint256 = (self.outcomes[key] >> KNOWN_AT) & FIELD
    return knownAt != 0 and block.timestamp < knownAt + window


@internal
@view
def _isValid(key: uint256) -> bool:
    """
    @dev Whether enough of a known total was metered.
    """
    found: Outcome = self._outcome(key)
    return found.substituted * PART <= found.total


@internal
@view
def _committed(lane: uint256, slot: uint256, opening: commitments.Opening) -> uint256:
    """
    @dev Running total of a lane at the end of a slot, with its blinding.
    """
    assert opening.commitment.slot == slot, "totals: other slot"
    assert staticcall settlement.isFinal(opening), "totals: not final"
    return leaves._lane(opening.commitment.energy, lane)
