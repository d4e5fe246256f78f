# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Leaves
@notice What a settlement commits of a member in a slot, and the Merkle-sum tree that leads from there to the root.
@dev Places 2i and 2i + 1 of the tree hold the leaf of member i and its blinding leaf. Every node carries two words of
     sums: money (debit | credit << 64 | bought << 128 | sold << 192) and energy (imported | exported << 64 |
     produced << 128 | certified << 192), all running totals of the period. The top bit of each lane stays clear, so
     that two words add without a carry into the next lane. All hashes are SHA-256:

         leaf           00 | slot | index | money | energy | slotMoney | slotEnergy | fills | orders | salt
         node           01 | left hash | left money | left energy | right hash | right money | right energy
         blinding leaf  02 | slot | index | money | energy | salt
         empty place    zeros

     The slot of a leaf is its number | marks << 64, so that a metered leaf of a session that was held has none:

         SUBSTITUTED  nobody metered the slot: settled as traded, nothing certified, and what it would bring is held
         VOID         the gate passed while nobody was there: orders for it count for nothing, and nobody has traded

     The sums of the blinding leaves add up to 2**62 in every lane of the root, so a member that sees its neighbour's
     node learns nothing of the neighbour, and everybody can read the community's totals.
"""

struct Leaf:
    slot: uint256  # number, and marks
    index: uint256
    money: uint256  # running totals of the period
    energy: uint256
    slotMoney: uint256  # the same since the commitment before
    slotEnergy: uint256
    fills: bytes32  # hash of what the member traded in the slot at which prices, zero for nothing
    orders: bytes32  # hash of the member's accepted orders for the slot, zero without any
    salt: bytes32

struct Node:
    hash: bytes32  # sibling on the way up
    money: uint256  # its sums
    energy: uint256
    ownMoney: uint256  # sums the tree states for the node itself
    ownEnergy: uint256

MAX_DEPTH: constant(uint256) = 13
ONES: constant(uint256) = 1 + 2**64 + 2**128 + 2**192
TOP: constant(uint256) = ONES * 2**63  # bit 63 of every lane
LANE: constant(uint256) = 2**64 - 1
MARKS_AT: constant(uint256) = 64
SUBSTITUTED: constant(uint256) = 1
VOID: constant(uint256) = 2


@internal
@pure
def _hash(leaf: Leaf) -> bytes32:
    """
    @dev Hash of a member's leaf.
    """
    return sha256(concat(b"\x00", abi_encode(leaf)))


@internal
@pure
def _climb(
    leaf: bytes32, place: uint256, money: uint256, energy: uint256, proof: DynArray[Node, MAX_DEPTH]
) -> (bytes32, uint256, uint256, bool):
    """
    @dev Root and sums a path leads to, and whether every sum on it adds up without leaving its lane.
         Each node's own sums come from the proof, so that a tree with wrong sums can be shown to be wrong.
    """
    node: bytes32 = leaf
    totalMoney: uint256 = money
    totalEnergy: uint256 = energy
    position: uint256 = place
    consistent: bool = (money | energy) & TOP == 0
    for p: Node in proof:
        if position & 1 == 0:
            node = sha256(concat(b"\x01", node, abi_encode(p.ownMoney, p.ownEnergy, p.hash, p.money, p.energy)))
        else:
            node = sha256(concat(b"\x01", abi_encode(p.hash, p.money, p.energy), node, abi_encode(p.ownMoney, p.ownEnergy)))
        if p.ownMoney != totalMoney or p.ownEnergy != totalEnergy or (p.money | p.energy) & TOP != 0:
            consistent = False
        # while consistent, all parts are below 2**63 per lane and no addition carries into the next lane
        totalMoney = unsafe_add(p.ownMoney, p.money)
        totalEnergy = unsafe_add(p.ownEnergy, p.energy)
        position = position >> 1
    # the last sums are checked by nobody else on the way
    if (totalMoney | totalEnergy) & TOP != 0:
        consistent = False
    return node, totalMoney, totalEnergy, consistent


@internal
@pure
def _number(leaf: Leaf) -> uint256:
    """
    @dev Number of a leaf's slot.
    """
    return leaf.slot & LANE


@internal
@pure
def _has(leaf: Leaf, mark: uint256) -> bool:
    """
    @dev Whether a leaf has a mark.
    """
    return (leaf.slot >> MARKS_AT) & mark != 0


@internal
@pure
def _isMarked(leaf: Leaf) -> bool:
    """
    @dev Whether a leaf's marks are known ones, and a substituted one is as traded, not certified, and brings nothing.
    """
    if leaf.slot >> MARKS_AT > SUBSTITUTED | VOID:
        return False
    if not self._has(leaf, SUBSTITUTED):
        return True
    bought: uint256 = self._lane(leaf.slotMoney, 2)
    sold: uint256 = self._lane(leaf.slotMoney, 3)
    taken: uint256 = 0
    given: uint256 = 0
    if bought > sold:
        taken = bought - sold
    else:
        given = sold - bought
    traded: bool = leaf.slotEnergy == taken | (given << 64) | (given << 128)
    return traded and self._lane(leaf.slotMoney, 1) == 0


@internal
@pure
def _lane(word: uint256, number: uint256) -> uint256:
    """
    @dev One counter of a word of sums.
    """
    return (word >> (64 * number)) & LANE


@internal
@pure
def _sumOfReadings(
    leaf: bytes32, place: uint256, sums: uint256, steps: DynArray[uint256[2], MAX_DEPTH]
) -> (bytes32, uint256):
    """
    @dev Root and sums of a gateway's tree of readings: hash and sums of each sibling, five lanes in one word.
    """
    node: bytes32 = leaf
    total: uint256 = sums
    position: uint256 = place
    for step: uint256[2] in steps:
        if position & 1 == 0:
            node = sha256(concat(b"\x01", node, abi_encode(total, step[0], step[1])))
        else:
            node = sha256(concat(b"\x01", abi_encode(step[0], step[1]), node, abi_encode(total)))
        total = unsafe_add(total, step[1])
        position = position >> 1
    return node, total
