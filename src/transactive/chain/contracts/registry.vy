# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Registry
@notice Who takes part: members with a stable index and roles, their meters, and who runs the market.
@dev Market contracts are given this address when they are deployed and ask here; nothing inherits it. They keep
     their books by index, so that a member who lost its key finds everything again under a new one. A settlement that
     takes its members from here does the same with money and certificates (`follow` there).

     ENFORCED
       - an index is given once and never to anybody else; an account has one index at a time
       - a lost key is replaced only after `delay`, only by the new key itself, and not against the member's veto;
         a suspended member can veto too; a place entered as FIXED is never given to another account: a contract has no
         key to lose, and could not veto
       - suspending stops what a member could begin, never what it could end: markets let it cancel and withdraw
       - the owner changes in two steps, and so does the operator
     DETECTABLE
       - a registrar that again and again tries to replace a key that is not lost: each try is an event, and each
         can be vetoed for `delay` seconds
     TRUSTED
       - the registrar, for who is a member, with which roles, and which key sits in which meter at which node; it
         can end a meter at any time, so it could keep readings out, but it cannot sign one
       - a key that is stolen, not lost: the thief can veto as well; the registrar can only suspend the member
     PRIVACY: accounts, roles, and which meter is whose, are public. Names are not here.
"""

struct Meter:
    key: address  # signs the readings
    owner: uint256  # index of the member
    node: uint256  # node of the network
    validFrom: uint256  # Unix s
    validUntil: uint256  # Unix s, exclusive

struct Recovery:
    candidate: address
    readyAt: uint256

PRODUCER: public(constant(uint256)) = 1
CONSUMER: public(constant(uint256)) = 2
STORAGE: public(constant(uint256)) = 4
ALL_ROLES: constant(uint256) = 7
FIXED: public(constant(uint256)) = 8  # beside the roles, for ever: for a contract, such as a group's link
MAX_METERS: constant(uint256) = 16  # of one member
KEPT: constant(uint256) = 90 * 86400  # seconds an ended meter stays in its owner's list: no slot is settled so late

# a member in one word: index plus one, roles, whether suspended
ROLES_AT: constant(uint256) = 128
SUSPENDED_AT: constant(uint256) = 160
NUMBER: constant(uint256) = 2**128 - 1
# a meter in two words: key, owner, node; and the two dates
OWNER_AT: constant(uint256) = 160
NODE_AT: constant(uint256) = 192
UNTIL_AT: constant(uint256) = 64
FIELD: constant(uint256) = 2**64 - 1
OWNER_MASK: constant(uint256) = 2**32 - 1
KEY_MASK: constant(uint256) = 2**160 - 1

delay: public(immutable(uint256))

owner: public(address)
pendingOwner: public(address)
operator: public(address)
pendingOperator: public(address)
registrar: public(address)
memberCount: public(uint256)
accountOf: public(HashMap[uint256, address])
recoveries: public(HashMap[uint256, Recovery])
meterCount: public(uint256)
meterOfKey: public(HashMap[address, uint256])  # number of the meter plus one
members: HashMap[address, uint256]
meterKeys: HashMap[uint256, uint256]
meterDates: HashMap[uint256, uint256]
metersOf: HashMap[uint256, DynArray[uint256, MAX_METERS]]

event Registered:
    account: indexed(address)
    index: indexed(uint256)
    roles: uint256

event RolesSet:
    index: indexed(uint256)
    roles: uint256

event SuspensionSet:
    index: indexed(uint256)
    suspended: bool

event RecoveryStarted:
    index: indexed(uint256)
    candidate: indexed(address)
    readyAt: uint256

event RecoveryStopped:
    index: indexed(uint256)
    by: indexed(address)

event Recovered:
    index: indexed(uint256)
    previous: indexed(address)
    account: indexed(address)

event MeterAdded:
    meter: indexed(uint256)
    owner: indexed(uint256)
    key: indexed(address)
    node: uint256
    validFrom: uint256
    validUntil: uint256

event MeterEnded:
    meter: indexed(uint256)
    validUntil: uint256

event RoleSet:
    role: indexed(String[16])
    account: indexed(address)


@deploy
def __init__(delay_: uint256):
    """
    @notice Create an empty registry; the deployer becomes owner.
    @param delay_ seconds in which a member can veto the replacement of its key
    """
    assert delay_ > 0, "registry: no delay"
    delay = delay_
    self.owner = msg.sender
    log RoleSet(role="owner", account=msg.sender)


# -- members ----------------------------------------------------------------------------------------------


@external
def register(account: address, roles: uint256) -> uint256:
    """
    @notice Registrar: give `account` the next index.
    @param roles sum of PRODUCER, CONSUMER and STORAGE; zero for who only settles, such as a supplier; FIXED for a contract
    @return index of the member
    """
    self._onlyRegistrar()
    assert account != empty(address), "registry: no account"
    assert self.members[account] == 0, "registry: already a member"
    assert roles <= ALL_ROLES or roles == FIXED, "registry: bad roles"
    index: uint256 = self.memberCount
    self.members[account] = index + 1 | (roles << ROLES_AT)
    self.accountOf[index] = account
    self.memberCount = index + 1
    log Registered(account=account, index=index, roles=roles)
    return index


@external
def setRoles(index: uint256, roles: uint256):
    """
    @notice Registrar: change what a member may do.
    """
    self._onlyRegistrar()
    assert roles <= ALL_ROLES, "registry: bad roles"
    account: address = self._account(index)
    kept: uint256 = self.members[account] & ~(ALL_ROLES << ROLES_AT)
    self.members[account] = kept | (roles << ROLES_AT)
    log RolesSet(index=index, roles=roles)


@external
def suspend(index: uint256):
    """
    @notice Registrar: keep a member from beginning anything; what it has, it can still end and withdraw.
    """
    self._onlyRegistrar()
    account: address = self._account(index)
    assert not self._suspended(account), "registry: suspended already"
    self.members[account] |= 1 << SUSPENDED_AT
    log SuspensionSet(index=index, suspended=True)


@external
def readmit(index: uint256):
    """
    @notice Registrar: end a suspension; roles are as they were.
    """
    self._onlyRegistrar()
    account: address = self._account(index)
    assert self._suspended(account), "registry: not suspended"
    self.members[account] &= ~(1 << SUSPENDED_AT)
    log SuspensionSet(index=index, suspended=False)


# -- lost keys --------------------------------------------------------------------------------------------


@external
def startRecovery(index: uint256, candidate: address):
    """
    @notice Registrar: announce a new key for a member who lost its own; a new announcement replaces the old one
            and waits the whole delay again.
    """
    self._onlyRegistrar()
    word: uint256 = self.members[self._account(index)]
    assert (word >> ROLES_AT) & FIXED == 0, "registry: place is fixed"
    assert candidate != empty(address), "registry: no account"
    assert self.members[candidate] == 0, "registry: already a member"
    readyAt: uint256 = block.timestamp + delay
    self.recoveries[index] = Recovery(candidate=candidate, readyAt=readyAt)
    log RecoveryStarted(index=index, candidate=candidate, readyAt=readyAt)


@external
def stopRecovery(index: uint256):
    """
    @notice The member's veto, possible until the new key has taken over; the registrar can take back its own error.
    """
    assert msg.sender == self._account(index) or msg.sender == self.registrar, "registry: not allowed"
    assert self.recoveries[index].candidate != empty(address), "registry: nothing to stop"
    self.recoveries[index] = empty(Recovery)
    log RecoveryStopped(index=index, by=msg.sender)


@external
def finishRecovery(index: uint256):
    """
    @notice The new key takes over the member's index after the delay; the old account is a stranger from then on.
    """
    pending: Recovery = self.recoveries[index]
    assert msg.sender == pending.candidate, "registry: not the candidate"
    assert block.timestamp >= pending.readyAt, "registry: delay running"
    assert self.members[msg.sender] == 0, "registry: already a member"
    previous: address = self.accountOf[index]
    self.members[msg.sender] = self.members[previous]
    self.members[previous] = 0
    self.accountOf[index] = msg.sender
    self.recoveries[index] = empty(Recovery)
    log Recovered(index=index, previous=previous, account=msg.sender)


# -- meters -----------------------------------------------------------------------------------------------


@external
def addMeter(owner: uint256, key: address, node: uint256, validFrom: uint256, validUntil: uint256) -> uint256:
    """
    @notice Registrar: enter a meter. A new key, owner or node is a new meter.
    @param owner index of the member whose energy it measures
    @param key account that signs its readings
    @param node of the network, below 2**64
    @param validFrom first second of the slots it counts for, Unix s
    @param validUntil end of the slots it counts for, Unix s
    @return number of the meter
    """
    self._onlyRegistrar()
    self._account(owner)
    assert key != empty(address) and self.meterOfKey[key] == 0, "registry: bad key"
    assert node <= FIELD, "registry: bad node"
    assert validFrom < validUntil and validUntil <= FIELD, "registry: bad dates"
    if len(self.metersOf[owner]) == MAX_METERS:
        self._prune(owner)
    assert len(self.metersOf[owner]) < MAX_METERS, "registry: too many meters"
    meter: uint256 = self.meterCount
    self.meterCount = meter + 1
    self.meterOfKey[key] = meter + 1
    self.meterKeys[meter] = convert(key, uint256) | (owner << OWNER_AT) | (node << NODE_AT)
    self.meterDates[meter] = validFrom | (validUntil << UNTIL_AT)
    self.metersOf[owner].append(meter)
    log MeterAdded(
        meter=meter, owner=owner, key=key, node=node, validFrom=validFrom, validUntil=validUntil
    )
    return meter


@external
def endMeter(meter: uint256, validUntil: uint256):
    """
    @notice Registrar: end a meter earlier than said before, also in the past; never later. One that ends where it
            begins never counts.
    """
    self._onlyRegistrar()
    found: Meter = self._meter(meter)
    assert found.validFrom <= validUntil and validUntil < found.validUntil, "registry: bad dates"
    self.meterDates[meter] = found.validFrom | (validUntil << UNTIL_AT)
    log MeterEnded(meter=meter, validUntil=validUntil)


# -- roles of the market ----------------------------------------------------------------------------------


@external
def setRegistrar(account: address):
    """
    @notice Owner: name the registrar.
    """
    self._onlyOwner()
    self.registrar = account
    log RoleSet(role="registrar", account=account)


@external
def offerOperator(candidate: address):
    """
    @notice Owner: first step of an operator change; the old one works on until the new one accepts.
    """
    self._onlyOwner()
    self.pendingOperator = candidate


@external
def acceptOperator():
    """
    @notice Second step: the candidate becomes operator.
    """
    assert msg.sender == self.pendingOperator, "registry: not the candidate"
    self.operator = msg.sender
    self.pendingOperator = empty(address)
    log RoleSet(role="operator", account=msg.sender)


@external
def offerOwnership(candidate: address):
    """
    @notice Owner: first step of an owner change.
    """
    self._onlyOwner()
    self.pendingOwner = candidate


@external
def acceptOwnership():
    """
    @notice Second step: the candidate becomes owner.
    """
    assert msg.sender == self.pendingOwner, "registry: not the candidate"
    self.owner = msg.sender
    self.pendingOwner = empty(address)
    log RoleSet(role="owner", account=msg.sender)


# -- views ------------------------------------------------------------------------------------------------


@external
@view
def standing(account: address) -> (uint256, uint256):
    """
    @notice What a market asks about a caller.
    @return index plus one, zero for a stranger; roles, zero while suspended
    """
    word: uint256 = self.members[account]
    if word >> SUSPENDED_AT != 0:
        return word & NUMBER, 0
    return word & NUMBER, (word >> ROLES_AT) & ALL_ROLES


@external
@view
def rolesOf(index: uint256) -> uint256:
    """
    @notice Roles of a member, also while it is suspended.
    """
    return (self.members[self._account(index)] >> ROLES_AT) & ALL_ROLES


@external
@view
def isSuspended(index: uint256) -> bool:
    """
    @notice Whether a member is suspended.
    """
    return self._suspended(self._account(index))


@external
@view
def meters(meter: uint256) -> Meter:
    """
    @notice All about a meter.
    """
    return self._meter(meter)


@external
@view
def meterFor(meter: uint256, start: uint256, end: uint256) -> (address, uint256):
    """
    @notice Key and owner of a meter that is valid from `start` to `end`, Unix s.
    """
    found: Meter = self._meter(meter)
    assert found.validFrom <= start and end <= found.validUntil, "registry: meter not valid then"
    return found.key, found.owner


@external
@view
def metersFor(owner: uint256, start: uint256, end: uint256) -> uint256:
    """
    @notice How many meters of a member are valid from `start` to `end`, Unix s.
    """
    count: uint256 = 0
    for meter: uint256 in self.metersOf[owner]:
        dates: uint256 = self.meterDates[meter]
        if dates & FIELD <= start and end <= dates >> UNTIL_AT:
            count += 1
    return count


# -- internal ---------------------------------------------------------------------------------------------


@internal
@view
def _onlyOwner():
    """
    @dev Refuses everybody else.
    """
    assert msg.sender == self.owner, "registry: not the owner"


@internal
@view
def _onlyRegistrar():
    """
    @dev Refuses everybody else.
    """
    assert msg.sender == self.registrar, "registry: not the registrar"


@internal
@view
def _account(index: uint256) -> address:
    """
    @dev Account of an index that was given.
    """
    account: address = self.accountOf[index]
    assert account != empty(address), "registry: no such member"
    return account


@internal
@view
def _suspended(account: address) -> bool:
    """
    @dev Whether the member's flag is set.
    """
    return self.members[account] >> SUSPENDED_AT != 0


@internal
@view
def _meter(meter: uint256) -> Meter:
    """
    @dev A meter from its two words.
    """
    assert meter < self.meterCount, "registry: no such meter"
    word: uint256 = self.meterKeys[meter]
    dates: uint256 = self.meterDates[meter]
    return Meter(
        key=convert(convert(word & KEY_MASK, uint160), address),
        owner=(word >> OWNER_AT) & OWNER_MASK,
        node=word >> NODE_AT,
        validFrom=dates & FIELD,
        validUntil=dates >> UNTIL_AT,
    )


@internal
def _prune(owner: uint256):
    """
    @dev Take meters that ended long ago, or never count, from their owner's list.
    """
    kept: DynArray[uint256, MAX_METERS] = []
    for meter: uint256 in self.metersOf[owner]:
        dates: uint256 = self.meterDates[meter]
        until: uint256 = dates >> UNTIL_AT
        if until + KEPT > block.timestamp and until > dates & FIELD:
            kept.append(meter)
    self.metersOf[owner] = kept
