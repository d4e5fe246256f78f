# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Deals
@notice Judges whether the operator settled the deals that two members signed with each other and that it saw in time.
@dev A deal is a buyer's bid (at most so much, from one seller, at a price) and the seller's award (so much of it). Both sign
     with keys of the slot. The operator's allowance says how much each key may buy and sell in the slot, and hides whose
     key it is: keccak256(index | salt), which a challenge opens for its own side. All in the settlement's domain:

         Bid(uint256 slot,uint256 round,address buyer,address seller,uint256 most,int256 price,uint256 serial)
         Award(bytes32 bid,uint256 energy)
         Allowance(uint256 slot,address key,bytes32 member,uint256 mostBought,uint256 mostSold)
         DealReceipt(bytes32 deal)                                 the operator's; a deal's hash is that of its award

     PROVABLE, at the operator's cost, as in `disputes.vy` and by way of `judges.vy`
       - `challengeDeals`: deals that a member's leaf does not trade, if the operator's receipt accepts them, or if they were
         posted here in time (forced inclusion: nobody can keep a deal out) by keys with allowances
     SHOWN, at the cost of who signed
       - `showTwice`: two awards for one bid, or two bids with one serial. Of two awards the one that was posted first stays
       - `showBeyond`: deals of a key beyond its allowance. What was posted last is void
       - `bar`: whose key it was; what this member posts binds nobody for some time
     An honest operator is never convicted. It gives an allowance only against an accepted order that covers as much at every
     price from `lowest` to `highest`, and a receipt only within the allowance; it settles what was posted, and until the slot
     ends it shows what goes beyond. A deal that it has not receipted, of a key without an allowance, was never seen.
     NOT PROVABLE
       - an award that its seller keeps from the buyer; an allowance that was not given: who has none trades in the auction
       - an omitted deal, where as much was traded at the same price in the auction, or of a member with more deals at one
         price than a call holds: its partners have few, and what all buy and sell adds up in public
       - a buyer that loses a posted deal because its seller and the operator show another one that the operator receipted
     TRUSTED: receipts and allowances count by who was operator when the slot began
     PRIVACY: a post shows a deal and two keys of the slot, which nothing links to a member; a challenge shows the leaf,
     trades and key of who starts it; `bar` the index of who cheated.
