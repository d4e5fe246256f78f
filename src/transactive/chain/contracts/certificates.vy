# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Certificates
@notice Certificates of energy as ERC-6909 tokens: one unit is one Wh that one device produced in one slot.
@dev A community works in one of two ways, fixed for ever.
     ROOTED: each slot commit of the settlement carries the root of a tree with a leaf for each member: what was metered,
       issued, claimed, consumed and received, both footprints and the levy. Certificates live there and cost nothing.
       Once the slot's period is final, anybody can let a leaf leave, once: its bundles that nobody has used become
       tokens of their owners. Trade, certificate and levy of a slot are one commitment, which counts as a whole or not.
     DIRECT, for up to 128 members: the readings of a slot, signed by the gateway, become tokens at once.
     A token's id is zone << 192 | slot << 64 | device; device 2i is the generation of member i, 2i + 1 its battery. All
     Wh of a device and slot are alike, so to split or merge is to move amounts.
     A member has one word a slot (`books`): consumed, claimed, produced, certified; written once, then only claims grow.

     ENFORCED without anybody watching
       - issued <= metered; each device and slot once; nothing leaves twice, and no more than the slot's root says
       - claimed <= metered consumption of the same slot, in a zone that the device's zone reaches, by the member whose
         meter it is; claimed, withdrawn, expired and revoked Wh move no more, and nothing leads out of these states
       - nobody issues on its own word: a leaf was open to challenge for its period and window, a direct issue has the
         signature of the gateway, on the members that get none (`spared`) as well as on the readings
       - nothing is issued to who is not registered: it waits until the account is (`collect`), and keeps nothing else back
       - where accounts moved from another settlement, nothing is issued for a slot of before: it is issued there
       - a member's slot gives certificates or avoided-emission credits (`credit`), never both; a revoked reading gives
         neither, and nothing is claimed against it
     PROVABLE by any account, at the operator's cost, until the period is final: see `certificate_disputes.vy`
     DETECTABLE by comparing
       - a member left out altogether, its leaf kept from it, or footprints and levy that the rules do not give
       - a direct community whose slots carry roots of certificates as well
       - slots that a settlement commits after its accounts moved to another one, which issues for them
     TRUSTED
       - the gateway to sign what it read, and to revoke only what it read wrongly (direct issues alone)
       - the owner of the settlement for zones, which are kept with a member's slot, and for the gateway's key
     There is no pause: nobody can stop transfers, claims and leaving. Tokens have no owner but their holders.
     PRIVACY: a leaf that leaves or is challenged becomes public with its bundles, that of its member alone.
