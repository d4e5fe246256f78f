# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Disputes
@notice Judges evidence against the operator of a settlement: whoever brings a valid proof is paid from the stake.
@dev Holds no money and knows no owner's favour: each function checks one kind of evidence, and on proof calls the
     settlement, which takes the bad commitments back and pays. Nothing here can be paused, and an honest operator
     cannot be convicted by anybody. Evidence counts until the period is finalised; against what was taken back, for a
     window from then.

     A place without a leaf is a leaf of zeros in every judgement: whoever has none owes and is owed nothing.

     PROVABLE here
       - `challengeNetting`: net amounts that differ from the last leaf, or a debit beyond the member's limit
       - `challengeLeaf`: sums that do not add up, carry, or differ from the committed totals; a leaf that is missing, in
         another's place, of another slot; certificates beyond what was produced; a substituted one that is not as traded,
         has certificates, or brings its member money
       - `challengeTotals`: running totals that are not those of the commitment before plus the slot's values
       - `challengeTrade`: a trade without an order, beyond it, or by an agent beyond its grant or without one
       - `challengeSerial`: a leaf that does not end with the member's newest accepted order, by the serials that were signed
       - `challengeOmission`: an order that the operator's receipt accepts, left out of the leaf, unless the session is marked as void
       - `challengeReading`: energy in the leaf that the gateway did not sign, unless nobody metered it by the leaf's mark
       - what `certificate_disputes.vy` judges of a slot's certificates, and `demands.vy` of what was kept back, from a member
         that asked or from a slot: they alone may call `convict`
     NOT PROVABLE
       - amounts of money beside trades (deviations, fees, dividends): see `settlement.vy`
       - an order that was never accepted: without a receipt there is none
       - a session held and marked as void although somebody was there, where nobody traded: all members see how many
     TRUSTED
       - the gateway to sign one truth for each slot, and for this community only, whoever was it when the slot began;
         receipts too count by who was operator then; the gateway is the collector of records, too; the owner of the settlement to name
         its key and, once, the judges of certificates and of demands
     PRIVACY: a challenge shows the leaf, order or reading of the member that starts it, of nobody else.
