# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Totals
@notice What a community used or made in some slots, from what its settlement committed: meters decide, nobody reports.
@dev A total is the difference of two committed totals of one period, once that period is final: past every challenge of the
     judges, so that nothing reopens it, a later correction neither. The same two commitments state what nobody had metered;
     if that is more than a hundredth of the total, the outcome is invalid.

     ENFORCED
       - the outcome is what was committed, to the Wh; a slot that was not committed by itself gives none
       - until the period is final: that no less is stated as substituted than its leaves have (`demands.vy`), by who has them
     TRUSTED: what the settlement trusts (gateway, arbiter); its operator, that no more is stated as substituted than was: what
     it can reach by that is that stakes go back
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
    substituted: uint256  # Wh of the total that nobody metered, as committed

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

event Known:
    key: indexed(uint256)
    total: uint256
    substituted: uint256


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
    total: uint256 = 0
    substituted: uint256 = 0
    total, substituted = self._committed(lane, last, opening)
    if first % slotsPerPeriod == 0:
        total -= BLINDING
    else:
        earlier: uint256 = 0
        unmetered: uint256 = 0
        earlier, unmetered = self._committed(lane, first - 1, before)
        total -= earlier
        substituted -= min(unmetered, substituted)
    substituted = min(substituted, total)
    self.outcomes[key] = total | (block.timestamp << KNOWN_AT) | (substituted << SUBSTITUTED_AT)
    log Known(key=key, total=total, substituted=substituted)


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
def _committed(lane: uint256, slot: uint256, opening: commitments.Opening) -> (uint256, uint256):
    """
    @dev Running total of a lane at the end of a slot, with its blinding, and what of it was substituted.
    """
    assert commitments._number(opening.commitment.slot) == slot, "totals: other slot"
    assert staticcall settlement.isFinal(opening), "totals: not final"
    taken: uint256 = 0
    given: uint256 = 0
    taken, given = commitments._substituted(opening.commitment.slot)
    return leaves._lane(opening.commitment.energy, lane), taken if lane == 0 else given
