# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Bundles
@notice What a settlement commits of a member's certificates in a slot: its leaf, and the bundles that stand behind it.
@dev The leaf has the form of `leaves.vy`, of this slot alone: money holds metered, issued, claimed of that and consumed
     [Wh]; energy holds received [Wh], both footprints [mg] and the levy [n¤]; `fills` is the hash of the member's record,

         "transactive record 2" | rest | bundles

     of which rest is the hash of registers, carbon and postings, so that bundles can be shown without those. A bundle
     is one word: device << 224 | owner << 192 | first Wh << 128 | Wh << 64 | state << 56 | mg. Device 2i is the
     generation of member i, 2i + 1 its battery. A bundle stands in the records of its device's member and of its owner.
"""

from modules import commitments
from modules import leaves

struct Record:  # what a leaf's `fills` stand for
    rest: bytes32
    bundles: DynArray[uint256, MAX_BUNDLES]

struct Tally:
    issued: uint256  # Wh, as in the leaf
    claimed: uint256
    received: uint256
    held: uint256
    isSound: bool  # bundles in order, none twice

MAX_BUNDLES: constant(uint256) = 512
HEAD: constant(Bytes[20]) = b"transactive record 2"
HELD: constant(uint256) = 1
CLAIMED: constant(uint256) = 3
FIELD: constant(uint256) = 2**64 - 1


@internal
@pure
def _device(bundle: uint256) -> uint256:
    """
    @dev Which device produced it.
    """
    return bundle >> 224


@internal
@pure
def _owner(bundle: uint256) -> uint256:
    """
    @dev Index of the account that has it.
    """
    return (bundle >> 192) & (2**32 - 1)


@internal
@pure
def _first(bundle: uint256) -> uint256:
    """
    @dev First Wh of a bundle.
    """
    return (bundle >> 128) & FIELD


@internal
@pure
def _energy(bundle: uint256) -> uint256:
    """
    @dev Wh of a bundle.
    """
    return (bundle >> 64) & FIELD


@internal
@pure
def _state(bundle: uint256) -> uint256:
    """
    @dev What became of it in its slot.
    """
    return (bundle >> 56) & 255


@internal
@pure
def _path(opening: commitments.Opening, shown: commitments.Shown, depth: uint256) -> (uint256, uint256, bool):
    """
    @dev Sums of a slot's certificates and whether they add up on a leaf's way; the leaf has to be in its place.
    """
    root: bytes32 = empty(bytes32)
    money: uint256 = 0
    energy: uint256 = 0
    consistent: bool = False
    root, money, energy, consistent = commitments._climb(shown, depth)
    assert root == opening.commitment.certificates and root != empty(bytes32), "bundles: bad proof"
    return money, energy, consistent


@internal
@pure
def _leaf(opening: commitments.Opening, shown: commitments.Shown, depth: uint256) -> (uint256, bool):
    """
    @dev Wh that nobody in the slot has claimed, and whether leaf and slot can be right.
    """
    money: uint256 = 0
    energy: uint256 = 0
    isSound: bool = False
    money, energy, isSound = self._path(opening, shown, depth)
    assert not shown.isBlank, "bundles: no leaf"
    leaf: leaves.Leaf = shown.leaf
    isSound = isSound and leaves._number(leaf) == commitments._number(opening.commitment.slot) and leaf.index == shown.index
    # nobody metered it, so nothing is certified
    isSound = isSound and (leaves._lane(leaf.money, 1) == 0 or not leaves._has(leaf, leaves.SUBSTITUTED))
    isSound = isSound and self._isWithin(leaf.money, leaf.energy) and self._isWithin(money, energy)
    # each total holds 2**62 of blinding, which falls out of differences
    isSound = isSound and leaves._lane(money, 2) == leaves._lane(energy, 0)
    return unsafe_sub(leaves._lane(money, 1), leaves._lane(money, 2)), isSound


@internal
@pure
def _isWithin(money: uint256, energy: uint256) -> bool:
    """
    @dev Whether issued <= metered, claimed <= issued and received <= consumed.
    """
    issued: uint256 = leaves._lane(money, 1)
    isIssued: bool = issued <= leaves._lane(money, 0) and leaves._lane(money, 2) <= issued
    return isIssued and leaves._lane(energy, 0) <= leaves._lane(money, 3)


@internal
@pure
def _check(leaf: leaves.Leaf, record: Record):
    """
    @dev Require that a leaf commits this record.
    """
    words: uint256 = 32 * len(record.bundles)
    hash: bytes32 = sha256(concat(HEAD, record.rest, slice(abi_encode(record.bundles), 64, words)))
    assert hash == leaf.fills, "bundles: other record"


@internal
@pure
def _tally(leaf: leaves.Leaf, record: Record) -> Tally:
    """
    @dev Sums of a leaf's bundles, which have to be those of its record.
    """
    self._check(leaf, record)
    tally: Tally = empty(Tally)
    tally.isSound = True
    device: uint256 = 0
    end: uint256 = 0  # of the Wh seen of this device
    for bundle: uint256 in record.bundles:
        energy: uint256 = self._energy(bundle)
        first: uint256 = self._first(bundle)
        if self._device(bundle) != device:
            tally.isSound = tally.isSound and self._device(bundle) > device
            device = self._device(bundle)
            end = 0
        tally.isSound = tally.isSound and first >= end and (first | energy) < 2**62
        end = unsafe_add(first, energy)
        state: uint256 = self._state(bundle)
        if device >> 1 == leaf.index:
            tally.issued = unsafe_add(tally.issued, energy)
            if state == CLAIMED:
                tally.claimed = unsafe_add(tally.claimed, energy)
            elif state == HELD:
                tally.held = unsafe_add(tally.held, energy)
        if state == CLAIMED and self._owner(bundle) == leaf.index:
            tally.received = unsafe_add(tally.received, energy)
    return tally


@internal
@pure
def _fits(leaf: leaves.Leaf, tally: Tally) -> bool:
    """
    @dev Whether a leaf says what its bundles say.
    """
    fits: bool = tally.isSound and tally.issued == leaves._lane(leaf.money, 1)
    fits = fits and tally.claimed == leaves._lane(leaf.money, 2)
    return fits and tally.received == leaves._lane(leaf.energy, 0)