"""

from modules import commitments
from modules import leaves
from modules import readings
from modules import signed

interface Settlement:
    def owner() -> address: view
    def terms(account: address) -> uint256: view
    def depth() -> uint256: view
    def slotSeconds() -> uint256: view
    def slotsPerPeriod() -> uint256: view
    def accountOf(index: uint256) -> address: view
    def memberNumber(account: address) -> uint256: view
    def memberSince(index: uint256) -> uint256: view
    def limitIn(index: uint256, period: uint256) -> uint256: view
    def lead() -> uint256: view
    def netsOf(opening: commitments.Opening, word: uint256) -> uint256: view
    def convict(opening: commitments.Opening, challenger: address): nonpayable
    def convictNetting(opening: commitments.Opening, challenger: address): nonpayable

FIELD: constant(uint256) = 2**64 - 1
KNOWN: constant(uint256) = 1 << 128  # in a term of office
TOP: constant(uint256) = leaves.TOP

settlement: immutable(Settlement)
depth: immutable(uint256)
lead: immutable(uint256)
slotSeconds: immutable(uint256)
slotsPerPeriod: immutable(uint256)

gateway: public(address)
gatewayTerms: public(HashMap[address, uint256])  # by account: since | until << 64 of its term as gateway
certificateDisputes: public(address)
demands: public(address)
revokedFrom: public(HashMap[uint256, HashMap[address, uint256]])  # by account and agent: first slot, plus one

event GatewaySet:
    gateway: indexed(address)

event CertificateDisputesSet:
    certificateDisputes: indexed(address)

event DemandsSet:
    demands: indexed(address)

event Revoked:
    account: indexed(uint256)
    agent: indexed(address)
    slot: uint256


@deploy
def __init__(settlement_: address):
    """
    @notice Judge of one settlement; it counts once the settlement's owner has named it there.
    """
    settlement = Settlement(settlement_)
    lead = staticcall settlement.lead()
    depth = staticcall settlement.depth()
    slotSeconds = staticcall settlement.slotSeconds()
    slotsPerPeriod = staticcall settlement.slotsPerPeriod()


@external
def setGateway(account: address):
    """
    @notice Owner of the settlement: name the key that signs the community's readings, of slots that begin from now on.
            A key has one term: with a second one, what it signed in the first would count no more.
    """
    assert msg.sender == staticcall settlement.owner(), "disputes: not the owner"
    former: address = self.gateway
    assert account != former, "disputes: gateway already"
    assert account == empty(address) or self.gatewayTerms[account] == 0, "disputes: had its term"
    since: uint256 = 0
    if former != empty(address):
        since = block.timestamp
        self.gatewayTerms[former] = self.gatewayTerms[former] | (since << 64)
    self.gatewayTerms[account] = KNOWN | since
    self.gateway = account
    log GatewaySet(gateway=account)


@external
def setCertificateDisputes(account: address):
    """
    @notice Owner of the settlement: name the judge of what is committed of certificates, once and for ever.
    """
    assert msg.sender == staticcall settlement.owner(), "disputes: not the owner"
    assert self.certificateDisputes == empty(address) and account != empty(address), "disputes: judge is fixed"
    self.certificateDisputes = account
    log CertificateDisputesSet(certificateDisputes=account)


@external
def setDemands(account: address):
    """
    @notice Owner of the settlement: name the judge of what members ask to be shown, once and for ever.
    """
    assert msg.sender == staticcall settlement.owner(), "disputes: not the owner"
    assert self.demands == empty(address) and account != empty(address), "disputes: judge is fixed"
    self.demands = account
    log DemandsSet(demands=account)


@external
def revoke(account: uint256, agent: address):
    """
    @notice Member: take back what was granted to an agent, for all slots whose gate has not closed by the next one.
    """
    assert msg.sender == staticcall settlement.accountOf(account), "disputes: not the member"
    slot: uint256 = block.timestamp // slotSeconds + lead + 2
    assert self.revokedFrom[account][agent] == 0, "disputes: already revoked"
    self.revokedFrom[account][agent] = slot + 1
    log Revoked(account=account, agent=agent, slot=slot)


@external
def challengeNetting(opening: commitments.Opening, shown: commitments.Shown):
    """
    @notice Show that net amounts, proposed or taken back, contradict a leaf of the period's last slot, or that there is no leaf.
    @param opening the period's last commitment
    """
    assert len(opening.later) == 0, "disputes: other slot"
    word: uint256 = staticcall settlement.netsOf(opening, shown.index // 4)
    assert word != 0, "disputes: nothing proposed"
    leaf: leaves.Leaf = self._leaf(opening, shown)
    net: int256 = convert(leaves._lane(leaf.money, 1), int256) - convert(leaves._lane(leaf.money, 0), int256)
    stated: int256 = convert(leaves._lane(word, shown.index % 4), int256) - 2**62
    if net != stated:
        extcall settlement.convictNetting(opening, msg.sender)
    else:
        limit: uint256 = staticcall settlement.limitIn(shown.index, commitments._number(opening.commitment.slot) // slotsPerPeriod)
        assert limit > 0 and stated < 0 and convert(-stated, uint256) >= limit, "disputes: no fraud shown"
        extcall settlement.convict(opening, msg.sender)


@external
def challengeLeaf(opening: commitments.Opening, shown: commitments.Shown):
    """
    @notice Show that a place of the tree holds what cannot be right.
    """
    root: bytes32 = empty(bytes32)
    consistent: bool = False
    root, consistent = self._climb(opening, shown)
    assert root == opening.commitment.root, "disputes: bad proof"
    leaf: leaves.Leaf = shown.leaf
    if consistent and not shown.isBlank:
        right: bool = leaves._number(leaf) == commitments._number(opening.commitment.slot) and leaf.index == shown.index
        fits: bool = (leaf.slotMoney | leaf.slotEnergy) & TOP == 0
        certified: bool = leaves._lane(leaf.energy, 3) <= leaves._lane(leaf.energy, 2)
        certifiedNow: bool = leaves._lane(leaf.slotEnergy, 3) <= leaves._lane(leaf.slotEnergy, 2)
        right = right and leaves._isMarked(leaf)
        assert not (right and fits and certified and certifiedNow), "disputes: no fraud shown"
    elif consistent:
        since: uint256 = staticcall settlement.memberSince(shown.index)
        known: bool = since != 0 and since <= commitments._number(opening.commitment.slot) * slotSeconds
        assert known, "disputes: no fraud shown"
    self._convict(opening)


@external
def challengeTotals(
    opening: commitments.Opening,
    shown: commitments.Shown,
    before: commitments.Opening,
    earlier: commitments.Shown,
):
    """
    @notice Show that running totals are not those of the commitment before plus the slot's own values; a member without
            a leaf there begins at zero.
    @param before commitment before; ignored, like `earlier`, if the period begins with `opening`
    """
    leaf: leaves.Leaf = self._leaf(opening, shown)
    money: uint256 = 0
    energy: uint256 = 0
    if opening.previous != empty(bytes32):
        assert commitments._link(before) == opening.previous, "disputes: other slot"
        assert earlier.index == shown.index, "disputes: other member"
        start: leaves.Leaf = self._leaf(before, earlier)
        money = start.money
        energy = start.energy
    # all lanes are below 2**63 (`challengeLeaf`), so no addition carries
    money = unsafe_add(money, leaf.slotMoney)
    energy = unsafe_add(energy, leaf.slotEnergy)
    assert money != leaf.money or energy != leaf.energy, "disputes: no fraud shown"
    self._convict(opening)


@external
def challengeTrade(
    opening: commitments.Opening,
    shown: commitments.Shown,
    entries: DynArray[signed.Entry, signed.MAX_ENTRIES],
    order: signed.Order,
    grant: signed.Grant,
    buys: DynArray[signed.Fill, signed.MAX_POINTS],
    sells: DynArray[signed.Fill, signed.MAX_POINTS],
):
    """
    @notice Show that no signed order covers what the leaf says was traded.
    @param entries all orders that the leaf says were accepted, oldest first; the last one counts
    @param order the last one's content; ignored without entries
    @param grant its agent's grant; ignored if the member signed
    @param buys what the leaf says was bought, dearest first
    @param sells what the leaf says was sold, cheapest first
    """
    leaf: leaves.Leaf = self._leaf(opening, shown)
    money: uint256 = leaf.slotMoney
    assert signed._entriesHash(entries) == leaf.orders, "disputes: other orders"
    assert signed._fillsHash(buys, sells) == leaf.fills, "disputes: other fills"
    if signed._energyOf(buys) == leaves._lane(money, 2) and signed._energyOf(sells) == leaves._lane(money, 3):
        covered: bool = self._isCovered(leaf, entries, order, grant, buys, sells)
        assert not covered, "disputes: no fraud shown"
    self._convict(opening)


@external
def challengeSerial(
    opening: commitments.Opening,
    shown: commitments.Shown,
    entries: DynArray[signed.Entry, signed.MAX_ENTRIES],
    order: signed.Order,
    place: uint256,
    newer: signed.Order,
):
    """
    @notice Show that the last accepted order in a leaf is older than another one in it.
    @param order content of the last entry
    @param place of the newer order among the entries
    @param newer its content
    """
    leaf: leaves.Leaf = self._leaf(opening, shown)
    assert signed._entriesHash(entries) == leaf.orders, "disputes: other orders"
    assert place < len(entries), "disputes: other order"
    same: bool = signed._orderHash(order) == entries[len(entries) - 1].order
    assert same and signed._orderHash(newer) == entries[place].order, "disputes: other order"
    isMine: bool = newer.account == leaf.index and newer.slot == leaves._number(leaf)
    assert isMine and newer.serial > order.serial, "disputes: no fraud shown"
    self._convict(opening)


@external
def challengeOmission(
    opening: commitments.Opening,
    shown: commitments.Shown,
    entries: DynArray[signed.Entry, signed.MAX_ENTRIES],
    order: bytes32,
    receipt: signed.Receipt,
):
    """
    @notice Show an order that the operator accepted for the leaf's slot and left out of it.
    @param entries all orders that the leaf says were accepted
    @param order hash of the order's struct
    @param receipt the operator's signature for it, with its way to what was signed
    """
    leaf: leaves.Leaf = self._leaf(opening, shown)
    assert signed._entriesHash(entries) == leaf.orders, "disputes: other orders"
    slot: uint256 = commitments._number(opening.commitment.slot)
    signer: address = signed._acceptor(settlement.address, shown.index, slot, order, receipt)
    begins: uint256 = slot * slotSeconds
    assert self._wasOperator(signer, begins), "disputes: no receipt"
    assert not leaves._has(leaf, leaves.VOID), "disputes: no fraud shown"
    for entry: signed.Entry in entries:
        assert entry.order != order, "disputes: no fraud shown"
    self._convict(opening)


@external
def challengeReading(opening: commitments.Opening, shown: commitments.Shown, reading: readings.Reading):
    """
    @notice Show that the gateway signed another reading than the leaf states.
    """
    assert not shown.isBlank, "disputes: no leaf"  # `challengeLeaf` shows that one is missing
    leaf: leaves.Leaf = self._leaf(opening, shown)
    begins: uint256 = commitments._number(opening.commitment.slot) * slotSeconds
    assert self._wasGateway(readings._signer(begins, shown.index, reading), begins), "disputes: not the gateway"
    assert not leaves._has(leaf, leaves.SUBSTITUTED), "disputes: no fraud shown"  # for `demands.vy`
    sums: uint256 = reading.sums
    energy: uint256 = leaf.slotEnergy
    produced: uint256 = readings._register(sums, 2) + readings._register(sums, 4)
    same: bool = leaves._lane(energy, 0) == readings._register(sums, 0)
    same = same and leaves._lane(energy, 1) == readings._register(sums, 1)
    assert not (same and leaves._lane(energy, 2) == produced), "disputes: no fraud shown"
    self._convict(opening)


@external
def convict(opening: commitments.Opening, challenger: address):
    """
    @notice Judges of certificates and of demands: what was committed of a slot was shown to be wrong.
    """
    assert msg.sender in [self.certificateDisputes, self.demands], "disputes: not the judge"
    extcall settlement.convict(opening, challenger)


@external
@view
def wasOperator(account: address, time: uint256) -> bool:
    """
    @notice Whether an account was the operator at a time: its receipts for slots that began then count.
    """
    return self._wasOperator(account, time)


@external
@view
def wasGateway(account: address, time: uint256) -> bool:
    """
    @notice Whether an account was the gateway at a time: its readings of slots that began then count.
    """
    return self._wasGateway(account, time)


@external
@view
def getSettlement() -> address:
    """
    @notice Settlement whose operator is judged here.
    """
    return settlement.address


# -- internal ---------------------------------------------------------------------------------------------


@internal
def _convict(opening: commitments.Opening):
    """
    @dev Let the settlement act; it refuses what is not committed or already final.
    """
    extcall settlement.convict(opening, msg.sender)


@internal
@view
def _wasOperator(account: address, time: uint256) -> bool:
    """
    @dev By its term in the settlement, which the zero address never has.
    """
    return self._covers(staticcall settlement.terms(account), time)


@internal
@view
def _wasGateway(account: address, time: uint256) -> bool:
    """
    @dev Nobody has the zero address: it is no signer.
    """
    return account != empty(address) and self._covers(self.gatewayTerms[account], time)


@internal
@pure
def _covers(term: uint256, time: uint256) -> bool:
    """
    @dev Whether a term of office had begun by then, and was not over.
    """
    until: uint256 = (term >> 64) & FIELD
    return term & KNOWN != 0 and term & FIELD <= time and (until == 0 or time < until)


@internal
@view
def _climb(opening: commitments.Opening, shown: commitments.Shown) -> (bytes32, bool):
    """
    @dev Root that a leaf leads to, and whether all sums on the way, and the committed totals, add up.
    """
    root: bytes32 = empty(bytes32)
    money: uint256 = 0
    energy: uint256 = 0
    consistent: bool = False
    root, money, energy, consistent = commitments._climb(shown, depth)
    agree: bool = money == opening.commitment.money and energy == opening.commitment.energy
    return root, consistent and agree


@internal
@view
def _leaf(opening: commitments.Opening, shown: commitments.Shown) -> leaves.Leaf:
    """
    @dev What stands in a place of a commitment: the leaf, which has to be there, or zeros if the place is empty.
    """
    root: bytes32 = empty(bytes32)
    consistent: bool = False
    root, consistent = self._climb(opening, shown)
    assert root == opening.commitment.root, "disputes: bad proof"
    if shown.isBlank:
        return empty(leaves.Leaf)
    return shown.leaf


@internal
@view
def _mayTrade(account: address, leaf: leaves.Leaf) -> bool:
    """
    @dev Whether an account has the place of a leaf, or lost it after a gate of the leaf's slot may have closed.
    """
    number: uint256 = staticcall settlement.memberNumber(account)
    until: uint256 = number >> 64
    isIts: bool = number & FIELD == leaf.index + 1
    return isIts and (until == 0 or leaves._number(leaf) <= until // slotSeconds + lead + 1)


@internal
@view
def _isCovered(
    leaf: leaves.Leaf,
    entries: DynArray[signed.Entry, signed.MAX_ENTRIES],
    order: signed.Order,
    grant: signed.Grant,
    buys: DynArray[signed.Fill, signed.MAX_POINTS],
    sells: DynArray[signed.Fill, signed.MAX_POINTS],
) -> bool:
    """
    @dev Whether the last accepted order is signed by whom it may be and allows the leaf's trade.
    """
    if len(entries) == 0:
        return len(buys) + len(sells) == 0
    entry: signed.Entry = entries[len(entries) - 1]
    assert signed._orderHash(order) == entry.order, "disputes: other order"
    signer: address = signed._signer(settlement.address, entry.order, entry.signature)
    slot: uint256 = leaves._number(leaf)
    if signer == empty(address) or order.account != leaf.index or order.slot != slot or not signed._isMeant(order):
        return False
    if entry.grant == empty(bytes32):
        if not self._mayTrade(signer, leaf):
            return False
    else:
        assert signed._grantHash(grant) == entry.grant, "disputes: other grant"
        granter: address = signed._signer(settlement.address, entry.grant, entry.granted)
        if signer != grant.agent or not self._mayTrade(granter, leaf):
            return False
        revoked: uint256 = self.revokedFrom[leaf.index][grant.agent]
        if revoked != 0 and slot >= revoked - 1:
            return False
        if not signed._isWithin(order, grant, (slot + 1) * slotSeconds):
            return False
    return signed._coversBuys(order, buys) and signed._coversSells(order, sells)
