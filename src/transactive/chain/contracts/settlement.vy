# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Settlement
@notice Members keep currency here; the operator nets what they owe each other once per period.
@dev Two tiers. Each slot the operator commits one Merkle-sum root: leaf i states member i's running totals
     since the start of the period (debit and credit in n¤, bought and sold in Wh). The same commitment carries the
     root of the slot's certificates, so that other contracts can check it with `isCommitted`. Once per period it
     proposes the net amounts as packed words; after a challenge window anyone can finalise them.

     Packing: 4 members per storage word, lane k = bits 64k..64k+61, a balance < 2**62 n¤ (4.6e9 ¤), exact.
     A net amount is biased by 2**62, so all lanes are added and checked at once:
     old + (net + 2**62) + 2**62 = 2**63 + new, hence bit 63 set and bit 62 clear <=> 0 <= new < 2**62.

     What a dishonest operator can try
     ENFORCED without anybody watching
       - take money out: impossible, tokens leave only by `withdraw`, to the member itself
       - create or lose money: net amounts of a period must sum to zero; nobody below zero or above a lane
       - settle a period twice, out of order or before it ended; commit a slot twice or before it ended
       - rewrite history: the slot commitments of a period form a hash chain
       - keep money in: a withdrawal request pays after `notice` at the latest; pause does not stop it; the
         operator can only shorten the notice
     ENFORCED if one watcher challenges within the window (any account may)
       - net amounts that differ from the period's last slot root; sums in the tree that do not add up
       - a debit above the limit the member set on chain
     ONLY DETECTABLE (each member compares the published leaves with its own orders and readings)
       - a leaf that states a trade the member never signed, wrong energy, a slot left out, leaves not
         published at all. Answer: `veto` by the arbiter inside the window, a low debit limit, exit
     TRUSTED
       - the arbiter to look when called: it can only stop a netting, never change one or take money
       - the owner (governance) to choose operator and arbiter; the operator to register members
       - the currency: plain ERC-20 without transfer fees (a short transfer is refused)
     The operator carries the credit risk of trades it accepts after a member asked to leave: a period that
     would overdraw a member cannot be finalised and has to be proposed again without that debit.
