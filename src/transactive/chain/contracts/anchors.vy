# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Anchors
@notice Heads of communities' own chains, noted on another chain: one root for as many communities as like.
@dev A publisher, a federation or one community for itself, notes the root of a tree over salted leaves, one a community:

         leaf   00 | chain id | settlement | number of the block | its hash | salt      keccak-256
         node   01 | lower hash | higher hash; a node without a neighbour moves up as it is

     PROVES: who has a leaf and its way shows that this head was known in that block. Whoever is shown another block of the
     same number has the proof that books were kept twice.
     DOES NOT PROVE: that the head is right. Each community's members check that their head is in it.
     PRIVACY: a root is all that is noted. Without the salt nobody finds out which community, or how many, stand behind it.
     Holds no money, has no owner and no parameters.
"""

MAX_WAY: constant(uint256) = 32

since: public(HashMap[address, HashMap[bytes32, uint256]])  # by publisher and root: number of the block | time << 64

event Anchored:
    publisher: indexed(address)
    root: indexed(bytes32)


@external
def anchor(root: bytes32):
    """
    @notice Note a root of the caller's, once.
    """
    assert root != empty(bytes32), "anchors: no root"
    assert self.since[msg.sender][root] == 0, "anchors: noted already"
    self.since[msg.sender][root] = block.number | (block.timestamp << 64)
    log Anchored(publisher=msg.sender, root=root)


@external
@view
def anchoredIn(publisher: address, leaf: bytes32, way: DynArray[bytes32, MAX_WAY]) -> (uint256, uint256):
    """
    @notice Number and time, Unix s, of the block that noted the root to which a leaf's way leads; zeros if none did.
    """
    node: bytes32 = leaf
    for sibling: bytes32 in way:
        if convert(node, uint256) < convert(sibling, uint256):
            node = keccak256(concat(b"\x01", node, sibling))
        else:
            node = keccak256(concat(b"\x01", sibling, node))
    noted: uint256 = self.since[publisher][node]
    return noted & (2**64 - 1), noted >> 64