"""

from modules import commitments
from modules import leaves
from modules import signed

interface Settlement:
    def depth() -> uint256: view
    def slotSeconds() -> uint256: view

interface Disputes:
    def wasOperator(account: address, time: uint256) -> bool: view

interface Judges:
    def getDisputes() -> address: view
    def getSettlement() -> address: view

struct Terms:
    slot: uint256
    round: uint256
    buyer: address  # keys of the slot
    seller: address
    most: uint256  # Wh that were bid
    price: int256  # n¤/Wh
    serial: uint256
    energy: uint256  # Wh that were awarded

struct Deal:
    terms: Terms
    bid: signed.Signature  # of the buyer
    award: signed.Signature  # of the seller

struct Allowance:
    key: address
    member: bytes32  # keccak256(index | salt)
    mostBought: uint256  # Wh in the slot
    mostSold: uint256
    signature: signed.Signature  # of the operator

struct Claim:  # a deal of the member that is shown, at the price that is shown
    round: uint256
    partner: address
    most: uint256
    serial: uint256
    energy: uint256
    isReceipted: bool  # else it was posted
    signature: signed.Signature  # of the operator: its receipt; of a posted deal, the partner's allowance
    member: bytes32  # in that allowance, as the next two
    mostBought: uint256
    mostSold: uint256

struct Count:
    energy: uint256  # Wh
    postedAt: uint256  # of the deal that was counted last

MOST: constant(uint256) = 16
HEAD: constant(uint256) = 33  # of what is hashed of trades: its mark, and how many are purchases
STEP: constant(uint256) = 64
TRADES: constant(uint256) = HEAD + STEP * 2 * signed.MAX_POINTS
CONVICT: constant(Bytes[4]) = method_id(
    "convict((bytes32,(uint256,bytes32,bytes32,uint256,uint256),bytes32[]),address)"
)
VOID: constant(uint256) = max_value(uint256)
BARRED: constant(uint256) = 30 * 86400
BID_TYPE: constant(bytes32) = keccak256(
    "Bid(uint256 slot,uint256 round,address buyer,address seller,uint256 most,int256 price,uint256 serial)"
)
AWARD_TYPE: constant(bytes32) = keccak256("Award(bytes32 bid,uint256 energy)")
ALLOWANCE_TYPE: constant(bytes32) = keccak256(
    "Allowance(uint256 slot,address key,bytes32 member,uint256 mostBought,uint256 mostSold)"
)
# not a receipt of an order: `challengeOmission` would find none in the leaf
RECEIPT_TYPE: constant(bytes32) = keccak256("DealReceipt(bytes32 deal)")

judges: immutable(Judges)
disputes: immutable(Disputes)
settlement: immutable(address)
depth: immutable(uint256)
slotSeconds: immutable(uint256)
ahead: public(immutable(uint256))
lowest: public(immutable(int256))
highest: public(immutable(int256))

postedAt: public(HashMap[bytes32, uint256])  # by hash of the deal, Unix s
counts: public(HashMap[address, HashMap[bool, Count]])  # by key, as buyer or as seller: what was shown of its deals
isCounted: public(HashMap[bytes32, HashMap[bool, bool]])  # by hash of the bid, of its buyer or of its seller
cheatedAt: public(HashMap[address, uint256])  # by key, Unix s, once it was shown
barred: public(HashMap[uint256, uint256])  # by index: Unix s from which on its posts bind nobody, for `BARRED`

event Posted:
    slot: indexed(uint256)
    hash: indexed(bytes32)
    deal: Deal

event Cheated:
    key: indexed(address)
    slot: indexed(uint256)

event Voided:
    slot: indexed(uint256)
    hash: indexed(bytes32)

event Barred:
    index: indexed(uint256)
    since: uint256


@deploy
def __init__(judges_: address, ahead_: uint256, lowest_: int256, highest_: int256):
    """
    @notice Judge for the settlement of `judges_`; it counts once its owner has named it there.
    @param ahead_ seconds before its slot begins until which a deal can be posted: the way from gate to delivery where an
           auction trades the rest
    @param lowest_ least price of a deal that can be posted, n¤/Wh
    @param highest_ largest price
    """
    assert lowest_ <= highest_, "deals: bad prices"
    judges = Judges(judges_)
    disputes = Disputes(staticcall judges.getDisputes())
    settlement = staticcall judges.getSettlement()
    depth = staticcall Settlement(settlement).depth()
    slotSeconds = staticcall Settlement(settlement).slotSeconds()
    ahead = ahead_
    lowest = lowest_
    highest = highest_


@external
def post(deal: Deal):
    """
    @notice Show the operator a deal that it does not answer; anybody, in time.
    """
    terms: Terms = deal.terms
    assert block.timestamp + ahead < terms.slot * slotSeconds, "deals: too late"
    assert lowest <= terms.price and terms.price <= highest, "deals: price beyond the market"
    hash: bytes32 = self._signed(deal)
    assert self.postedAt[hash] == 0, "deals: posted already"
    self.postedAt[hash] = block.timestamp
    log Posted(slot=terms.slot, hash=hash, deal=deal)


@external
def challengeDeals(
    opening: commitments.Opening,
    shown: commitments.Shown,
    trades: Bytes[TRADES],
    own: Allowance,
    salt: bytes32,
    isBuyer: bool,
    price: int256,
    claims: DynArray[Claim, MOST],
):
    """
    @notice Show deals of one member at one price that its leaf trades less of.
    @param trades what the leaf's hash of trades was made of (`signed.vy`); empty without any
    @param own allowance of the member's key
    @param salt that opens it
    @param isBuyer whether the member buys in all of them, or sells
    @param claims of rising hash, so that none counts twice
    """
    assert commitments._climb(shown, depth)[0] == opening.commitment.root, "deals: bad proof"
    if shown.isBlank:
        assert len(trades) == 0, "deals: other fills"
    else:
        assert not leaves._has(shown.leaf, leaves.VOID), "deals: no fraud shown"
        traded: bytes32 = empty(bytes32)
        if len(trades) > 0:
            assert slice(trades, 0, 1) == b"\x04", "deals: other fills"
            traded = sha256(trades)
        assert traded == shown.leaf.fills, "deals: other fills"
    assert self._opens(own, shown.index, salt), "deals: other member"
    slot: uint256 = commitments._number(opening.commitment.slot)
    begins: uint256 = slot * slotSeconds
    operator: address = self._allower(slot, own)
    assert staticcall disputes.wasOperator(operator, begins), "deals: no allowance"
    before: uint256 = 0
    dealt: uint256 = 0
    for claim: Claim in claims:
        hash: bytes32 = self._hash(
            Terms(
                slot=slot,
                round=claim.round,
                buyer=own.key if isBuyer else claim.partner,
                seller=claim.partner if isBuyer else own.key,
                most=claim.most,
                price=price,
                serial=claim.serial,
                energy=claim.energy,
            )
        )
        assert convert(hash, uint256) > before, "deals: not in order"
        before = convert(hash, uint256)
        if claim.isReceipted:
            receipt: bytes32 = keccak256(abi_encode(RECEIPT_TYPE, hash))
            assert signed._signer(settlement, receipt, claim.signature) == operator, "deals: operator never saw it"
        else:
            posted: uint256 = self.postedAt[hash]
            seen: bool = posted != 0 and posted != VOID and not self._isBarred(shown.index, begins)
            assert seen, "deals: operator never saw it"
            partner: Allowance = Allowance(
                key=claim.partner,
                member=claim.member,
                mostBought=claim.mostBought,
                mostSold=claim.mostSold,
                signature=claim.signature,
            )
            assert self._allower(slot, partner) == operator, "deals: partner not allowed"
            most: uint256 = min(own.mostBought, partner.mostSold) if isBuyer else min(own.mostSold, partner.mostBought)
            assert claim.energy <= most, "deals: beyond the allowance"
        dealt += claim.energy
    if len(trades) > 0:
        bought: uint256 = extract32(trades, 1, output_type=uint256)
        first: uint256 = 0 if isBuyer else bought
        end: uint256 = bought if isBuyer else (len(trades) - HEAD) // STEP
        for i: uint256 in range(first, end, bound=2 * signed.MAX_POINTS):
            if extract32(trades, HEAD + STEP * i, output_type=int256) == price:
                energy: uint256 = extract32(trades, HEAD + STEP * i + 32, output_type=uint256)
                assert dealt > energy, "deals: no fraud shown"
                dealt -= energy
    assert dealt > 0, "deals: no fraud shown"
    # as `extcall judges.convict(opening, msg.sender)`, without the words that `later` has room for
    raw_call(judges.address, abi_encode(opening, msg.sender, method_id=CONVICT))


@external
def showTwice(first: Deal, second: Deal):
    """
    @notice Show two awards of a seller for one bid, or two bids of a buyer with one serial, of one slot.
    """
    one: bytes32 = self._signed(first)
    two: bytes32 = self._signed(second)
    assert one != two and first.terms.slot == second.terms.slot, "deals: nothing wrong"
    if self._bid(first.terms) == self._bid(second.terms):
        earlier: uint256 = self.postedAt[one]
        later: uint256 = self.postedAt[two]
        assert earlier != VOID and later != VOID, "deals: void already"
        isSecond: bool = later == 0 or (earlier != 0 and earlier <= later)
        self._void(first.terms.slot, two if isSecond else one)
        self._note(first.terms.seller, first.terms.slot)
    else:
        same: bool = first.terms.buyer == second.terms.buyer and first.terms.serial == second.terms.serial
        assert same, "deals: nothing wrong"
        self._note(first.terms.buyer, first.terms.slot)


@external
def showBeyond(own: Allowance, isBuyer: bool, deals: DynArray[Deal, MOST]):
    """
    @notice Count what a key buys, or sells, in a slot, until the slot ends, in as many calls as it takes: whatever goes
            beyond its allowance, in the order in which it was posted, is void.
    @param deals not posted ones first, then those that were posted, the earlier first; none counts twice
    """
    assert len(deals) > 0, "deals: no such deal"
    slot: uint256 = deals[0].terms.slot
    assert block.timestamp < (slot + 1) * slotSeconds, "deals: too late"
    assert staticcall disputes.wasOperator(self._allower(slot, own), slot * slotSeconds), "deals: no allowance"
    count: Count = self.counts[own.key][isBuyer]
    isBeyond: bool = False
    for deal: Deal in deals:
        assert deal.terms.slot == slot, "deals: other slot"
        assert (deal.terms.buyer if isBuyer else deal.terms.seller) == own.key, "deals: other key"
        hash: bytes32 = self._signed(deal)
        posted: uint256 = self.postedAt[hash]
        bid: bytes32 = self._bid(deal.terms)  # a second award for it says nothing of its buyer: see `showTwice`
        assert posted != VOID and not self.isCounted[bid][isBuyer], "deals: counted already"
        assert posted >= count.postedAt, "deals: not in order"
        self.isCounted[bid][isBuyer] = True
        count.postedAt = posted
        if count.energy + deal.terms.energy <= (own.mostBought if isBuyer else own.mostSold):
            count.energy += deal.terms.energy
        else:
            assert posted != 0, "deals: not posted"
            self._void(slot, hash)
            isBeyond = True
    self.counts[own.key][isBuyer] = count
    if isBeyond:
        self._note(own.key, slot)


@external
def bar(slot: uint256, own: Allowance, index: uint256, salt: bytes32):
    """
    @notice Show whose key cheated: what this member posts binds nobody for some time, from the next slot on.
    """
    assert staticcall disputes.wasOperator(self._allower(slot, own), slot * slotSeconds), "deals: no allowance"
    assert self._opens(own, index, salt), "deals: other member"
    assert self.cheatedAt[own.key] != 0, "deals: nothing wrong"
    since: uint256 = self.cheatedAt[own.key] + slotSeconds
    assert since > self.barred[index], "deals: barred already"
    self.barred[index] = since
    log Barred(index=index, since=since)


@external
@view
def hashOf(terms: Terms) -> bytes32:
    """
    @notice Hash of a deal.
    """
    return self._hash(terms)


@external
@view
def getJudges() -> address:
    """
    @notice List of judges, by way of which this one convicts.
    """
    return judges.address


# -- internal ---------------------------------------------------------------------------------------------


@internal
def _note(key: address, slot: uint256):
    """
    @dev Keep who was shown to have signed what it must not; the first time counts.
    """
    if self.cheatedAt[key] == 0:
        self.cheatedAt[key] = block.timestamp
    log Cheated(key=key, slot=slot)


@internal
def _void(slot: uint256, hash: bytes32):
    """
    @dev From now on nobody is bound to a deal by its post, and it cannot be posted any more.
    """
    self.postedAt[hash] = VOID
    log Voided(slot=slot, hash=hash)


@internal
@view
def _isBarred(index: uint256, begins: uint256) -> bool:
    """
    @dev Whether posts of a member for a slot bind nobody.
    """
    since: uint256 = self.barred[index]
    return since != 0 and since <= begins and begins < since + BARRED


@internal
@view
def _allower(slot: uint256, allowance: Allowance) -> address:
    """
    @dev Who signed an allowance; zero if nobody can have.
    """
    content: bytes32 = keccak256(
        abi_encode(
            ALLOWANCE_TYPE, slot, allowance.key, allowance.member, allowance.mostBought, allowance.mostSold
        )
    )
    return signed._signer(settlement, content, allowance.signature)


@internal
@pure
def _opens(allowance: Allowance, index: uint256, salt: bytes32) -> bool:
    """
    @dev Whether an allowance is that of a member.
    """
    return keccak256(abi_encode(index, salt)) == allowance.member


@internal
@pure
def _bid(terms: Terms) -> bytes32:
    """
    @dev Hash of the buyer's part.
    """
    return keccak256(
        abi_encode(
            BID_TYPE, terms.slot, terms.round, terms.buyer, terms.seller, terms.most, terms.price, terms.serial
        )
    )


@internal
@pure
def _hash(terms: Terms) -> bytes32:
    """
    @dev Hash of the seller's part, which names the buyer's.
    """
    return keccak256(abi_encode(AWARD_TYPE, self._bid(terms), terms.energy))


@internal
@view
def _signed(deal: Deal) -> bytes32:
    """
    @dev Hash of a deal that both have signed, within the bid.
    """
    terms: Terms = deal.terms
    assert 0 < terms.energy and terms.energy <= terms.most, "deals: beyond the bid"
    hash: bytes32 = self._hash(terms)
    buyer: address = signed._signer(settlement, self._bid(terms), deal.bid)
    seller: address = signed._signer(settlement, hash, deal.award)
    assert buyer != empty(address) and buyer == terms.buyer, "deals: not the buyer"
    assert seller != empty(address) and seller == terms.seller, "deals: not the seller"
    return hash