"""

from ethereum.ercs import IERC20

struct Node:
    hash: bytes32  # sibling on the way up
    sums: uint256  # its sums
    own: uint256  # sums the tree states for the node itself

struct Commitment:
    slot: uint256
    root: bytes32  # of the members' tree
    certificates: bytes32  # root of the slot's certificates, zero without any
    money: uint256  # totals of the tree
    energy: uint256  # totals of the tree

struct Opening:
    previous: bytes32  # head of the period's hash chain before the commitment
    commitment: Commitment
    later: DynArray[bytes32, MAX_LATER]  # hashes of the period's commitments after it

struct Request:
    amount: uint256
    readyAt: uint256

struct Limit:
    before: uint256  # plus one; zero means no limit
    after: uint256  # plus one; zero means no limit
    fromPeriod: uint256

MAX_WORDS: constant(uint256) = 1024
MAX_DEPTH: constant(uint256) = 12
MAX_LATER: constant(uint256) = 287  # a day of five minutes
ONES: constant(uint256) = 1 + 2**64 + 2**128 + 2**192
TOP: constant(uint256) = ONES * 2**63  # bit 63 of every lane
BIAS: constant(uint256) = ONES * 2**62  # bit 62 of every lane
EVEN: constant(uint256) = (2**64 - 1) * (1 + 2**128)  # lanes 0 and 2
LANE: constant(uint256) = 2**64 - 1
MAX_BALANCE: constant(uint256) = 2**62 - 1
# the books: newest period with a commitment, newest finalised, proposed one, and when that can be finalised
SETTLED_AT: constant(uint256) = 64
PROPOSED_AT: constant(uint256) = 128
READY_AT: constant(uint256) = 192
FIELD: constant(uint256) = 2**64 - 1
PREVIOUS_AT: constant(uint256) = 64  # in a period's marks

currency: public(immutable(IERC20))
depth: public(immutable(uint256))
slotSeconds: public(immutable(uint256))
slotsPerPeriod: public(immutable(uint256))
window: public(immutable(uint256))
notice: public(immutable(uint256))

owner: public(address)
pendingOwner: public(address)
operator: public(address)
pendingOperator: public(address)
arbiter: public(address)
paused: public(bool)
memberCount: public(uint256)
accountOf: public(HashMap[uint256, address])
memberNumber: public(HashMap[address, uint256])  # index plus one
balances: public(uint256[MAX_WORDS])
heads: public(HashMap[uint256, bytes32])  # by period: hash chain over its commitments
marks: HashMap[uint256, uint256]  # by period: last slot, and the active period before it
isVoid: public(HashMap[bytes32, bool])  # by head: whether the commitment that made it does not count
books: uint256  # newest period with a commitment | newest finalised << 64 | proposed << 128 | readyAt << 192
wordsHash: public(bytes32)  # of the proposed net amounts
requests: public(HashMap[address, Request])
limits: public(HashMap[uint256, Limit])

event Registered:
    account: indexed(address)
    index: uint256

event Deposited:
    account: indexed(address)
    amount: uint256

event WithdrawalRequested:
    account: indexed(address)
    amount: uint256
    readyAt: uint256

event Withdrawn:
    account: indexed(address)
    amount: uint256

event SlotCommitted:
    slot: indexed(uint256)
    root: bytes32
    certificates: bytes32
    money: uint256
    energy: uint256

event Proposed:
    period: indexed(uint256)
    wordsHash: bytes32
    readyAt: uint256

event Voided:
    period: indexed(uint256)
    by: indexed(address)

event Settled:
    period: indexed(uint256)
    words: uint256

event LimitSet:
    account: indexed(address)
    amount: uint256
    fromPeriod: uint256

event RoleSet:
    role: indexed(String[16])
    account: indexed(address)

event PauseSet:
    paused: bool


@deploy
def __init__(
    currency_: address,
    depth_: uint256,
    slotSeconds_: uint256,
    slotsPerPeriod_: uint256,
    window_: uint256,
    notice_: uint256,
):
    """
    @notice Fix the currency and the clock for ever; the deployer becomes owner.
    @param depth_ height of every slot tree; room for 2**depth_ members
    @param window_ seconds a proposed netting can be challenged
    @param notice_ longest wait for a withdrawal; must cover one period and one window
    """
    assert currency_ != empty(address), "settlement: no currency"
    assert 1 < depth_ and depth_ <= MAX_DEPTH, "settlement: bad depth"
    assert slotSeconds_ > 0 and slotsPerPeriod_ > 0 and window_ > 0, "settlement: bad clock"
    assert notice_ >= slotSeconds_ * slotsPerPeriod_ + window_, "settlement: notice too short"
    currency = IERC20(currency_)
    depth = depth_
    slotSeconds = slotSeconds_
    slotsPerPeriod = slotsPerPeriod_
    window = window_
    notice = notice_
    self.owner = msg.sender
    log RoleSet(role="owner", account=msg.sender)


# -- members ----------------------------------------------------------------------------------------------


@external
def register(account: address) -> uint256:
    """
    @notice Give `account` the next index (operator only); an index is never taken back.
    @return index of the account, its place in trees and words
    """
    assert msg.sender == self.operator, "settlement: not the operator"
    assert account != empty(address) and account != self, "settlement: bad account"
    assert self.memberNumber[account] == 0, "settlement: already a member"
    index: uint256 = self.memberCount
    assert index < (1 << depth), "settlement: full"
    self.accountOf[index] = account
    self.memberNumber[account] = index + 1
    self.memberCount = index + 1
    log Registered(account=account, index=index)
    return index


@external
@nonreentrant
def deposit(amount: uint256):
    """
    @notice Move `amount` n¤ from the caller's wallet to its balance here.
    """
    assert not self.paused, "settlement: paused"
    index: uint256 = self._index(msg.sender)
    assert amount > 0 and amount <= MAX_BALANCE - self._balance(index), "settlement: bad amount"
    self.balances[index // 4] += amount << (64 * (index % 4))
    before: uint256 = staticcall currency.balanceOf(self)
    moved: bool = extcall currency.transferFrom(msg.sender, self, amount, default_return_value=True)
    assert moved, "settlement: transfer failed"
    assert staticcall currency.balanceOf(self) == before + amount, "settlement: short transfer"
    log Deposited(account=msg.sender, amount=amount)


@external
def requestWithdrawal(amount: uint256):
    """
    @notice Announce that `amount` n¤ shall leave; payable by `withdraw` after the notice. Never paused.
            A new request replaces the old one and starts the notice again; zero cancels.
    """
    self._index(msg.sender)
    readyAt: uint256 = block.timestamp + notice
    self.requests[msg.sender] = Request(amount=amount, readyAt=readyAt)
    log WithdrawalRequested(account=msg.sender, amount=amount, readyAt=readyAt)


@external
def release(account: address):
    """
    @notice Operator: the member has no open trade, so its requested withdrawal may happen now.
    """
    assert msg.sender == self.operator, "settlement: not the operator"
    assert self.requests[account].amount > 0, "settlement: nothing requested"
    self.requests[account].readyAt = min(self.requests[account].readyAt, block.timestamp)


@external
@nonreentrant
def withdraw() -> uint256:
    """
    @notice Pay the caller its requested amount, or all that is left if less. Never paused.
    @return amount paid in n¤
    """
    index: uint256 = self._index(msg.sender)
    request: Request = self.requests[msg.sender]
    assert request.amount > 0, "settlement: nothing requested"
    assert block.timestamp >= request.readyAt, "settlement: notice running"
    amount: uint256 = min(request.amount, self._balance(index))
    self.requests[msg.sender] = empty(Request)
    self.balances[index // 4] -= amount << (64 * (index % 4))
    moved: bool = extcall currency.transfer(msg.sender, amount, default_return_value=True)
    assert moved, "settlement: transfer failed"
    log Withdrawn(account=msg.sender, amount=amount)
    return amount


@external
def setLimit(amount: uint256):
    """
    @notice Most the caller may be debited in one period, starting with the period after the current one.
    @param amount n¤; 2**256 - 1 removes the limit
    """
    index: uint256 = self._index(msg.sender)
    now: uint256 = block.timestamp // (slotSeconds * slotsPerPeriod)
    # a change must not reach back into a period that is still open
    books: uint256 = self.books
    settled: uint256 = (books >> SETTLED_AT) & FIELD
    earlierClosed: bool = settled == books & FIELD or settled + 1 >= self.limits[index].fromPeriod
    assert earlierClosed, "settlement: last change still open"
    stored: uint256 = 0
    if amount != max_value(uint256):
        stored = amount + 1
    self.limits[index] = Limit(before=self._limit(index, now), after=stored, fromPeriod=now + 1)
    log LimitSet(account=msg.sender, amount=amount, fromPeriod=now + 1)


# -- operator ---------------------------------------------------------------------------------------------


@external
def commitSlot(slot: uint256, root: bytes32, certificates: bytes32, money: uint256, energy: uint256):
    """
    @notice Commit the members' running totals at the end of `slot`, and the slot's certificates; slot n covers the
            seconds n * slotSeconds to (n + 1) * slotSeconds.
    @param root Merkle-sum root over the members' leaves
    @param certificates root over the slot's certificates; zero without any
    @param money root sums: debit | credit << 64 | bought << 128 | sold << 192, each < 2**63
    @param energy root sums: imported | exported << 64 | produced << 128 | certified << 192, each < 2**63
    """
    assert msg.sender == self.operator, "settlement: not the operator"
    assert block.timestamp >= (slot + 1) * slotSeconds, "settlement: slot not over"
    assert (money | energy) & TOP == 0, "settlement: totals too large"
    assert money & LANE == (money >> 64) & LANE, "settlement: debit is not credit"
    number: uint256 = slot // slotsPerPeriod
    books: uint256 = self.books
    head: bytes32 = self.heads[number]
    previous: uint256 = books & FIELD  # the active period before this one
    if head == empty(bytes32):
        assert number > previous, "settlement: period closed"
        self.books = books ^ previous ^ number
    else:
        mark: uint256 = self.marks[number]
        assert number > (books >> SETTLED_AT) & FIELD, "settlement: period closed"
        assert slot > mark & FIELD, "settlement: slot committed"
        previous = mark >> PREVIOUS_AT
    assert (books >> PROPOSED_AT) & FIELD != number, "settlement: period proposed"
    self.marks[number] = slot | (previous << PREVIOUS_AT)
    self.heads[number] = self._link(
        head, Commitment(slot=slot, root=root, certificates=certificates, money=money, energy=energy)
    )
    log SlotCommitted(slot=slot, root=root, certificates=certificates, money=money, energy=energy)


@external
def propose(period: uint256, words: DynArray[uint256, MAX_WORDS]):
    """
    @notice Propose the net amounts of a period; they can be challenged for `window` seconds.
    @param period number of the period: its first slot divided by slotsPerPeriod
    @param words word j, lane k = net of member 4j + k in n¤ plus 2**62
    """
    assert msg.sender == self.operator, "settlement: not the operator"
    assert not self.paused, "settlement: paused"
    assert block.timestamp >= (period + 1) * slotSeconds * slotsPerPeriod, "settlement: period not over"
    head: bytes32 = self.heads[period]
    books: uint256 = self.books
    settled: uint256 = (books >> SETTLED_AT) & FIELD
    assert head != empty(bytes32) and period > settled, "settlement: nothing to settle"
    assert self.marks[period] >> PREVIOUS_AT == settled, "settlement: earlier period open"
    assert (books >> PROPOSED_AT) & FIELD != period, "settlement: already proposed"
    # after a void the last slot must be committed anew, so that it is reopened once and never a slot before it
    assert not self.isVoid[head], "settlement: last slot not repeated"
    assert len(words) * 4 <= self.memberCount + 3, "settlement: unknown members"
    total: uint256 = 0
    for word: uint256 in words:
        assert word & TOP == 0, "settlement: bad lane"
        total = unsafe_add(total, unsafe_add(word & EVEN, (word >> 64) & EVEN))
    assert (total & (2**128 - 1)) + (total >> 128) == len(words) * 2**64, "settlement: not zero-sum"
    wordsHash: bytes32 = keccak256(abi_encode(words))
    readyAt: uint256 = block.timestamp + window
    self.books = (books & (2**128 - 1)) | (period << PROPOSED_AT) | (readyAt << READY_AT)
    self.wordsHash = wordsHash
    log Proposed(period=period, wordsHash=wordsHash, readyAt=readyAt)


@external
def retract():
    """
    @notice Take back the pending proposal, for example one that would overdraw a member by now.
    """
    assert msg.sender == self.operator, "settlement: not the operator"
    self._void(self._pending())


# -- anyone -----------------------------------------------------------------------------------------------


@external
def finalise(words: DynArray[uint256, MAX_WORDS]):
    """
    @notice Apply the proposed net amounts after the window; all or nothing.
    @param words the same words as proposed
    """
    assert not self.paused, "settlement: paused"
    period: uint256 = self._pending()
    assert block.timestamp >= self.books >> READY_AT, "settlement: window open"
    assert keccak256(abi_encode(words)) == self.wordsHash, "settlement: other words"
    self.books = (self.books & FIELD) | (period << SETTLED_AT)
    j: uint256 = 0
    for word: uint256 in words:
        balance: uint256 = unsafe_add(unsafe_add(self.balances[j], word), BIAS)
        assert balance & (TOP | BIAS) == TOP, "settlement: overdraft or lane overflow"
        self.balances[j] = balance ^ TOP
        j = unsafe_add(j, 1)
    log Settled(period=period, words=j)


@external
def challenge(
    words: DynArray[uint256, MAX_WORDS],
    index: uint256,
    sums: uint256,
    proof: DynArray[Node, MAX_DEPTH],
    previous: bytes32,
    commitment: Commitment,
):
    """
    @notice Void the pending proposal by showing one leaf of the period's last slot that contradicts it:
            net amount not credit - debit, debit above the member's limit, or sums that do not add up.
    @param words the proposed words
    @param index the member's index
    @param sums the leaf: debit | credit << 64 | bought << 128 | sold << 192
    @param proof siblings from the leaf to the root
    @param previous head of the hash chain before the last slot commitment
    @param commitment last slot commitment
    """
    period: uint256 = self._pending()
    assert block.timestamp < self.books >> READY_AT, "settlement: window closed"
    assert keccak256(abi_encode(words)) == self.wordsHash, "settlement: other words"
    assert self._link(previous, commitment) == self.heads[period], "settlement: other slot"
    assert len(proof) == depth and index < (1 << depth), "settlement: bad proof"
    root: bytes32 = empty(bytes32)
    totals: uint256 = 0
    consistent: bool = False
    root, totals, consistent = self._climb(commitment.slot, index, sums, proof)
    assert root == commitment.root, "settlement: bad proof"
    net: int256 = convert((sums >> 64) & LANE, int256) - convert(sums & LANE, int256)
    stated: int256 = 0
    if index // 4 < len(words):
        stated = convert((words[index // 4] >> (64 * (index % 4))) & LANE, int256) - 2**62
    limit: uint256 = self._limit(index, period)
    excess: bool = limit > 0 and stated < 0 and convert(-stated, uint256) >= limit
    assert not consistent or totals != commitment.money or net != stated or excess, "settlement: no fraud shown"
    self._void(period)


@external
def veto():
    """
    @notice Arbiter: stop the pending netting inside its window (leaves unpublished or not covered by orders).
    """
    assert msg.sender == self.arbiter, "settlement: not the arbiter"
    period: uint256 = self._pending()
    assert block.timestamp < self.books >> READY_AT, "settlement: window closed"
    self._void(period)


# -- roles ------------------------------------------------------------------------------------------------


@external
def setPaused(paused: bool):
    """
    @notice Owner or arbiter: stop or resume deposits, proposals and finalising; withdrawals always go on.
    """
    assert msg.sender == self.owner or msg.sender == self.arbiter, "settlement: not allowed"
    self.paused = paused
    log PauseSet(paused=paused)


@external
def setArbiter(account: address):
    """
    @notice Owner: name the arbiter; it must be neither the operator nor its candidate.
    """
    assert msg.sender == self.owner, "settlement: not the owner"
    assert account not in [self.operator, self.pendingOperator], "settlement: roles must differ"
    self.arbiter = account
    log RoleSet(role="arbiter", account=account)


@external
def offerOperator(candidate: address):
    """
    @notice Owner: first step of an operator change; the old one works on until the new one accepts.
    """
    assert msg.sender == self.owner, "settlement: not the owner"
    assert candidate == empty(address) or candidate != self.arbiter, "settlement: roles must differ"
    self.pendingOperator = candidate


@external
def acceptOperator():
    """
    @notice Second step: the candidate becomes operator.
    """
    assert msg.sender == self.pendingOperator, "settlement: not the candidate"
    self.operator = msg.sender
    self.pendingOperator = empty(address)
    log RoleSet(role="operator", account=msg.sender)


@external
def offerOwnership(candidate: address):
    """
    @notice Owner: first step of an owner change.
    """
    assert msg.sender == self.owner, "settlement: not the owner"
    self.pendingOwner = candidate


@external
def acceptOwnership():
    """
    @notice Second step: the candidate becomes owner.
    """
    assert msg.sender == self.pendingOwner, "settlement: not the candidate"
    self.owner = msg.sender
    self.pendingOwner = empty(address)
    log RoleSet(role="owner", account=msg.sender)


# -- views ------------------------------------------------------------------------------------------------


@external
@view
def balanceOf(account: address) -> uint256:
    """
    @notice Settled balance in n¤; a pending proposal is not included.
    """
    return self._balance(self._index(account))


@external
@view
def isPending() -> bool:
    """
    @notice Whether a proposal waits for its window to end or to be finalised.
    """
    return self.books >> PROPOSED_AT != 0


@external
@view
def proposal() -> (uint256, uint256):
    """
    @notice Period whose net amounts are proposed, and the time from which they can be finalised; zeros without one.
    """
    return (self.books >> PROPOSED_AT) & FIELD, self.books >> READY_AT


@external
@view
def latestPeriod() -> uint256:
    """
    @notice Newest period with a slot commitment; zero before the first.
    """
    return self.books & FIELD


@external
@view
def settledPeriod() -> uint256:
    """
    @notice Newest finalised period; zero before the first.
    """
    return (self.books >> SETTLED_AT) & FIELD


@external
@view
def lastSlot(period: uint256) -> uint256:
    """
    @notice Last slot committed in a period; the next commitment must be of a later one.
    """
    return self.marks[period] & FIELD


@external
@view
def isCommitted(opening: Opening) -> bool:
    """
    @notice Whether a slot was committed with exactly this content, certificates' root included, and still counts.
            Final once the slot's period is at most `settledPeriod`; a commitment that was void never counts again.
    @param opening the commitment, the head of its period's hash chain before it, and the hashes of the period's later
                   commitments, keccak256 of their five words each
    """
    head: bytes32 = self._link(opening.previous, opening.commitment)
    if self.isVoid[head]:
        return False
    for later: bytes32 in opening.later:
        head = keccak256(concat(head, later))
    return head == self.heads[opening.commitment.slot // slotsPerPeriod]


# -- internal ---------------------------------------------------------------------------------------------


@internal
@view
def _index(account: address) -> uint256:
    """
    @dev Index of a member.
    """
    number: uint256 = self.memberNumber[account]
    assert number > 0, "settlement: not a member"
    return number - 1


@internal
@view
def _balance(index: uint256) -> uint256:
    """
    @dev One lane.
    """
    return (self.balances[index // 4] >> (64 * (index % 4))) & MAX_BALANCE


@internal
@view
def _limit(index: uint256, period: uint256) -> uint256:
    """
    @dev Debit limit plus one in force in `period`; zero means none.
    """
    limit: Limit = self.limits[index]
    return limit.after if period >= limit.fromPeriod else limit.before


@internal
@pure
def _link(head: bytes32, commitment: Commitment) -> bytes32:
    """
    @dev Head of a period's hash chain after a commitment.
    """
    return keccak256(concat(head, keccak256(abi_encode(commitment))))


@internal
@view
def _pending() -> uint256:
    """
    @dev Period of the open proposal.
    """
    period: uint256 = (self.books >> PROPOSED_AT) & FIELD
    assert period > 0, "settlement: nothing proposed"
    return period


@internal
def _void(period: uint256):
    """
    @dev Drop the proposal and let the operator commit the period's last slot once more: leaves are running totals, so a
         corrected last slot corrects the period. The bad commitment stays in the hash chain, marked as void.
    """
    self.isVoid[self.heads[period]] = True
    self.marks[period] -= 1
    self.books = self.books & (2**128 - 1)
    log Voided(period=period, by=msg.sender)


@internal
@pure
def _climb(slot: uint256, index: uint256, sums: uint256, proof: DynArray[Node, MAX_DEPTH]) -> (bytes32, uint256, bool):
    """
    @dev Root and sums a path leads to, and whether every sum on it adds up without leaving its lane.
         Each node's own sums come from the proof, so that a tree with wrong sums can be shown to be wrong.
    """
    node: bytes32 = empty(bytes32)  # a leaf of zeros
    if sums != 0:
        node = sha256(concat(b"\x00", convert(slot, bytes32), convert(index, bytes32), convert(sums, bytes32)))
    total: uint256 = sums
    position: uint256 = index
    consistent: bool = sums & TOP == 0
    for p: Node in proof:
        own: bytes32 = convert(p.own, bytes32)
        other: bytes32 = convert(p.sums, bytes32)
        if position % 2 == 0:
            node = sha256(concat(b"\x01", node, own, p.hash, other))
        else:
            node = sha256(concat(b"\x01", p.hash, other, node, own))
        if p.own != total or (p.own | p.sums) & TOP != 0:
            consistent = False
        # while consistent, both parts are below 2**63 per lane and the addition cannot carry into the next lane
        total = unsafe_add(p.own, p.sums)
        position = position // 2
    return node, total, consistent
