# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Witness
@notice Checks on this chain what a settlement on another chain has committed: down to a member's leaf of a slot.
@dev Signers watch other chains and sign hashes of their final blocks. From such a hash everything else is proved:

         hash of a block -> its header -> root of its state -> the settlement's account -> its storage -> head of a period
         -> commitment of a slot -> root of the members' tree -> a leaf

     What a dishonest signer or caller can try
     PREVENTED
       - note a block without as many signers as `threshold`, or note another hash for a block that is noted
       - prove a head from a header that nobody signed, from another account, place or period, or a head of zero
       - show a leaf of another slot or place, or one that is not under a head that was proved
     PROVABLE by anybody: one signer, two hashes for one block. It freezes: no block is noted and no head is proved until the
     governor thaws. Heads that were proved stay, and leaves under them can be shown as before.
     TRUSTED
       - `threshold` signers together, to sign final blocks of the right chain; the governor, to choose them and to thaw.
         On a chain of ours the governor is a contract that acts after a basic vote of members (`governor.vy`)
       - whoever asks, to name chain and settlement: heads are kept by both
     Holds no money.
"""

from modules import commitments
from modules import leaves

struct Signature:
    v: uint8
    r: bytes32
    s: bytes32

MAX_SIGNERS: constant(uint256) = 16
MAX_NODES: constant(uint256) = 16
MAX_ITEMS: constant(uint256) = 24  # of a header; a node has 17
DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
FINAL_TYPE: constant(bytes32) = keccak256("FinalBlock(uint256 chainId,uint256 number,bytes32 hash)")
# Signatures with s above half the curve order are refused (each one has a valid twin).
HALF_ORDER: constant(uint256) = (
    57896044618658097711785492504343953926418782139537452191302581570759080747168
)

governor: public(immutable(address))
threshold: public(immutable(uint256))
place: public(immutable(uint256))  # storage slot of `heads` in a settlement, as its artifact names it
signers: public(uint256)  # how many there are
isSigner: public(HashMap[address, bool])
isFrozen: public(bool)
hashes: public(HashMap[uint256, HashMap[uint256, bytes32]])  # by chain and number of the block
# by chain, settlement, period and head: number of the block, plus one, in which it was first proved
proved: HashMap[uint256, HashMap[address, HashMap[uint256, HashMap[bytes32, uint256]]]]

event Noted:
    chainId: indexed(uint256)
    number: indexed(uint256)
    hash: bytes32

event Proved:
    chainId: indexed(uint256)
    settlement: indexed(address)
    period: indexed(uint256)
    head: bytes32

event Frozen:
    signer: indexed(address)

event Thawed:
    pass

event SignerSet:
    signer: indexed(address)
    isSigner: bool


@deploy
def __init__(governor_: address, signers_: DynArray[address, MAX_SIGNERS], threshold_: uint256, place_: uint256):
    """
    @notice A witness with its first signers.
    @param threshold_ signers that a block needs
    @param place_ storage slot of `heads` in the settlements that it witnesses
    """
    assert governor_ != empty(address), "witness: no governor"
    assert 0 < threshold_ and threshold_ <= len(signers_), "witness: bad threshold"
    governor = governor_
    threshold = threshold_
    place = place_
    for signer: address in signers_:
        assert signer != empty(address) and not self.isSigner[signer], "witness: bad signer"
        self.isSigner[signer] = True
    self.signers = len(signers_)


@external
def setSigner(signer: address, wanted: bool):
    """
    @notice Governor: let a signer in or out; as many as the threshold stay.
    """
    assert msg.sender == governor, "witness: not the governor"
    assert signer != empty(address) and self.isSigner[signer] != wanted, "witness: bad signer"
    self.isSigner[signer] = wanted
    if wanted:
        assert self.signers < MAX_SIGNERS, "witness: too many signers"
        self.signers += 1
    else:
        assert self.signers > threshold, "witness: too few signers"
        self.signers -= 1
    log SignerSet(signer=signer, isSigner=wanted)


@external
def thaw():
    """
    @notice Governor: go on after a freeze.
    """
    assert msg.sender == governor, "witness: not the governor"
    assert self.isFrozen, "witness: not frozen"
    self.isFrozen = False
    log Thawed()


@external
def note(chainId: uint256, number: uint256, hash: bytes32, signatures: DynArray[Signature, MAX_SIGNERS]):
    """
    @notice Note a final block of another chain.
    @param signatures of signers, in the order of their addresses
    """
    assert not self.isFrozen, "witness: frozen"
    assert hash != empty(bytes32), "witness: no hash"
    assert self.hashes[chainId][number] == empty(bytes32), "witness: noted already"
    last: uint256 = 0
    for signature: Signature in signatures:
        signer: address = self._signer(chainId, number, hash, signature)
        assert convert(signer, uint256) > last and self.isSigner[signer], "witness: bad signature"
        last = convert(signer, uint256)
    assert len(signatures) >= threshold, "witness: too few signatures"
    self.hashes[chainId][number] = hash
    log Noted(chainId=chainId, number=number, hash=hash)


@external
def freeze(chainId: uint256, number: uint256, one: bytes32, other: bytes32, first: Signature, second: Signature):
    """
    @notice Show two hashes of one block that one signer signed.
    """
    assert not self.isFrozen, "witness: frozen"
    signer: address = self._signer(chainId, number, one, first)
    assert one != other, "witness: one hash"
    assert self.isSigner[signer] and signer == self._signer(chainId, number, other, second), "witness: bad signature"
    self.isFrozen = True
    log Frozen(signer=signer)


@external
def prove(
    chainId: uint256,
    number: uint256,
    header: Bytes[1024],
    settlement: address,
    account: DynArray[Bytes[1024], MAX_NODES],
    period: uint256,
    storage: DynArray[Bytes[1024], MAX_NODES],
):
    """
    @notice Prove the head of a period of a settlement as it was in a noted block.
    @param header the block's header, RLP
    @param account nodes from the root of the state to the settlement's account
    @param storage nodes from the root of its storage to the head
    """
    assert not self.isFrozen, "witness: frozen"
    noted: bytes32 = self.hashes[chainId][number]
    assert noted != empty(bytes32) and keccak256(header) == noted, "witness: not that block"
    stateRoot: bytes32 = self._word(header, 3)
    who: Bytes[1024] = self._value(stateRoot, keccak256(slice(convert(settlement, bytes32), 12, 20)), account)
    storageRoot: bytes32 = self._word(who, 2)
    at: bytes32 = keccak256(keccak256(concat(convert(place, bytes32), convert(period, bytes32))))
    found: Bytes[1024] = self._value(storageRoot, at, storage)
    start: uint256 = 0
    length: uint256 = 0
    start, length = self._item(found, 0)
    assert length <= 32 and start + length == len(found), "witness: bad proof"
    number_: uint256 = 0
    for k: uint256 in range(length, bound=32):
        number_ = number_ * 256 + self._byte(found, start + k)
    head: bytes32 = convert(number_, bytes32)
    assert self.proved[chainId][settlement][period][head] == 0, "witness: proved already"
    self.proved[chainId][settlement][period][head] = number + 1
    log Proved(chainId=chainId, settlement=settlement, period=period, head=head)


@external
@view
def headSeen(chainId: uint256, settlement: address, period: uint256, head: bytes32) -> uint256:
    """
    @notice Number of the block, plus one, in which a head was first proved; zero if in none.
    """
    return self.proved[chainId][settlement][period][head]


@external
@view
def leafSeen(
    chainId: uint256, settlement: address, period: uint256, opening: commitments.Opening, shown: commitments.Shown
) -> uint256:
    """
    @notice Number of the block, plus one, in which a head above a member's leaf was first proved; zero if it is under none.
    @param opening the commitment of the slot, and those of the period after it
    """
    if shown.isBlank or len(shown.proof) < 2 or shown.leaf.index != shown.index:
        return 0
    if leaves._number(shown.leaf) != opening.commitment.slot:
        return 0
    root: bytes32 = empty(bytes32)
    money: uint256 = 0
    energy: uint256 = 0
    adds: bool = False
    root, money, energy, adds = commitments._climb(shown, len(shown.proof))
    if not adds or root != opening.commitment.root:
        return 0
    if money != opening.commitment.money or energy != opening.commitment.energy:
        return 0
    head: bytes32 = commitments._link(opening)
    for later: bytes32 in opening.later:
        head = keccak256(concat(head, later))
    return self.proved[chainId][settlement][period][head]


@internal
@view
def _signer(chainId: uint256, number: uint256, hash: bytes32, signature: Signature) -> address:
    """
    @dev Who signed a block for this witness; zero if nobody can have.
    """
    if convert(signature.s, uint256) > HALF_ORDER:
        return empty(address)
    domain: bytes32 = keccak256(
        abi_encode(DOMAIN_TYPE, keccak256("TransActive Witness"), keccak256("1"), chain.id, self)
    )
    structHash: bytes32 = keccak256(abi_encode(FINAL_TYPE, chainId, number, hash))
    return ecrecover(keccak256(concat(b"\x19\x01", domain, structHash)), signature.v, signature.r, signature.s)


@internal
@pure
def _byte(data: Bytes[1024], at: uint256) -> uint256:
    """
    @dev One byte. Reverts beyond the end.
    """
    return convert(slice(data, at, 1), uint256)


@internal
@pure
def _item(data: Bytes[1024], at: uint256) -> (uint256, uint256):
    """
    @dev Where the content of an RLP item begins, and how long it is. Reverts for one that reaches beyond the end.
    """
    first: uint256 = self._byte(data, at)
    start: uint256 = at + 1
    length: uint256 = 0
    if first < 128:
        start = at
        length = 1
    elif first < 184:
        length = first - 128
    elif first < 192:
        assert first < 186, "witness: bad proof"  # longer than any node
        for k: uint256 in range(first - 183, bound=2):
            length = length * 256 + self._byte(data, start)
            start += 1
    elif first < 248:
        length = first - 192
    else:
        assert first < 250, "witness: bad proof"
        for k: uint256 in range(first - 247, bound=2):
            length = length * 256 + self._byte(data, start)
            start += 1
    assert start + length <= len(data), "witness: bad proof"
    return start, length


@internal
@pure
def _word(data: Bytes[1024], number: uint256) -> bytes32:
    """
    @dev The word that is an item of an RLP list.
    """
    start: uint256 = 0
    length: uint256 = 0
    assert self._byte(data, 0) >= 192, "witness: bad proof"
    start, length = self._item(data, 0)
    at: uint256 = start
    for k: uint256 in range(MAX_ITEMS):
        start, length = self._item(data, at)
        if k == number:
            break
        at = start + length
    assert length == 32, "witness: bad proof"
    return extract32(data, start)


@internal
@pure
def _value(root: bytes32, key: bytes32, nodes: DynArray[Bytes[1024], MAX_NODES]) -> Bytes[1024]:
    """
    @dev What a Merkle-Patricia tree holds under a hashed key. Reverts where the nodes do not lead there.
    """
    wanted: bytes32 = root
    depth: uint256 = 0
    for node: Bytes[1024] in nodes:
        assert keccak256(node) == wanted, "witness: bad proof"
        starts: uint256[17] = empty(uint256[17])
        lengths: uint256[17] = empty(uint256[17])
        count: uint256 = 0
        at: uint256 = 0
        length: uint256 = 0
        at, length = self._item(node, 0)
        assert at + length == len(node), "witness: bad proof"
        for k: uint256 in range(17):
            if at == len(node):
                break
            starts[k], lengths[k] = self._item(node, at)
            at = starts[k] + lengths[k]
            count += 1
        assert at == len(node), "witness: bad proof"
        if count == 17:
            assert depth < 64, "witness: bad proof"
            place_: uint256 = self._nibble(key, depth)
            depth += 1
            assert lengths[place_] == 32, "witness: bad proof"
            wanted = extract32(node, starts[place_])
            continue
        assert count == 2 and lengths[0] > 0, "witness: bad proof"
        head: uint256 = self._byte(node, starts[0])
        assert head < 64, "witness: bad proof"
        if head & 16 != 0:
            assert depth < 64 and head & 15 == self._nibble(key, depth), "witness: bad proof"
            depth += 1
        for k: uint256 in range(32):
            if k + 1 >= lengths[0]:
                break
            pair: uint256 = self._byte(node, starts[0] + 1 + k)
            assert depth < 63, "witness: bad proof"
            same: bool = pair == self._nibble(key, depth) * 16 + self._nibble(key, depth + 1)
            assert same, "witness: bad proof"
            depth += 2
        if head & 32 != 0:
            assert depth == 64, "witness: bad proof"
            return slice(node, starts[1], lengths[1])
        assert lengths[1] == 32, "witness: bad proof"
        wanted = extract32(node, starts[1])
    raise "witness: bad proof"


@internal
@pure
def _nibble(key: bytes32, number: uint256) -> uint256:
    """
    @dev Four bits of a key, the highest first.
    """
    return (convert(key, uint256) >> (4 * (63 - number))) & 15