"""

from modules import bundles
from modules import commitments
from modules import leaves
from modules import multitoken
from modules import readings
from modules import signed

initializes: multitoken
exports: (
    multitoken.allowance,
    multitoken.approve,
    multitoken.balanceOf,
    multitoken.isOperator,
    multitoken.setOperator,
    multitoken.supportsInterface,
)

interface Settlement:
    def owner() -> address: view
    def disputes() -> address: view
    def depth() -> uint256: view
    def slotSeconds() -> uint256: view
    def slotsPerPeriod() -> uint256: view
    def memberCount() -> uint256: view
    def accountOf(index: uint256) -> address: view
    def isFinal(opening: commitments.Opening) -> bool: view

interface Disputes:
    def gateway() -> address: view
    def wasGateway(account: address, time: uint256) -> bool: view

MAX_METERS: constant(uint256) = 128
MAX_CLAIMS: constant(uint256) = 128
FIELD: constant(uint256) = 2**64 - 1
REGISTER: constant(uint256) = 2**51 - 1
# a member's slot: consumed, claimed against that, produced, certified of that [Wh], its zone, and marks
LANE: constant(uint256) = 2**52 - 1
CLAIMED_AT: constant(uint256) = 52
PRODUCED_AT: constant(uint256) = 104
CERTIFIED_AT: constant(uint256) = 156
ZONE_AT: constant(uint256) = 208
KNOWN: constant(uint256) = 1 << 216
CREDITED: constant(uint256) = 1 << 217

settlement: immutable(Settlement)
isDirect: public(immutable(bool))
validity: public(immutable(uint256))
since: public(immutable(uint256))  # first slot
depth: immutable(uint256)
slotSeconds: immutable(uint256)
slotsPerPeriod: immutable(uint256)

credits: public(address)  # the contract of avoided-emission credits
books: public(HashMap[uint256, HashMap[uint256, uint256]])  # by slot and member
released: public(HashMap[uint256, uint256])  # by slot: Wh that left
revoked: public(HashMap[uint256, HashMap[uint256, uint256]])  # by member and slot // 256: bitmap of slots
zones: public(HashMap[uint256, uint256])  # zone of member 32j + k in bits 8k.. of word j
reachable: public(HashMap[uint256, uint256])  # by zone: bitmap of zones beside it that its energy reaches
accounts: public(bytes32)  # hash over the settlement's first accounts, for direct issues
waiting: public(HashMap[uint256, HashMap[uint256, uint256]])  # by token and owner's index: Wh that nobody could get

event Released:
    slot: indexed(uint256)
    member: indexed(uint256)
    amount: uint256

event Issued:
    slot: indexed(uint256)
    meters: uint256

event Waiting:
    id: indexed(uint256)
    owner: indexed(uint256)
    amount: uint256

event Claimed:
    member: indexed(uint256)
    beneficiary: indexed(bytes32)
    ids: DynArray[uint256, MAX_CLAIMS]
    amounts: DynArray[uint256, MAX_CLAIMS]

event Withdrawn:
    holder: indexed(address)
    id: indexed(uint256)
    amount: uint256
    to: indexed(bytes32)

event Revoked:
    slot: indexed(uint256)
    member: indexed(uint256)

event Credited:
    slot: indexed(uint256)
    member: indexed(uint256)

event CreditsSet:
    credits: indexed(address)

event ZonesSet:
    number: indexed(uint256)
    zones: uint256

event ReachSet:
    zone: indexed(uint256)
    zones: uint256

event AccountsSet:
    count: uint256


@deploy
def __init__(settlement_: address, isDirect_: bool, validity_: uint256, since_: uint256):
    """
    @notice Certificates of one settlement's members; evidence counts once its contract `disputes` has named this one.
    @param isDirect_ whether signed readings become tokens at once, instead of leaves of committed roots
    @param validity_ seconds after the end of a slot until its certificates expire
    @param since_ first slot that is issued here: what is before is issued in the contract that the accounts came from
    """
    assert validity_ > 0, "certificates: no validity"
    isDirect = isDirect_
    validity = validity_
    since = since_
    settlement = Settlement(settlement_)
    depth = staticcall settlement.depth()
    slotSeconds = staticcall settlement.slotSeconds()
    slotsPerPeriod = staticcall settlement.slotsPerPeriod()


# -- what comes in ------------------------------------------------------------------------------------------


@external
def release(opening: commitments.Opening, shown: commitments.Shown, record: bundles.Record) -> uint256:
    """
    @notice Let a leaf leave: its unused bundles become tokens of their owners, and its consumption can be claimed.
    @param opening commitment of a slot whose period is final
    @param record what the leaf's `fills` stand for
    @return Wh that became tokens
    """
    assert not isDirect, "certificates: issued directly"
    slot: uint256 = commitments._number(opening.commitment.slot)
    assert slot >= since, "certificates: issued before"
    assert staticcall settlement.isFinal(opening), "certificates: not final"
    left: uint256 = 0
    isSound: bool = False
    left, isSound = bundles._leaf(opening, shown, depth)
    leaf: leaves.Leaf = shown.leaf
    tally: bundles.Tally = bundles._tally(leaf, record)
    assert isSound and bundles._fits(leaf, tally), "certificates: leaf contradicts itself"
    assert self.books[slot][leaf.index] == 0, "certificates: already out"
    released: uint256 = self.released[slot] + tally.held
    assert released <= left, "certificates: more than the slot has"
    self.released[slot] = released
    zone: uint256 = self._zone(leaf.index)
    self.books[slot][leaf.index] = self._book(
        leaves._lane(leaf.money, 3), tally.received, leaves._lane(leaf.money, 0), tally.issued, zone
    )
    for bundle: uint256 in record.bundles:
        device: uint256 = bundles._device(bundle)
        if device >> 1 == leaf.index and bundles._state(bundle) == bundles.HELD:
            owner: uint256 = bundles._owner(bundle)
            account: address = staticcall settlement.accountOf(owner)
            self._give(account, owner, self._id(zone, slot, device), bundles._energy(bundle))
    log Released(slot=slot, member=leaf.index, amount=tally.held)
    return tally.held


@external
def collect(id: uint256, owner: uint256) -> uint256:
    """
    @notice Give an account the certificates that waited until it was registered. Anybody can.
    @param owner index of the account
    @return Wh that became tokens
    """
    self._check(id)
    amount: uint256 = self.waiting[id][owner]
    assert amount > 0, "certificates: nothing waits"
    self.waiting[id][owner] = 0
    multitoken._mint(staticcall settlement.accountOf(owner), id, amount)
    return amount


@external
def issue(
    slot: uint256,
    registers: DynArray[uint256, MAX_METERS],
    accounts: DynArray[address, MAX_METERS],
    spared: uint256,
    signature: signed.Signature,
) -> uint256:
    """
    @notice Issue the certificates of a slot from its signed readings; anybody can bring them, once.
    @param registers packed registers of all meters: import | export << 51 | generation << 102 | charge << 153 |
                     discharge << 204
    @param accounts the settlement's accounts, as `enrol` has read them
    @param spared bitmap of members that get none, so that they can have avoided-emission credits instead
    @param signature of the gateway, for slot, registers and spared members
    @return Wh issued; a battery's discharge gives none, because its charge was not followed
    """
    assert isDirect, "certificates: issued by root"
    assert slot >= since, "certificates: issued before"
    assert block.timestamp >= (slot + 1) * slotSeconds, "certificates: slot not over"
    count: uint256 = len(registers)
    assert count > 0 and count <= len(accounts), "certificates: not enrolled"
    assert keccak256(abi_encode(accounts)) == self.accounts, "certificates: not enrolled"
    packed: bytes32 = keccak256(slice(abi_encode(registers), 64, 32 * count))
    signer: address = signed._issuer(slot, packed, spared, signature)
    judge: Disputes = Disputes(staticcall settlement.disputes())
    assert staticcall judge.wasGateway(signer, slot * slotSeconds), "certificates: not the gateway"
    issued: uint256 = 0
    zones: uint256 = 0
    member: uint256 = 0
    for sums: uint256 in registers:
        zones = zones >> 8
        if member & 31 == 0:
            zones = self.zones[member >> 5]
        if sums != 0:
            assert self.books[slot][member] == 0, "certificates: already out"
            # five registers below 2**51: no sum overflows
            generation: uint256 = (sums >> 102) & REGISTER
            produced: uint256 = unsafe_add(generation, (sums >> 204) & REGISTER)
            inflow: uint256 = unsafe_add(sums & REGISTER, produced)
            outflow: uint256 = unsafe_add((sums >> 51) & REGISTER, (sums >> 153) & REGISTER)
            assert outflow <= inflow and inflow <= LANE, "certificates: bad reading"
            book: uint256 = unsafe_sub(inflow, outflow) | (produced << PRODUCED_AT) | KNOWN
            book = book | ((zones & 255) << ZONE_AT)
            if (spared >> member) & 1 != 0:
                generation = 0
            self.books[slot][member] = book | (generation << CERTIFIED_AT)
            if generation != 0:
                id: uint256 = ((zones & 255) << 192) | (slot << 64) | (member << 1)
                self._give(accounts[member], member, id, generation)
                issued = unsafe_add(issued, generation)
        member = unsafe_add(member, 1)
    log Issued(slot=slot, meters=count)
    return issued


@external
def enrol():
    """
    @notice Note the settlement's accounts for direct issues; again after members joined. Anybody can.
    """
    count: uint256 = min(staticcall settlement.memberCount(), MAX_METERS)
    accounts: DynArray[address, MAX_METERS] = []
    for index: uint256 in range(count, bound=MAX_METERS):
        accounts.append(staticcall settlement.accountOf(index))
    self.accounts = keccak256(abi_encode(accounts))
    log AccountsSet(count=count)


# -- what holders do ----------------------------------------------------------------------------------------


@external
def transfer(receiver: address, id: uint256, amount: uint256) -> bool:
    """
    @notice Send `amount` Wh of certificate `id`.
    """
    self._check(id)
    multitoken._move(msg.sender, receiver, id, amount)
    return True


@external
def transferFrom(sender: address, receiver: address, id: uint256, amount: uint256) -> bool:
    """
    @notice Send certificates of `sender` as its operator or within the caller's allowance; the maximum is never used up.
    """
    self._check(id)
    multitoken._spend(sender, id, amount)
    multitoken._move(sender, receiver, id, amount)
    return True


@external
def claim(
    member: uint256,
    beneficiary: bytes32,
    ids: DynArray[uint256, MAX_CLAIMS],
    amounts: DynArray[uint256, MAX_CLAIMS],
):
    """
    @notice Use the caller's certificates up against what a member consumed in the same slots.
    @param member whose consumption: the caller itself, or an account whose operator it is
    @param beneficiary hash of the words that say for whom and for what
    """
    account: address = staticcall settlement.accountOf(member)
    allowed: bool = msg.sender == account or multitoken.isOperator[account][msg.sender]
    assert allowed, "certificates: not the member"
    assert beneficiary != empty(bytes32), "certificates: no beneficiary"
    assert len(ids) == len(amounts), "certificates: one amount for each"
    i: uint256 = 0
    for id: uint256 in ids:
        self._check(id)
        slot: uint256 = (id >> 64) & FIELD
        book: uint256 = self.books[slot][member]
        assert book & KNOWN != 0, "certificates: no reading"
        assert not self._isRevoked(slot, member), "certificates: reading revoked"
        ours: uint256 = (book >> ZONE_AT) & 255
        zone: uint256 = id >> 192
        assert zone == ours or (self.reachable[zone] >> ours) & 1 != 0, "certificates: out of reach"
        amount: uint256 = amounts[i]
        room: uint256 = unsafe_sub(book & LANE, (book >> CLAIMED_AT) & LANE)
        assert amount > 0 and amount <= room, "certificates: beyond consumption"
        self.books[slot][member] = unsafe_add(book, amount << CLAIMED_AT)
        multitoken._burn(msg.sender, id, amount)
        i = unsafe_add(i, 1)
    log Claimed(member=member, beneficiary=beneficiary, ids=ids, amounts=amounts)


@external
def withdraw(id: uint256, amount: uint256, to: bytes32):
    """
    @notice Take certificates of the caller out for ever, without a claim.
    @param to hash of the words that say where they go on, such as another registry
    """
    self._check(id)
    assert amount > 0, "certificates: bad amount"
    multitoken._burn(msg.sender, id, amount)
    log Withdrawn(holder=msg.sender, id=id, amount=amount, to=to)


# -- who may --------------------------------------------------------------------------------------------------


@external
def credit(slot: uint256, member: uint256) -> uint256:
    """
    @notice The contract of credits: turn what a member produced in a slot into avoided emissions, for ever instead of
            certificates.
    @return Wh that the member produced
    """
    assert msg.sender == self.credits, "certificates: not the credits"
    book: uint256 = self.books[slot][member]
    assert book & KNOWN != 0, "certificates: no reading"
    assert not self._isRevoked(slot, member), "certificates: reading revoked"
    assert (book >> CERTIFIED_AT) & LANE == 0, "certificates: has certificates"
    assert book & CREDITED == 0, "certificates: already credited"
    self.books[slot][member] = book | CREDITED
    log Credited(slot=slot, member=member)
    return (book >> PRODUCED_AT) & LANE


@external
def revoke(slot: uint256, member: uint256):
    """
    @notice Gateway: a reading of a direct issue was wrong; what is left of its certificates moves no more, for ever, and
            nothing more is claimed or credited on it.
    """
    assert isDirect, "certificates: issued by root"
    assert msg.sender == self._gateway(), "certificates: not the gateway"
    assert self.books[slot][member] & KNOWN != 0, "certificates: no reading"
    self.revoked[member][slot >> 8] = self.revoked[member][slot >> 8] | (1 << (slot & 255))
    log Revoked(slot=slot, member=member)


@external
def setCredits(account: address):
    """
    @notice Owner of the settlement: name the contract of avoided-emission credits, once and for ever.
    """
    self._onlyOwner()
    assert self.credits == empty(address) and account != empty(address), "certificates: credits are fixed"
    self.credits = account
    log CreditsSet(credits=account)


@external
def setZones(number: uint256, zones: uint256):
    """
    @notice Owner of the settlement: zones of members 32 * number and the 31 after it, eight bits each.
    """
    self._onlyOwner()
    self.zones[number] = zones
    log ZonesSet(number=number, zones=zones)


@external
def setReach(zone: uint256, zones: uint256):
    """
    @notice Owner of the settlement: where a zone's energy can be claimed, beside itself.
    @param zones bitmap of zones
    """
    self._onlyOwner()
    self.reachable[zone] = zones
    log ReachSet(zone=zone, zones=zones)


@external
@view
def getSettlement() -> address:
    """
    @notice Settlement whose members have these certificates.
    """
    return settlement.address


@external
@view
def isLive(id: uint256) -> bool:
    """
    @notice Whether tokens of this id can still move: neither expired nor revoked.
    """
    return self._isLive(id)


# -- internal -----------------------------------------------------------------------------------------------


@internal
@view
def _onlyOwner():
    """
    @dev Refuse everybody but the settlement's owner.
    """
    assert msg.sender == staticcall settlement.owner(), "certificates: not the owner"


@internal
@view
def _gateway() -> address:
    """
    @dev Who signs the community's readings.
    """
    return staticcall Disputes(staticcall settlement.disputes()).gateway()


@internal
@pure
def _id(zone: uint256, slot: uint256, device: uint256) -> uint256:
    """
    @dev Id of a token.
    """
    return (zone << 192) | (slot << 64) | device


@internal
@pure
def _book(consumed: uint256, claimed: uint256, produced: uint256, certified: uint256, zone: uint256) -> uint256:
    """
    @dev Word of a member's slot.
    """
    assert consumed | produced <= LANE, "certificates: too much energy"
    energy: uint256 = consumed | (claimed << CLAIMED_AT) | (produced << PRODUCED_AT) | (certified << CERTIFIED_AT)
    return energy | (zone << ZONE_AT) | KNOWN


@internal
@view
def _zone(member: uint256) -> uint256:
    """
    @dev Zone of a member.
    """
    return (self.zones[member >> 5] >> (8 * (member & 31))) & 255


@internal
@view
def _isLive(id: uint256) -> bool:
    """
    @dev Whether an id has neither expired nor been revoked.
    """
    slot: uint256 = (id >> 64) & FIELD
    if block.timestamp >= (slot + 1) * slotSeconds + validity:
        return False
    return not self._isRevoked(slot, (id & FIELD) >> 1)


@internal
@view
def _isRevoked(slot: uint256, member: uint256) -> bool:
    """
    @dev Whether the gateway took a reading back.
    """
    if not isDirect:
        return False
    return (self.revoked[member][slot >> 8] >> (slot & 255)) & 1 != 0


@internal
def _give(account: address, owner: uint256, id: uint256, amount: uint256):
    """
    @dev New tokens; those of an index that nobody has, or of this contract, wait.
    """
    if account == empty(address) or account == self:
        self.waiting[id][owner] += amount
        log Waiting(id=id, owner=owner, amount=amount)
    else:
        multitoken._mint(account, id, amount)


@internal
@view
def _check(id: uint256):
    """
    @dev Refuse what has come to an end.
    """
    assert self._isLive(id), "certificates: expired or revoked"
