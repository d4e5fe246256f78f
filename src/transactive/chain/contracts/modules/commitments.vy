# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Commitments
@notice What a settlement committed of a slot, as whoever brings evidence or a claim shows it.
"""

from modules import leaves

struct Commitment:
    slot: uint256  # number | Wh taken << 64 | Wh given << 128 of the period that nobody metered
    root: bytes32
    certificates: bytes32
    money: uint256
    energy: uint256

struct Opening:
    previous: bytes32  # head of the period's hash chain before the commitment
    commitment: Commitment
    later: DynArray[bytes32, MAX_LATER]  # hashes of the period's commitments after it

struct Shown:  # the leaf of a member and where it stands
    index: uint256
    isBlank: bool  # nothing is there
    leaf: leaves.Leaf
    proof: DynArray[leaves.Node, leaves.MAX_DEPTH]

MAX_LATER: constant(uint256) = 287  # a day of five minutes
NUMBER: constant(uint256) = 2**64 - 1
SUBSTITUTED_AT: constant(uint256) = 64


@internal
@pure
def _number(word: uint256) -> uint256:
    """
    @dev Number of a commitment's slot, by its first word.
    """
    return word & NUMBER


@internal
@pure
def _substituted(word: uint256) -> (uint256, uint256):
    """
    @dev Wh taken and given since the start of the period that a commitment states as substituted, by its first word.
    """
    return (word >> SUBSTITUTED_AT) & NUMBER, word >> (2 * SUBSTITUTED_AT)


@internal
@pure
def _link(opening: Opening) -> bytes32:
    """
    @dev Head of the hash chain after a commitment.
    """
    return keccak256(concat(opening.previous, keccak256(abi_encode(opening.commitment))))


@internal
@pure
def _climb(shown: Shown, depth: uint256) -> (bytes32, uint256, uint256, bool):
    """
    @dev Root that a leaf leads to, its sums, and whether all sums on the way add up; zero for a proof of another depth.
    """
    if len(shown.proof) != depth or shown.index >= 1 << (depth - 1):
        return empty(bytes32), 0, 0, False
    hash: bytes32 = empty(bytes32)
    money: uint256 = 0
    energy: uint256 = 0
    if not shown.isBlank:
        hash = leaves._hash(shown.leaf)
        money = shown.leaf.money
        energy = shown.leaf.energy
    return leaves._climb(hash, 2 * shown.index, money, energy, shown.proof)
