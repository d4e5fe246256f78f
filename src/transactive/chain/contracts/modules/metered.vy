# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Metered
@notice What a market with delivery needs: members of a registry, a clock of slots, and attested readings.
@dev A slot is its start in Unix s, a multiple of `slotSeconds`. Orders end `gateSeconds` before it starts; readings
     count for `window` seconds after it ends; what follows from them can happen from then on.

     A reading is signed by the key that the registry has for the meter (EIP-712, for this contract and this chain
     only), or stated by the operator, in the first half of the window: the meter has the other half to answer. Each meter
     is read once per slot; its own signature replaces a statement of the operator, never the other way round.
"""

interface Registry:
    def owner() -> address: view
    def operator() -> address: view
    def standing(account: address) -> (uint256, uint256): view
    def meterFor(meter: uint256, start: uint256, end: uint256) -> (address, uint256): view
    def metersFor(owner: uint256, start: uint256, end: uint256) -> uint256: view

struct Reading:
    meter: uint256
    exported: uint256  # Wh in the slot
    imported: uint256  # Wh in the slot

struct Change:
    owner: uint256  # index of the meter's owner
    isNew: bool  # whether the meter was not read before
    exported: int256  # Wh more than read before
    imported: int256

DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
READING_TYPE: constant(bytes32) = keccak256("Reading(uint256 meter,uint256 slot,uint256 exported,uint256 imported)")
# Signatures with s above half the curve order are refused (each one has a valid twin).
HALF_ORDER: constant(uint256) = (
    57896044618658097711785492504343953926418782139537452191302581570759080747168
)
ENERGY_END: constant(uint256) = 2**56
LATEST: constant(uint256) = 2**40
IMPORTED_AT: constant(uint256) = 64
SOURCE_AT: constant(uint256) = 128  # 1: operator, 2: meter
FIELD: constant(uint256) = 2**64 - 1

registry: immutable(Registry)
slotSeconds: immutable(uint256)
gateSeconds: immutable(uint256)
window: immutable(uint256)
NAME_HASH: immutable(bytes32)

readings: HashMap[uint256, HashMap[uint256, uint256]]  # slot, meter: exported, imported, source

event ReadingSkipped:
    slot: indexed(uint256)
    meter: indexed(uint256)

event Read:
    slot: indexed(uint256)
    meter: indexed(uint256)
    exported: uint256
    imported: uint256
    signed: bool


@deploy
def __init__(name: String[32], registry_: address, slotSeconds_: uint256, gateSeconds_: uint256, window_: uint256):
    """
    @notice Fix registry and clock for ever.
    @param name of the contract in the EIP-712 domain
    """
    assert registry_ != empty(address), "metered: no registry"
    assert slotSeconds_ > 0 and window_ > 1, "metered: bad clock"
    assert slotSeconds_ + gateSeconds_ + window_ < LATEST, "metered: bad clock"
    registry = Registry(registry_)
    slotSeconds = slotSeconds_
    gateSeconds = gateSeconds_
    window = window_
    NAME_HASH = keccak256(name)


@internal
@view
def _member(account: address) -> (uint256, uint256):
    """
    @dev Index and roles; no roles while suspended.
    """
    number: uint256 = 0
    roles: uint256 = 0
    number, roles = staticcall registry.standing(account)
    assert number > 0, "metered: not a member"
    return number - 1, roles


@internal
@view
def _onlyOwner():
    """
    @dev The registry's owner governs its markets.
    """
    assert msg.sender == staticcall registry.owner(), "metered: not the owner"


@internal
@view
def _onlyOperator():
    """
    @dev The registry's operator operates its markets.
    """
    assert msg.sender == staticcall registry.operator(), "metered: not the operator"


@internal
@view
def _beforeGate(slot: uint256):
    """
    @dev Refuses past and closed slots, and what is no slot.
    """
    assert slot % slotSeconds == 0 and slot < LATEST, "metered: no such slot"
    assert block.timestamp + gateSeconds < slot, "metered: gate closed"


@internal
@view
def _afterWindow(slot: uint256):
    """
    @dev Only when no reading can come any more.
    """
    assert slot < LATEST, "metered: no such slot"
    assert block.timestamp >= slot + slotSeconds + window, "metered: window open"


@internal
@view
def _metersOf(owner: uint256, slot: uint256) -> uint256:
    """
    @dev How many meters measure a member in a slot.
    """
    return staticcall registry.metersFor(owner, slot, slot + slotSeconds)


@internal
def _readSigned(slot: uint256, reading: Reading, v: uint8, r: bytes32, s: bytes32) -> Change:
    """
    @dev Take a reading that its meter signed.
    """
    assert convert(s, uint256) <= HALF_ORDER, "metered: malleable signature"
    key: address = empty(address)
    owner: uint256 = 0
    key, owner = staticcall registry.meterFor(reading.meter, slot, slot + slotSeconds)
    digest: bytes32 = keccak256(concat(
        b"\x19\x01",
        self._domainSeparator(),
        keccak256(abi_encode(READING_TYPE, reading.meter, slot, reading.exported, reading.imported)),
    ))
    # no key is the zero address, so a signature of nobody cannot match
    assert ecrecover(digest, v, r, s) == key, "metered: bad signature"
    return self._record(slot, reading, owner, True)


@internal
def _readStated(slot: uint256, reading: Reading) -> Change:
    """
    @dev Take a reading that the operator states while its meter has time to answer; the caller checks that it is the
         operator.
    """
    assert block.timestamp < slot + slotSeconds + window // 2, "metered: statements closed"
    key: address = empty(address)
    owner: uint256 = 0
    key, owner = staticcall registry.meterFor(reading.meter, slot, slot + slotSeconds)
    return self._record(slot, reading, owner, False)


@internal
def _isKnown(slot: uint256, meter: uint256) -> bool:
    """
    @dev Whether a meter was read already; reported, because whoever states many goes on without it.
    """
    isKnown: bool = self.readings[slot][meter] != 0
    if isKnown:
        log ReadingSkipped(slot=slot, meter=meter)
    return isKnown


@internal
def _record(slot: uint256, reading: Reading, owner: uint256, signed: bool) -> Change:
    """
    @dev Keep a reading; gives what it adds to the one before.
    """
    assert block.timestamp >= slot + slotSeconds, "metered: slot not over"
    assert block.timestamp < slot + slotSeconds + window, "metered: window over"
    assert reading.exported < ENERGY_END and reading.imported < ENERGY_END, "metered: bad reading"
    before: uint256 = self.readings[slot][reading.meter]
    source: uint256 = 2 if signed else 1
    assert source > before >> SOURCE_AT, "metered: reading known"
    word: uint256 = reading.exported | (reading.imported << IMPORTED_AT) | (source << SOURCE_AT)
    self.readings[slot][reading.meter] = word
    log Read(
        slot=slot, meter=reading.meter, exported=reading.exported, imported=reading.imported, signed=signed
    )
    return Change(
        owner=owner,
        isNew=before == 0,
        exported=convert(reading.exported, int256) - convert(before & FIELD, int256),
        imported=convert(reading.imported, int256) - convert((before >> IMPORTED_AT) & FIELD, int256),
    )


@internal
@view
def _domainSeparator() -> bytes32:
    """
    @dev Computed at each use, so that a chain split makes old signatures worthless on the new chain.
    """
    return keccak256(abi_encode(DOMAIN_TYPE, NAME_HASH, keccak256("1"), chain.id, self))


@external
@view
def getRegistry() -> address:
    """
    @notice Registry of members and meters.
    """
    return registry.address


@external
@view
def getClock() -> (uint256, uint256, uint256):
    """
    @notice Seconds of a slot, from gate to start, and from the end until nothing more is read.
    """
    return slotSeconds, gateSeconds, window


@external
@view
def getReading(slot: uint256, meter: uint256) -> (uint256, uint256, uint256):
    """
    @notice Wh exported, Wh imported, and who says so: 0 nobody, 1 the operator, 2 the meter.
    """
    word: uint256 = self.readings[slot][meter]
    return word & FIELD, (word >> IMPORTED_AT) & FIELD, word >> SOURCE_AT


@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    """
    @notice EIP-712 domain of this contract on the current chain.
    """
    return self._domainSeparator()
