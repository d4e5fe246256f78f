# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Signed
@notice Orders, grants and receipts as EIP-712 typed data, and who signed them.
@dev An order is a member's whole book for one slot: a later one replaces it. It is signed by the member, or by an agent
     key that the member's grant allows within limits. The operator answers with a receipt, for which it signs alone or
     once for all receipts of a gate: the root of their tree, to which each receipt has its way (`_acceptor`). The domain
     names chain and settlement contract, so that nothing signed counts on another one:

         EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)
         Order(uint256 account,uint256 slot,uint256 serial,int256[] buyPrices,uint256[] buyEnergies,
               int256[] sellPrices,uint256[] sellEnergies)
         Grant(uint256 account,address agent,int256 highestBuy,int256 lowestSell,uint256 largestEnergy,
               uint256 validUntil)
         Receipt(uint256 account,uint256 slot,bytes32 order)
         Receipts(bytes32 root)
         Readings(uint256 slot,uint256 meters,bytes32 root,uint256 totals)     in the gateway's own domain
         Received(uint256 slot,uint256 meter,uint256 time)                     as well
         Issue(uint256 slot,uint256[] registers,uint256 spared)                in that of the certificates
"""

struct Order:
    account: uint256  # index of the member
    slot: uint256
    serial: uint256
    buyPrices: DynArray[int256, MAX_POINTS]  # n¤/Wh, the most it pays; never rising
    buyEnergies: DynArray[uint256, MAX_POINTS]  # Wh
    sellPrices: DynArray[int256, MAX_POINTS]  # n¤/Wh, the least it takes; never falling
    sellEnergies: DynArray[uint256, MAX_POINTS]  # Wh

struct Fill:
    price: int256  # n¤/Wh
    energy: uint256  # Wh

struct Grant:
    account: uint256
    agent: address
    highestBuy: int256
    lowestSell: int256
    largestEnergy: uint256  # Wh in a slot, each way
    validUntil: uint256  # Unix s, end of the last slot

struct Signature:
    v: uint8
    r: bytes32
    s: bytes32

struct Entry:
    order: bytes32  # hash of the order's struct
    signature: Signature  # of the member, or of its agent
    grant: bytes32  # hash of the grant's struct; zero if the member signed itself
    granted: Signature  # of the member, for the grant

struct Receipt:
    signature: Signature  # of the operator
    way: DynArray[bytes32, MAX_WAY]  # siblings from the receipt up to the root that was signed; none: signed alone

MAX_POINTS: constant(uint256) = 64
MAX_WAY: constant(uint256) = 16
MAX_ENTRIES: constant(uint256) = 8
ENERGY: constant(uint256) = 2**63 - 1
DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
ORDER_TYPE: constant(bytes32) = keccak256(
    "Order(uint256 account,uint256 slot,uint256 serial,int256[] buyPrices,uint256[] buyEnergies,int256[] sellPrices,uint256[] sellEnergies)"
)
GRANT_TYPE: constant(bytes32) = keccak256(
    "Grant(uint256 account,address agent,int256 highestBuy,int256 lowestSell,uint256 largestEnergy,uint256 validUntil)"
)
RECEIPT_TYPE: constant(bytes32) = keccak256("Receipt(uint256 account,uint256 slot,bytes32 order)")
RECEIPTS_TYPE: constant(bytes32) = keccak256("Receipts(bytes32 root)")
METERING_DOMAIN_TYPE: constant(bytes32) = keccak256("EIP712Domain(string name,string version,uint256 chainId)")
READINGS_TYPE: constant(bytes32) = keccak256("Readings(uint256 slot,uint256 meters,bytes32 root,uint256 totals)")
RECEIVED_TYPE: constant(bytes32) = keccak256("Received(uint256 slot,uint256 meter,uint256 time)")
ISSUE_TYPE: constant(bytes32) = keccak256("Issue(uint256 slot,uint256[] registers,uint256 spared)")
# Signatures with s above half the curve order are refused (each one has a valid twin).
HALF_ORDER: constant(uint256) = (
    57896044618658097711785492504343953926418782139537452191302581570759080747168
)


@internal
@pure
def _orderHash(order: Order) -> bytes32:
    """
    @dev Hash of an order's struct.
    """
    return keccak256(abi_encode(
        ORDER_TYPE,
        order.account,
        order.slot,
        order.serial,
        keccak256(slice(abi_encode(order.buyPrices), 64, 32 * len(order.buyPrices))),
        keccak256(slice(abi_encode(order.buyEnergies), 64, 32 * len(order.buyEnergies))),
        keccak256(slice(abi_encode(order.sellPrices), 64, 32 * len(order.sellPrices))),
        keccak256(slice(abi_encode(order.sellEnergies), 64, 32 * len(order.sellEnergies))),
    ))


@internal
@pure
def _grantHash(grant: Grant) -> bytes32:
    """
    @dev Hash of a grant's struct.
    """
    return keccak256(abi_encode(GRANT_TYPE, grant))


@internal
@pure
def _entriesHash(entries: DynArray[Entry, MAX_ENTRIES]) -> bytes32:
    """
    @dev Hash over all orders that were accepted of a member for a slot, oldest first; zero without any.
    """
    if len(entries) == 0:
        return empty(bytes32)
    return sha256(concat(b"\x03", slice(abi_encode(entries), 64, 256 * len(entries))))


@internal
@view
def _signer(settlement: address, structHash: bytes32, signature: Signature) -> address:
    """
    @dev Who signed for a settlement contract on this chain; zero if nobody can have.
    """
    domain: bytes32 = keccak256(
        abi_encode(DOMAIN_TYPE, keccak256("TransActive Settlement"), keccak256("1"), chain.id, settlement)
    )
    return self._recover(domain, structHash, signature)


@internal
@view
def _acceptor(settlement: address, account: uint256, slot: uint256, order: bytes32, receipt: Receipt) -> address:
    """
    @dev Who signed that an order, given by its hash, was accepted; zero if nobody can have. In the tree of a gate the
         lower hash of a pair comes first. The first sibling of each receipt is the hash of its order's signature, which
         others do not know: nobody finds out what stands beside it by trying.
    """
    node: bytes32 = keccak256(abi_encode(RECEIPT_TYPE, account, slot, order))
    if len(receipt.way) == 0:
        return self._signer(settlement, node, receipt.signature)
    for sibling: bytes32 in receipt.way:
        if convert(node, uint256) < convert(sibling, uint256):
            node = sha256(concat(b"\x05", node, sibling))
        else:
            node = sha256(concat(b"\x05", sibling, node))
    return self._signer(settlement, keccak256(abi_encode(RECEIPTS_TYPE, node)), receipt.signature)


@internal
@view
def _gateway(
    slot: uint256, meters: uint256, root: bytes32, totals: uint256, signature: Signature
) -> address:
    """
    @dev Who signed the readings of a slot, given by its start in Unix s, on this chain.
    """
    return self._metering(keccak256(abi_encode(READINGS_TYPE, slot, meters, root, totals)), signature)


@internal
@view
def _collector(slot: uint256, meter: uint256, time: uint256, signature: Signature) -> address:
    """
    @dev Who signed that a meter's record of a slot, given by its start in Unix s, was on disk at a time [Unix s].
    """
    return self._metering(keccak256(abi_encode(RECEIVED_TYPE, slot, meter, time)), signature)


@internal
@view
def _metering(structHash: bytes32, signature: Signature) -> address:
    """
    @dev Who signed as a gateway of this chain; zero if nobody can have.
    """
    domain: bytes32 = keccak256(
        abi_encode(METERING_DOMAIN_TYPE, keccak256("TransActive Metering"), keccak256("1"), chain.id)
    )
    return self._recover(domain, structHash, signature)


@internal
@view
def _issuer(slot: uint256, registers: bytes32, spared: uint256, signature: Signature) -> address:
    """
    @dev Who signed the packed registers of all meters in a slot, given by their hash, and which members get no
         certificates for them, for this contract on this chain.
    """
    domain: bytes32 = keccak256(
        abi_encode(DOMAIN_TYPE, keccak256("TransActive Certificates"), keccak256("1"), chain.id, self)
    )
    return self._recover(domain, keccak256(abi_encode(ISSUE_TYPE, slot, registers, spared)), signature)


@internal
@pure
def _recover(domain: bytes32, structHash: bytes32, signature: Signature) -> address:
    """
    @dev Signer of an EIP-712 digest.
    """
    if convert(signature.s, uint256) > HALF_ORDER:
        return empty(address)
    return ecrecover(keccak256(concat(b"\x19\x01", domain, structHash)), signature.v, signature.r, signature.s)


@internal
@pure
def _isMeant(order: Order) -> bool:
    """
    @dev Whether every price has its energy, in numbers that can be added, and the best steps come first.
    """
    if len(order.buyPrices) != len(order.buyEnergies) or len(order.sellPrices) != len(order.sellEnergies):
        return False
    i: uint256 = 0
    for energy: uint256 in order.buyEnergies:
        if energy > ENERGY or (i > 0 and order.buyPrices[i] > order.buyPrices[i - 1]):
            return False
        i += 1
    i = 0
    for energy: uint256 in order.sellEnergies:
        if energy > ENERGY or (i > 0 and order.sellPrices[i] < order.sellPrices[i - 1]):
            return False
        i += 1
    return True


@internal
@pure
def _fillsHash(buys: DynArray[Fill, MAX_POINTS], sells: DynArray[Fill, MAX_POINTS]) -> bytes32:
    """
    @dev Hash of what a member traded in a slot: dearest purchases and cheapest sales first; zero for nothing.
    """
    if len(buys) + len(sells) == 0:
        return empty(bytes32)
    return sha256(concat(
        b"\x04",
        convert(len(buys), bytes32),
        slice(abi_encode(buys), 64, 64 * len(buys)),
        slice(abi_encode(sells), 64, 64 * len(sells)),
    ))


@internal
@pure
def _energyOf(fills: DynArray[Fill, MAX_POINTS]) -> uint256:
    """
    @dev Wh of all fills; more than any lane holds if one of them has more.
    """
    total: uint256 = 0
    for fill: Fill in fills:
        if fill.energy > ENERGY:
            return max_value(uint256)
        total += fill.energy
    return total


@internal
@pure
def _coversBuys(order: Order, fills: DynArray[Fill, MAX_POINTS]) -> bool:
    """
    @dev Whether at every price an order wanted as much as was bought at it or above.
    """
    wanted: uint256 = 0
    bought: uint256 = 0
    j: uint256 = 0
    last: int256 = max_value(int256)
    for fill: Fill in fills:
        if fill.price > last:
            return False
        last = fill.price
        for k: uint256 in range(MAX_POINTS):
            if j >= len(order.buyPrices) or order.buyPrices[j] < fill.price:
                break
            wanted += order.buyEnergies[j]
            j += 1
        bought += fill.energy
        if bought > wanted:
            return False
    return True


@internal
@pure
def _coversSells(order: Order, fills: DynArray[Fill, MAX_POINTS]) -> bool:
    """
    @dev Whether at every price an order offered as much as was sold at it or below.
    """
    offered: uint256 = 0
    sold: uint256 = 0
    j: uint256 = 0
    last: int256 = min_value(int256)
    for fill: Fill in fills:
        if fill.price < last:
            return False
        last = fill.price
        for k: uint256 in range(MAX_POINTS):
            if j >= len(order.sellPrices) or order.sellPrices[j] > fill.price:
                break
            offered += order.sellEnergies[j]
            j += 1
        sold += fill.energy
        if sold > offered:
            return False
    return True


@internal
@pure
def _isWithin(order: Order, grant: Grant, end: uint256) -> bool:
    """
    @dev Whether an agent's order keeps to its grant; `end` of the order's slot in Unix s.
    """
    if order.account != grant.account or end > grant.validUntil:
        return False
    total: uint256 = 0
    i: uint256 = 0
    for limit: int256 in order.buyPrices:
        if limit > grant.highestBuy:
            return False
        total += order.buyEnergies[i]
        i += 1
    if total > grant.largestEnergy:
        return False
    total = 0
    i = 0
    for limit: int256 in order.sellPrices:
        if limit < grant.lowestSell:
            return False
        total += order.sellEnergies[i]
        i += 1
    return total <= grant.largestEnergy
