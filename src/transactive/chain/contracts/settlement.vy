# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# pragma optimize codesize
"""
@title Settlement
@notice Members keep currency here; the operator nets what they owe each other once per period.
@dev Two tiers. Each slot the operator commits the root of a Merkle-sum tree: a leaf states a member's running totals
     since the start of the period and the slot's own values (`modules/leaves.vy`). The same commitment carries the
     root of the slot's certificates, so that other contracts can check it with `isCommitted`, and behind the slot's number
     what of the period nobody has metered, Wh taken << 64 | Wh given << 128: sums since its start over leaves that are marked
     as substituted. Once per period the operator
     proposes the net amounts as packed words; after a challenge window anyone can finalise them. Both go in parts, so that
     no transaction grows with the community: `propose` appends words, `finalise` applies them.

     Whether a netting overdraws anybody is settled as it is proposed: from then on nothing leaves that a proposed debit
     needs, and nothing comes in that would take a credit's place. So a netting that was begun to be paid always ends: it
     cannot be stopped, paused, challenged or taken back, its period is not final for anybody before the last part, and what
     a part has credited leaves after the last one only.

     Evidence against the operator is judged by the contract `disputes`, the only one that may call `convict`: what was
     committed from the bad slot on leaves the hash chain, a pending netting of the period is dropped, and a penalty
     goes from the operator's stake to the challenger and the beneficiary, half each, so that an operator that accuses
     itself still loses. The operator has to commit anew.

     Packing: 4 members per word; lane k of a word = bits 64k..64k+61, a balance < 2**62 n¤ (4.6e9 ¤), exact. A net amount is biased by 2**62, so all lanes are added and checked at once:
     old + (net + 2**62) + 2**62 = 2**63 + new, hence bit 63 set and bit 62 clear <=> 0 <= new < 2**62.

     What a dishonest operator can try
     PREVENTED without anybody watching
       - take money out: tokens leave only by `withdraw`, `claim` and `takeBond`, to their owners
       - create or lose money: net amounts of a period must sum to zero, and there is none for an index that nobody has;
         nobody below zero or above a lane
       - settle a period twice, out of order or before it ended; commit a slot twice or before it ended
       - stop a netting by filling a lane: deposits fill its lower half only, so 2.3e9 ¤ of credits have room above
       - stop a netting by leaving: a withdrawal counts after the debits that are proposed, and the notice is so long that
         whatever a member traded before it asked can be proposed before it is paid
       - rewrite history: commitments form a hash chain; only a conviction, the arbiter's veto, or for the period's last
         commitment the operator's own `retract` takes some away, each with an event
       - escape by taking back: what veto or `retract` took away, commitments and net amounts alike, can be challenged for a
         full window after it, by the same evidence. An honest `retract` costs gas only: nobody has evidence against it
       - keep money in: a withdrawal request pays after `notice` at the latest; pause does not stop it; the
         operator can only shorten the notice. If nothing is committed for `silence` seconds, anyone can close the
         books, and everybody leaves at once with its settled balance; what was not settled by then is final nowhere
       - take the stake away: only with a notice, and never while a period is open; no commitment and no netting without a
         full penalty
     PROVABLE by any account, at the operator's cost, until the period is finalised: see `disputes.vy`
       - net amounts that differ from the period's last leaves, or debit a member beyond its limit
       - a tree whose sums do not add up or carry; a leaf missing, misplaced or in contradiction with itself or with
         the leaf before it; certificates beyond what was produced
       - a trade without a signed order, beyond it, or beyond what the member allowed its agent
       - an accepted order left out; a reading other than the gateway signed
       - a leaf, or what its hashes stand for, kept from its member on demand; silence while a period is open
     LOST KEYS, with a registry: whoever took a place over there has it here (`follow`), and what is in it. The registry's
     delay covers the notice and one window, in which the old key can stop it, or ask for all and take it; what it asked for
     before is paid to it first. So a registrar that replaces a key that is not lost moves no money whose owner looks once
     within the delay. A suspension there stops nobody who leaves here.
     TRUSTED, or seen only by comparing
       - that no more is stated as substituted than was; that it is no less, `demands.vy` judges
       - amounts of deviations, fees and dividends in a leaf: each member computes its own and asks the arbiter for a
         `veto` inside the window. A low debit limit and the notice bound the loss
       - the arbiter to look when called: it can only stop a netting, never change one or take money
       - the owner (governance) to choose operator, arbiter and, once, `disputes`; the operator to register members, or with
         a registry its registrar; whose key is lost, and who does not look, has nobody else
       - the currency: plain ERC-20 without transfer fees (a short transfer is refused)
     Whoever sees a challenge in the open can copy it and be paid instead: the fraud is stopped all the same.
     The operator carries the credit risk of trades it accepts after a member asked to leave: a netting that would overdraw
     a member is not taken; anybody can pay in for the member, or the operator takes the last slot back and corrects it.
"""

from ethereum.ercs import IERC20

from modules import tokens

interface Permit:
    def nonces(owner: address) -> uint256: view
    def DOMAIN_SEPARATOR() -> bytes32: view

interface Registry:
    def delay() -> uint256: view
    def accountOf(index: uint256) -> address: view

struct Commitment:
    slot: uint256  # number | substituted Wh taken << 64 | given << 128
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
PART: constant(uint256) = 256  # words a call
MAX_DEPTH: constant(uint256) = 13
MAX_BATCH: constant(uint256) = 128  # accounts a call
MAX_LATER: constant(uint256) = 287  # a day of five minutes
ONES: constant(uint256) = 1 + 2**64 + 2**128 + 2**192
TOP: constant(uint256) = ONES * 2**63  # bit 63 of every lane
BIAS: constant(uint256) = ONES * 2**62  # bit 62 of every lane
EVEN: constant(uint256) = (2**64 - 1) * (1 + 2**128)  # lanes 0 and 2
HALF: constant(uint256) = 2**128 - 1
LANE: constant(uint256) = 2**64 - 1
MAX_BALANCE: constant(uint256) = 2**62 - 1
MAX_PAID_IN: constant(uint256) = 2**61 - 1  # deposits leave the upper half of a lane to credits
# the books: newest period with a commitment, newest finalised, proposed one, and when that can be finalised
SETTLED_AT: constant(uint256) = 64
PROPOSED_AT: constant(uint256) = 128
READY_AT: constant(uint256) = 192
FIELD: constant(uint256) = 2**64 - 1
# a netting: words in all, words that were proposed, words that were applied, and which of two banks holds them
WRITTEN_AT: constant(uint256) = 16
APPLIED_AT: constant(uint256) = 32
BANK_AT: constant(uint256) = 48
SIZE: constant(uint256) = 2**16 - 1
# what was taken back: time until which it can be challenged, first slot, then bank and words of its netting
SLOT_AT: constant(uint256) = 64
KEPT_AT: constant(uint256) = 128
PERMIT_TYPE: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
# Signatures with s above half the curve order are refused (each one has a valid twin).
HALF_ORDER: constant(uint256) = (
    57896044618658097711785492504343953926418782139537452191302581570759080747168
)
# a term of office: since | until << 64, which is zero while it lasts
UNTIL_AT: constant(uint256) = 64
KNOWN: constant(uint256) = 1 << 128
ENDED: constant(uint256) = 2**62  # as newest period: nothing can be committed any more
# a period's marks: last slot, active period before it, and when the newest period was last heard of
PREVIOUS_AT: constant(uint256) = 64
HEARD_AT: constant(uint256) = 128
# the office: the operator's address and its stake
BOND_AT: constant(uint256) = 160
BOND_END: constant(uint256) = 2**96
ACCOUNT: constant(uint256) = 2**160 - 1

currency: public(immutable(IERC20))
depth: public(immutable(uint256))
slotSeconds: public(immutable(uint256))
slotsPerPeriod: public(immutable(uint256))
window: public(immutable(uint256))
notice: public(immutable(uint256))
silence: public(immutable(uint256))
lead: public(immutable(uint256))
penalty: public(immutable(uint256))
beneficiary: public(immutable(address))
registry: public(immutable(address))  # whose members have the same indices here; empty without one

owner: public(address)
pendingOwner: public(address)
office: uint256  # operator | stake << 160: one word, because every commitment reads both
pendingOperator: public(address)
terms: public(HashMap[address, uint256])  # by account: its term as operator, by which its receipts are judged
arbiter: public(address)
disputes: public(address)
paused: public(bool)
memberCount: public(uint256)
accountOf: public(HashMap[uint256, address])
memberNumber: public(HashMap[address, uint256])  # index plus one; of who lost its place | time << 64
memberSince: public(HashMap[uint256, uint256])  # by index, time of registration
balances: public(uint256[MAX_WORDS])
heads: public(HashMap[uint256, bytes32])  # by period: hash chain over its commitments
marks: HashMap[uint256, uint256]  # by period: last slot | active period before it << 64 | heard << 128
books: uint256  # newest period with a commitment | newest finalised << 64 | proposed << 128 | last readyAt << 192
netting: uint256  # words of the last netting | proposed << 16 | applied << 32 | bank << 48 | banks kept until << 64, << 128
sum: uint256  # of all lanes of the words proposed so far, in two halves, while parts are missing
nets: uint256[2 * MAX_WORDS]  # net amounts, in two banks: those that were taken back can still be challenged
undone: HashMap[bytes32, uint256]  # by head before it: challenged until | first slot << 64 | netting's words, bank << 128
permits: HashMap[address, uint256]  # by account: nonces of permits that have paid in
requests: public(HashMap[address, Request])
limits: public(HashMap[uint256, Limit])
bondRequest: public(Request)
awards: public(HashMap[address, uint256])  # from penalties, until claimed

event Registered:
    account: indexed(address)
    index: uint256

event Followed:
    index: indexed(uint256)
    former: indexed(address)
    account: indexed(address)

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
    word: uint256  # first one of the commitment: what of its period nobody has metered, behind the number
    root: bytes32
    certificates: bytes32
    money: uint256
    energy: uint256

event Proposed:
    period: indexed(uint256)
    words: uint256
    readyAt: uint256

event PartProposed:
    period: indexed(uint256)
    words: uint256  # proposed so far

event Voided:
    period: indexed(uint256)
    by: indexed(address)

event Rewound:
    period: indexed(uint256)
    slot: uint256  # first slot that has to be committed anew

event Convicted:
    period: indexed(uint256)
    challenger: indexed(address)
    amount: uint256

event Bonded:
    bond: uint256

event Ended:
    period: uint256

event Settled:
    period: indexed(uint256)
    words: uint256

event PartSettled:
    period: indexed(uint256)
    words: uint256  # applied so far

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
    silence_: uint256,
    penalty_: uint256,
    beneficiary_: address,
    lead_: uint256,
    registry_: address,
):
    """
    @notice Fix the currency, the clock and the penalty for ever; the deployer becomes owner.
    @param depth_ height of every slot tree; room for 2**(depth_ - 1) - 1 members, each with its blinding leaf
    @param window_ seconds a proposed netting can be challenged
    @param notice_ longest wait for a withdrawal; must cover the way from a gate to its slot's end, one period and one
           window: what was traded before it can be proposed in time
    @param silence_ seconds without a commitment after which anyone may close the books; at least the notice
    @param penalty_ n¤ that a conviction takes from the stake
    @param beneficiary_ account that receives what the challenger does not
    @param lead_ most slots between a gate and delivery: what members change counts for gates that are still open
    @param registry_ where members are entered and lost keys replaced; its delay must cover the notice and one window, so
           that who did not lose its key can leave before. Empty: the operator registers, and a lost key is lost
    """
    assert currency_ != empty(address), "settlement: no currency"
    assert 1 < depth_ and depth_ <= MAX_DEPTH, "settlement: bad depth"
    assert slotSeconds_ > 0 and slotsPerPeriod_ > 0 and window_ > 0, "settlement: bad clock"
    assert slotsPerPeriod_ <= MAX_LATER + 1, "settlement: too many slots"  # else the first ones could not be challenged
    assert notice_ >= slotSeconds_ * (slotsPerPeriod_ + lead_ + 1) + window_, "settlement: notice too short"
    assert silence_ >= notice_, "settlement: silence too short"
    assert beneficiary_ != empty(address), "settlement: no beneficiary"
    assert penalty_ < BOND_END, "settlement: penalty too large"
    currency = IERC20(currency_)
    depth = depth_
    slotSeconds = slotSeconds_
    slotsPerPeriod = slotsPerPeriod_
    window = window_
    notice = notice_
    silence = silence_
    penalty = penalty_
    beneficiary = beneficiary_
    lead = lead_
    registry = registry_
    if registry_ != empty(address):
        assert staticcall Registry(registry_).delay() >= notice_ + window_, "settlement: recovery too soon"
    self.owner = msg.sender
    log RoleSet(role="owner", account=msg.sender)


# -- members ----------------------------------------------------------------------------------------------


@external
def register(account: address) -> uint256:
    """
    @notice Give `account` the next index (operator only); an index is never taken back.
    @return index of the account, its place in trees and words
    """
    self._onlyOperator()
    return self._register(account)


@external
def registerMany(accounts: DynArray[address, MAX_BATCH]):
    """
    @notice Give each of `accounts` the next index, in their order (operator only): all of them or none.
    """
    self._onlyOperator()
    for account: address in accounts:
        self._register(account)


@external
@nonreentrant
def follow(index: uint256):
    """
    @notice Give a place to the account that took it over in the registry, after the registry's delay: its balance, limit
            and certificates not yet released. Anyone can call it. What the old account has requested is paid to it first,
            so that it waits until the notice is over and no net amounts are proposed; orders of the old account count
            for slots whose gate may have closed.
    """
    former: address = self.accountOf[index]
    account: address = staticcall Registry(registry).accountOf(index)
    number: uint256 = self.memberNumber[account]
    assert former != empty(address) and account != former, "settlement: nothing to follow"
    assert number & FIELD in [0, index + 1], "settlement: already a member"
    if self.requests[former].amount > 0:
        assert self._proposed() == 0, "settlement: netting under way"
        self._pay(index, former)
    self.memberNumber[former] |= block.timestamp << UNTIL_AT
    self.memberNumber[account] = index + 1
    self.accountOf[index] = account
    log Followed(index=index, former=former, account=account)


@external
@nonreentrant
def deposit(amount: uint256):
    """
    @notice Move `amount` n¤ from the caller's wallet to its balance here.
    """
    self._deposit(msg.sender, msg.sender, amount)


@external
@nonreentrant
def depositFor(account: address, amount: uint256):
    """
    @notice Move `amount` n¤ from the caller's wallet to the balance of the member `account`.
    """
    self._deposit(msg.sender, account, amount)


@external
@nonreentrant
def depositForMany(accounts: DynArray[address, MAX_BATCH], amounts: DynArray[uint256, MAX_BATCH]):
    """
    @notice Move n¤ from the caller's wallet to the balances of the members `accounts`: all of it or nothing.
    @param amounts n¤ for each account, in their order
    """
    self._notPaused()
    assert len(accounts) == len(amounts), "settlement: one amount for each"
    total: uint256 = 0
    i: uint256 = 0
    for account: address in accounts:
        self._credit(account, amounts[i])
        total += amounts[i]
        i += 1
    tokens._pull(currency, msg.sender, total)


@external
@nonreentrant
def depositWithPermit(account: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Move `amount` n¤ from the wallet of `account` to its own balance, with its EIP-2612 signature. Anyone can
            bring it, so that a member without coins for gas can pay in. A permit that somebody brought to the currency
            before still pays in, once, if the allowance suffices.
    """
    nonce: uint256 = staticcall Permit(currency.address).nonces(account)
    taken: bool = raw_call(
        currency.address,
        abi_encode(
            account, self, amount, deadline, v, r, s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    if taken:
        nonce += 1
    else:
        used: bool = nonce > self.permits[account]
        assert used and self._permits(account, amount, nonce - 1, deadline, v, r, s), "settlement: bad permit"
    self.permits[account] = nonce
    self._deposit(account, account, amount)


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
    self._onlyOperator()
    assert self.requests[account].amount > 0, "settlement: nothing requested"
    self.requests[account].readyAt = min(self.requests[account].readyAt, block.timestamp)


@external
@nonreentrant
def withdraw() -> uint256:
    """
    @notice Pay the caller its requested amount, or all that is left if less. Never paused. While net amounts are proposed,
            what they take or give does not leave; the rest of the request stands.
    @return amount paid in n¤
    """
    return self._pay(self._index(msg.sender), msg.sender)


@external
def setLimit(amount: uint256):
    """
    @notice Most the caller may be debited in one period, starting with the first period of which no gate has closed by the
            next slot: orders that were accepted before are still paid.
    @param amount n¤; 2**256 - 1 removes the limit
    """
    index: uint256 = self._index(msg.sender)
    begins: uint256 = (block.timestamp // slotSeconds + lead + 1) // slotsPerPeriod + 1
    books: uint256 = self.books
    settled: uint256 = (books >> SETTLED_AT) & FIELD
    # periods that are open, or can still be, must keep the limits that they have: with one change waiting, a second one
    # either replaces it or comes after it
    waiting: uint256 = self.limits[index].fromPeriod
    isOver: bool = waiting <= settled + 1
    if not isOver and settled == books & FIELD:
        isOver = waiting * slotSeconds * slotsPerPeriod + silence <= block.timestamp  # till then it can be late
    assert isOver or waiting >= begins, "settlement: last change still open"
    most: uint256 = 0
    if amount != max_value(uint256):
        most = amount + 1
    self.limits[index] = Limit(before=self._limit(index, begins - 1), after=most, fromPeriod=begins)
    log LimitSet(account=msg.sender, amount=amount, fromPeriod=begins)



# -- operator ---------------------------------------------------------------------------------------------


@external
def commitSlot(slot: uint256, root: bytes32, certificates: bytes32, money: uint256, energy: uint256):
    """
    @notice Commit the members' running totals at the end of `slot`, and the slot's certificates; slot n covers the
            seconds n * slotSeconds to (n + 1) * slotSeconds.
    @param slot its number | Wh taken << 64 | Wh given << 128 of the period that nobody has metered
    @param root Merkle-sum root over the members' leaves
    @param certificates root over the slot's certificates; zero without any
    @param money root sums: debit | credit << 64 | bought << 128 | sold << 192, each < 2**63
    @param energy root sums: imported | exported << 64 | produced << 128 | certified << 192, each < 2**63
    """
    at: uint256 = slot & FIELD
    office: uint256 = self.office
    assert convert(msg.sender, uint256) == office & ACCOUNT, "settlement: not the operator"
    assert block.timestamp >= (at + 1) * slotSeconds, "settlement: slot not over"
    assert (money | energy) & TOP == 0, "settlement: totals too large"
    assert money & LANE == (money >> 64) & LANE, "settlement: debit is not credit"
    number: uint256 = self._period(slot)
    books: uint256 = self.books
    newest: uint256 = books & FIELD
    mark: uint256 = self.marks[number]
    previous: uint256 = newest  # the active period before this one
    if mark == 0:
        assert number > newest, "settlement: period closed"
        self.books = books ^ newest ^ number
    else:
        assert number > (books >> SETTLED_AT) & FIELD and newest != ENDED, "settlement: period closed"
        assert at > mark & FIELD, "settlement: slot committed"
        previous = (mark >> PREVIOUS_AT) & FIELD
        if number != newest:
            self._hear(newest)
    assert (books >> PROPOSED_AT) & FIELD != number, "settlement: period proposed"
    assert office >> BOND_AT >= penalty, "settlement: stake too small"
    self.marks[number] = at | (previous << PREVIOUS_AT) | (block.timestamp << HEARD_AT)
    self.heads[number] = self._link(
        self.heads[number], Commitment(slot=slot, root=root, certificates=certificates, money=money, energy=energy)
    )
    log SlotCommitted(slot=at, word=slot, root=root, certificates=certificates, money=money, energy=energy)


@external
def propose(period: uint256, first: uint256, words: DynArray[uint256, PART]):
    """
    @notice Propose net amounts of a period, all at once or part by part; when the last part is there, they can be
            challenged for `window` seconds, and each as soon as it is proposed. Refused if a member would be overdrawn,
            and while amounts that were taken back with the very same commitments can be challenged.
    @param period number of the period: its first slot divided by slotsPerPeriod
    @param first number of the first word: as many as were proposed so far; with zero the proposal begins anew
    @param words lane k of word j = net of member 4j + k in n¤ plus 2**62
    """
    self._onlyOperator()
    self._notPaused()
    assert block.timestamp >= (period + 1) * slotSeconds * slotsPerPeriod, "settlement: period not over"
    books: uint256 = self.books
    settled: uint256 = (books >> SETTLED_AT) & FIELD
    open: bool = self.heads[period] != empty(bytes32) and period > settled and books & FIELD != ENDED
    assert open, "settlement: nothing to settle"
    assert (self.marks[period] >> PREVIOUS_AT) & FIELD == settled, "settlement: earlier period open"
    assert self.office >> BOND_AT >= penalty, "settlement: stake too small"
    netting: uint256 = self.netting
    begun: bool = (books >> PROPOSED_AT) & FIELD == period
    assert not begun or self._isPartial(netting), "settlement: already proposed"
    members: uint256 = self.memberCount
    bank: uint256 = (netting >> BANK_AT) & 1
    total: uint256 = 0
    if first == 0:
        assert block.timestamp >= (netting >> (64 + 64 * bank)) & FIELD, "settlement: window open"  # of what is there
        self._notKept(self.heads[period])
        netting = (netting & ~(2**BANK_AT - 1)) | ((members + 3) // 4)
    else:
        assert begun and first == (netting >> WRITTEN_AT) & SIZE, "settlement: other part"
        total = self.sum
    size: uint256 = netting & SIZE
    assert len(words) > 0 and first + len(words) <= size, "settlement: one net for each member"
    j: uint256 = first
    for word: uint256 in words:
        assert word & TOP == 0, "settlement: bad lane"
        total = unsafe_add(total, unsafe_add(word & EVEN, (word >> 64) & EVEN))
        self._netted(j, word)
        self.nets[unsafe_add(bank * MAX_WORDS, j)] = word
        j = unsafe_add(j, 1)
    self.netting = (netting & ~(SIZE << WRITTEN_AT)) | (j << WRITTEN_AT)
    if j < size:
        self.sum = total
        self.books = (books & ~(FIELD << PROPOSED_AT)) | (period << PROPOSED_AT)
        log PartProposed(period=period, words=j)
    else:
        assert (total & HALF) + (total >> 128) == size * 2**64, "settlement: not zero-sum"
        if members < 4 * size:  # whoever gets the index next would own the money
            beyond: uint256 = (words[len(words) - 1] ^ BIAS) >> (64 * (members % 4))
            assert beyond == 0, "settlement: net of nobody"
        readyAt: uint256 = block.timestamp + window
        self.books = (books & HALF) | (period << PROPOSED_AT) | (readyAt << READY_AT)
        log Proposed(period=period, words=j, readyAt=readyAt)


@external
def retract(opening: Opening):
    """
    @notice Take back an open period's last commitment and what was proposed of its netting, for example because it would
            overdraw a member, or to mend an error before any leaf was served; the slot is committed once more. Whoever
            has a leaf that shows a fraud can still challenge both, for a window. Refused while amounts that were taken
            back with the very same commitments can be challenged.
    @param opening the last commitment
    """
    self._onlyOperator()
    period: uint256 = self._period(opening.commitment.slot)
    assert self._isOpenPeriod(period), "settlement: period closed"
    assert len(opening.later) == 0, "settlement: not the last slot"
    self._takeBack(period, opening)


@external
@nonreentrant
def fundBond(amount: uint256):
    """
    @notice Add `amount` n¤ from the caller's wallet to the operator's stake.
    """
    assert amount < BOND_END - self._bond(), "settlement: bad amount"
    self._keepBond(self._bond() + amount)
    tokens._pull(currency, msg.sender, amount)


@external
def requestBond(amount: uint256):
    """
    @notice Operator: announce that `amount` n¤ of the stake shall leave; payable by `takeBond` after the notice, when
            no period is open. A new request replaces the old one; zero cancels.
    """
    self._onlyOperator()
    self.bondRequest = Request(amount=amount, readyAt=block.timestamp + notice)


@external
@nonreentrant
def takeBond() -> uint256:
    """
    @notice Operator: receive the requested part of the stake, or all that is left if less.
    @return amount paid in n¤
    """
    self._onlyOperator()
    request: Request = self.bondRequest
    assert request.amount > 0, "settlement: nothing requested"
    assert block.timestamp >= request.readyAt, "settlement: notice running"
    assert not self._isOpen(), "settlement: period open"
    bond: uint256 = self._bond()
    amount: uint256 = min(request.amount, bond)
    self._keepBond(bond - amount)
    self.bondRequest = empty(Request)
    tokens._push(currency, msg.sender, amount)
    return amount


# -- anyone -----------------------------------------------------------------------------------------------


@external
def finalise(most: uint256):
    """
    @notice Apply the proposed net amounts after the window, as many words as wanted; when the last one is applied, the
            period is settled. Anybody can go on where somebody stopped, and nothing stops it any more.
    @param most words to apply in this call at most
    """
    books: uint256 = self.books
    period: uint256 = (books >> PROPOSED_AT) & FIELD
    netting: uint256 = self.netting
    assert period != 0 and not self._isPartial(netting), "settlement: nothing proposed"
    applied: uint256 = (netting >> APPLIED_AT) & SIZE
    if applied == 0:
        self._notPaused()
        assert block.timestamp >= books >> READY_AT, "settlement: window open"
    assert most > 0, "settlement: no words"
    size: uint256 = netting & SIZE
    bank: uint256 = (netting >> BANK_AT) & 1
    end: uint256 = min(most, size - applied) + applied
    for j: uint256 in range(applied, end, bound=MAX_WORDS):
        word: uint256 = self.nets[unsafe_add(bank * MAX_WORDS, j)]
        if word != BIAS:  # four nets of zero change nothing
            self.balances[j] = self._netted(j, word)
    if end < size:
        self.netting = (netting & ~(SIZE << APPLIED_AT)) | (end << APPLIED_AT)
        log PartSettled(period=period, words=end)
    else:
        self.books = (books & (FIELD | (FIELD << READY_AT))) | (period << SETTLED_AT)
        log Settled(period=period, words=size)


@external
def declareSilence():
    """
    @notice Close the books for ever when for `silence` seconds nothing was committed or taken back, nor was a window of a
            netting open: withdrawals need no notice from then on. Costs the operator a penalty if a period is open.
    """
    books: uint256 = self.books
    period: uint256 = books & FIELD
    assert period != 0 and not self._hasEnded(), "settlement: nothing to end"
    heard: uint256 = max(self.marks[period] >> HEARD_AT, books >> READY_AT)
    assert block.timestamp >= heard + silence, "settlement: not silent"
    assert not self._isStarted(), "settlement: netting under way"  # anybody can end it
    if self._isOpen():
        self._punish(period, msg.sender)
    self.books = ENDED | (books & (FIELD << SETTLED_AT))
    log Ended(period=period)


@external
@nonreentrant
def claim() -> uint256:
    """
    @notice Pay the caller what penalties have awarded it.
    @return amount paid in n¤
    """
    amount: uint256 = self.awards[msg.sender]
    assert amount > 0, "settlement: nothing awarded"
    self.awards[msg.sender] = 0
    tokens._push(currency, msg.sender, amount)
    return amount


# -- judges -----------------------------------------------------------------------------------------------


@external
def convict(opening: Opening, challenger: address):
    """
    @notice Disputes: a commitment was shown to be wrong. It and all later ones of its period count no more. One that was
            taken back costs the same, once for each time that something was taken back.
    """
    self._onlyJudge()
    slot: uint256 = opening.commitment.slot & FIELD
    period: uint256 = self._period(slot)
    head: bytes32 = self._head(opening)
    if head != self.heads[period] and self.undone[head] != 0:
        assert slot >= (self.undone[head] >> SLOT_AT) & FIELD, "settlement: other slot"  # it still counts
        self._convictUndone(period, head, challenger)
        return
    assert self._isOpenPeriod(period), "settlement: period closed"
    if self._proposed() == period:
        self._void(period)
    self._rewind(period, opening)
    self._punish(period, challenger)


@external
def convictNetting(opening: Opening, challenger: address):
    """
    @notice Disputes: net amounts, pending or taken back, were shown to differ from the leaves.
    @param opening last commitment of their period
    """
    self._onlyJudge()
    period: uint256 = self._period(opening.commitment.slot)
    head: bytes32 = self._head(opening)
    if self._isProposed(period, head):
        self._void(period)
        self._punish(period, challenger)
    else:
        self._convictUndone(period, head, challenger)


@external
def veto(opening: Opening):
    """
    @notice Arbiter: stop the netting while it is proposed and inside its window (leaves unpublished or wrong in what nobody
            can prove), and take back what was committed from a slot on.
    @param opening first commitment of the period that shall count no more
    """
    assert msg.sender == self.arbiter, "settlement: not the arbiter"
    period: uint256 = self._proposed()
    assert period != 0, "settlement: nothing proposed"
    inTime: bool = self._isPartial(self.netting) or block.timestamp < self.books >> READY_AT
    assert inTime, "settlement: window closed"
    self._takeBack(period, opening)


# -- roles ------------------------------------------------------------------------------------------------


@external
def setPaused(paused: bool):
    """
    @notice Owner or arbiter: stop or resume deposits, proposals and finalising; withdrawals always go on, and so does a
            netting of which a part was applied.
    """
    assert msg.sender == self.owner or msg.sender == self.arbiter, "settlement: not allowed"
    self.paused = paused
    log PauseSet(paused=paused)


@external
def setArbiter(account: address):
    """
    @notice Owner: name the arbiter; it must be neither the operator nor its candidate.
    """
    self._onlyOwner()
    assert account not in [self._operator(), self.pendingOperator], "settlement: roles must differ"
    self.arbiter = account
    log RoleSet(role="arbiter", account=account)


@external
def setDisputes(account: address):
    """
    @notice Owner: name the contract that judges evidence, once and for ever.
    """
    self._onlyOwner()
    assert self.disputes == empty(address) and account != empty(address), "settlement: judge is fixed"
    self.disputes = account
    log RoleSet(role="disputes", account=account)


@external
def offerOperator(candidate: address):
    """
    @notice Owner: first step of an operator change; the old one works on until the new one accepts.
    """
    self._onlyOwner()
    assert candidate == empty(address) or candidate != self.arbiter, "settlement: roles must differ"
    self.pendingOperator = candidate


@external
def acceptOperator():
    """
    @notice Second step: the candidate becomes operator, who has one term: receipts are judged by who held the office.
    """
    assert msg.sender == self.pendingOperator, "settlement: not the candidate"
    former: address = self._operator()
    if former != msg.sender:
        assert self.terms[msg.sender] == 0, "settlement: had its term"
        since: uint256 = 0
        if former != empty(address):
            since = block.timestamp
            self.terms[former] = self.terms[former] | (since << UNTIL_AT)
        self.terms[msg.sender] = KNOWN | since
    self.office = convert(msg.sender, uint256) | (self._bond() << BOND_AT)
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
    assert msg.sender == self.pendingOwner, "settlement: not the candidate"
    self.owner = msg.sender
    self.pendingOwner = empty(address)
    log RoleSet(role="owner", account=msg.sender)


# -- views ------------------------------------------------------------------------------------------------


@external
@view
def balanceOf(account: address) -> uint256:
    """
    @notice Settled balance in n¤; net amounts are not included before the last part of their period is applied.
    """
    return self._settled(self._index(account))


@external
@view
def operator() -> address:
    """
    @notice Who commits slots, proposes nettings and answers for both with the stake.
    """
    return self._operator()


@external
@view
def bond() -> uint256:
    """
    @notice The operator's stake in n¤; it stays with the office.
    """
    return self._bond()


@external
@view
def isPending() -> bool:
    """
    @notice Whether a whole proposal waits for its window to end or to be finalised.
    """
    return self._proposed() != 0 and not self._isPartial(self.netting)


@external
@view
def proposal() -> (uint256, uint256):
    """
    @notice Period whose net amounts are proposed, all of them, and the time from which they can be finalised; else zeros.
    """
    period: uint256 = self._proposed()
    if period == 0 or self._isPartial(self.netting):
        return 0, 0
    return period, self.books >> READY_AT


@external
@view
def parts() -> (uint256, uint256, uint256, uint256):
    """
    @notice How far a netting is: its period; its words, four members each; how many were proposed, how many applied.
            Zeros without one.
    """
    period: uint256 = self._proposed()
    if period == 0:
        return 0, 0, 0, 0
    netting: uint256 = self.netting
    return period, netting & SIZE, (netting >> WRITTEN_AT) & SIZE, (netting >> APPLIED_AT) & SIZE


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
def limitIn(index: uint256, period: uint256) -> uint256:
    """
    @notice Most a member may be debited in a period, plus one; zero means no limit.
    """
    return self._limit(index, period)


@external
@view
def hasEnded() -> bool:
    """
    @notice Whether the books were closed because the operator fell silent.
    """
    return self._hasEnded()


@external
@view
def isCommitted(opening: Opening) -> bool:
    """
    @notice Whether a slot was committed with exactly this content, certificates' root included, and still counts; it can
            be challenged and taken back until it is final. A commitment that was taken back never counts again.
    @param opening the commitment, the head of its period's hash chain before it, and the hashes of the period's later
                   commitments, keccak256 of their five words each
    """
    return self._isCommitted(opening)


@external
@view
def netsOf(opening: Opening, word: uint256) -> uint256:
    """
    @notice Net amounts of four members that can be challenged with a period's last commitment: those that are proposed, or
            that were taken back with it less than a window ago; zero without any.
    @param word the first member's index divided by four
    """
    head: bytes32 = self._head(opening)
    netting: uint256 = 0
    if self._isProposed(self._period(opening.commitment.slot), head):
        netting = self.netting
    elif block.timestamp < self.undone[head] & FIELD:
        netting = self.undone[head] >> KEPT_AT
    if word >= (netting >> WRITTEN_AT) & SIZE:
        return 0
    return self.nets[((netting >> BANK_AT) & 1) * MAX_WORDS + word]


@external
@view
def isContestable(opening: Opening) -> bool:
    """
    @notice Whether evidence against a commitment counts: it is not final yet, or was taken back less than a window ago.
    """
    slot: uint256 = opening.commitment.slot & FIELD
    period: uint256 = self._period(slot)
    head: bytes32 = self._head(opening)
    if head == self.heads[period]:
        return self._isOpenPeriod(period)
    undone: uint256 = self.undone[head]
    return block.timestamp < undone & FIELD and slot >= (undone >> SLOT_AT) & FIELD


@external
@view
def isFinal(opening: Opening) -> bool:
    """
    @notice Whether a commitment is final: its period was netted after a window in which it could be challenged. What other
            contracts give for a commitment they give for a final one only. Nothing becomes final by silence.
    """
    period: uint256 = self._period(opening.commitment.slot)
    return period <= (self.books >> SETTLED_AT) & FIELD and self._isCommitted(opening)


# -- internal ---------------------------------------------------------------------------------------------


@internal
@view
def _onlyOwner():
    """
    @dev Refuses everybody else.
    """
    assert msg.sender == self.owner, "settlement: not the owner"


@internal
@view
def _onlyOperator():
    """
    @dev Refuses everybody else.
    """
    assert msg.sender == self._operator(), "settlement: not the operator"


@internal
@view
def _onlyJudge():
    """
    @dev Refuses everybody else.
    """
    assert msg.sender == self.disputes, "settlement: not the judge"


@internal
@view
def _notPaused():
    """
    @dev Refuses while deposits and nettings rest.
    """
    assert not self.paused, "settlement: paused"


@internal
@view
def _index(account: address) -> uint256:
    """
    @dev Index of a member.
    """
    index: uint256 = unsafe_sub(self.memberNumber[account], 1)
    assert index < FIELD, "settlement: not a member"
    return index


@internal
@view
def _balance(index: uint256) -> uint256:
    """
    @dev One lane.
    """
    return (self.balances[index // 4] >> (64 * (index % 4))) & MAX_BALANCE


@internal
@view
def _netted(j: uint256, word: uint256) -> uint256:
    """
    @dev A word of balances with net amounts added; nobody falls below zero or rises above its lane.
    """
    balance: uint256 = unsafe_add(unsafe_add(self.balances[j], word), BIAS)
    assert balance & (TOP | BIAS) == TOP, "settlement: overdraft or lane overflow"
    return balance ^ TOP


@internal
@view
def _sides(index: uint256) -> (uint256, uint256):
    """
    @dev Balance of an index before and after what is proposed for it; the same without any.
    """
    balance: uint256 = self._balance(index)
    if self._proposed() == 0:
        return balance, balance
    netting: uint256 = self.netting
    j: uint256 = index // 4
    if j >= (netting >> WRITTEN_AT) & SIZE:
        return balance, balance
    word: uint256 = self.nets[((netting >> BANK_AT) & 1) * MAX_WORDS + j]
    net: uint256 = (word >> (64 * (index % 4))) & LANE
    if j < (netting >> APPLIED_AT) & SIZE:
        return balance + 2**62 - net, balance
    return balance, balance + net - 2**62


@internal
@view
def _settled(index: uint256) -> uint256:
    """
    @dev Balance without what a netting that is not at its end has done to it.
    """
    return self._sides(index)[0]


@internal
@view
def _span(index: uint256) -> (uint256, uint256):
    """
    @dev Least and most that an index has before and after what is proposed for it: no more may leave, and no more come in.
    """
    before: uint256 = 0
    after: uint256 = 0
    before, after = self._sides(index)
    return min(before, after), max(before, after)


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
def _period(word: uint256) -> uint256:
    """
    @dev Period of a commitment by its first word.
    """
    return (word & FIELD) // slotsPerPeriod


@internal
@view
def _isCommitted(opening: Opening) -> bool:
    """
    @dev Whether an opening leads to the head of its period.
    """
    return self._head(opening) == self.heads[self._period(opening.commitment.slot)]


@internal
@pure
def _head(opening: Opening) -> bytes32:
    """
    @dev Head that an opening leads to.
    """
    head: bytes32 = self._link(opening.previous, opening.commitment)
    for later: bytes32 in opening.later:
        head = keccak256(concat(head, later))
    return head


@internal
@view
def _proposed() -> uint256:
    """
    @dev Period whose net amounts are proposed, all or some of them; zero without any.
    """
    return (self.books >> PROPOSED_AT) & FIELD


@internal
@view
def _isProposed(period: uint256, head: bytes32) -> bool:
    """
    @dev Whether net amounts of a period with this head are proposed, and none is applied.
    """
    isSame: bool = self._proposed() == period and self.heads[period] == head
    return isSame and not self._isStarted()


@internal
@pure
def _isPartial(netting: uint256) -> bool:
    """
    @dev Whether words of a netting that was begun are missing.
    """
    return (netting >> WRITTEN_AT) & SIZE != netting & SIZE


@internal
@view
def _isStarted() -> bool:
    """
    @dev Whether a part of a netting was applied, and the last one was not.
    """
    return self._proposed() != 0 and (self.netting >> APPLIED_AT) & SIZE != 0


@internal
@view
def _isOpenPeriod(period: uint256) -> bool:
    """
    @dev Whether evidence counts in a period, and commitments can be taken back.
    """
    isUnderWay: bool = self._proposed() == period and self._isStarted()
    return period > (self.books >> SETTLED_AT) & FIELD and not self._hasEnded() and not isUnderWay


@internal
@view
def _isOpen() -> bool:
    """
    @dev Whether a period has commitments and is not finalised.
    """
    return self.books & FIELD != (self.books >> SETTLED_AT) & FIELD and not self._hasEnded()


@internal
@view
def _hasEnded() -> bool:
    """
    @dev Whether the books are closed for ever.
    """
    return self.books & FIELD == ENDED


@internal
def _void(period: uint256):
    """
    @dev Drop the proposal.
    """
    self.books = self.books & ~(FIELD << PROPOSED_AT)
    log Voided(period=period, by=msg.sender)


@internal
def _takeBack(period: uint256, opening: Opening):
    """
    @dev Drop the proposal and rewind without a conviction: evidence against both counts for a window from now. Until then
         the net amounts keep their bank; the next ones come into the other.
    """
    self._notKept(self.heads[period])
    until: uint256 = block.timestamp + window
    undone: uint256 = until | (opening.commitment.slot << 192 >> 128)  # its number behind the time
    if self._proposed() == period:
        netting: uint256 = self.netting
        at: uint256 = 64 + 64 * ((netting >> BANK_AT) & 1)
        undone = undone | ((netting & (2**64 - 1)) << KEPT_AT)
        self.netting = (netting & ~(FIELD << at) | (until << at)) ^ (1 << BANK_AT)
        self._void(period)
    self.undone[self.heads[period]] = undone
    self._rewind(period, opening)


@internal
@view
def _notKept(head: bytes32):
    """
    @dev Refuses while amounts that were taken back with the very same commitments can be challenged: nobody could show
         both, and what is taken back once more would take the place of the first.
    """
    undone: uint256 = self.undone[head]
    assert undone >> KEPT_AT == 0 or block.timestamp >= undone & FIELD, "settlement: was taken back"


@internal
def _convictUndone(period: uint256, head: bytes32, challenger: address):
    """
    @dev Punish for what was taken back, once.
    """
    assert block.timestamp < self.undone[head] & FIELD, "settlement: window closed"
    self.undone[head] = 0
    self._punish(period, challenger)


@internal
def _rewind(period: uint256, opening: Opening):
    """
    @dev Take back a commitment of the period and all after it; the slots can be committed anew. Leaves are running
         totals, so a corrected slot corrects the period.
    """
    slot: uint256 = opening.commitment.slot & FIELD
    assert self._period(slot) == period and self._isCommitted(opening), "settlement: other slot"
    self.heads[period] = opening.previous
    self.marks[period] = (self.marks[period] & ~FIELD) | (slot - 1)
    self._hear(self.books & FIELD)  # there is time to commit anew
    log Rewound(period=period, slot=slot)


@internal
@view
def _permits(
    account: address, amount: uint256, nonce: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32
) -> bool:
    """
    @dev Whether an account signed a permit for this contract; nobody has the empty one.
    """
    if account == empty(address) or convert(s, uint256) > HALF_ORDER:
        return False
    domain: bytes32 = staticcall Permit(currency.address).DOMAIN_SEPARATOR()
    content: bytes32 = keccak256(abi_encode(PERMIT_TYPE, account, self, amount, nonce, deadline))
    return ecrecover(keccak256(concat(b"\x19\x01", domain, content)), v, r, s) == account


@internal
def _hear(newest: uint256):
    """
    @dev Note the time with the newest period: silence counts from here.
    """
    self.marks[newest] = (self.marks[newest] & (2**HEARD_AT - 1)) | (block.timestamp << HEARD_AT)


@internal
@view
def _operator() -> address:
    """
    @dev Who has the office.
    """
    return convert(convert(self.office & ACCOUNT, uint160), address)


@internal
@view
def _bond() -> uint256:
    """
    @dev The stake of the office.
    """
    return self.office >> BOND_AT


@internal
def _keepBond(bond: uint256):
    """
    @dev Change the stake.
    """
    self.office = (self.office & ACCOUNT) | (bond << BOND_AT)
    log Bonded(bond=bond)


@internal
def _punish(period: uint256, challenger: address):
    """
    @dev Half of the penalty to the challenger, the rest to the beneficiary: accusing oneself is never free.
    """
    bond: uint256 = self._bond()
    amount: uint256 = min(penalty, bond)
    self._keepBond(bond - amount)
    self.awards[challenger] += amount // 2
    self.awards[beneficiary] += amount - amount // 2
    log Convicted(period=period, challenger=challenger, amount=amount)


@internal
def _pay(index: uint256, account: address) -> uint256:
    """
    @dev Pay what an account has requested of the balance in its place, as far as it may leave now.
    """
    request: Request = self.requests[account]
    assert request.amount > 0, "settlement: nothing requested"
    assert block.timestamp >= request.readyAt or self._hasEnded(), "settlement: notice running"
    amount: uint256 = min(request.amount, self._span(index)[0])
    if self._proposed() == 0:
        self.requests[account] = empty(Request)
    else:
        self.requests[account].amount = request.amount - amount
    self.balances[index // 4] -= amount << (64 * (index % 4))
    log Withdrawn(account=account, amount=amount)
    tokens._push(currency, account, amount)
    return amount


@internal
def _register(account: address) -> uint256:
    """
    @dev Give an account the next index; the caller has checked who may.
    """
    index: uint256 = self.memberCount
    self.memberCount = index + 1
    assert account != empty(address) and account != self, "settlement: bad account"
    assert self.memberNumber[account] == 0, "settlement: already a member"
    assert index + 1 < 1 << (depth - 1), "settlement: full"
    if registry != empty(address):
        assert staticcall Registry(registry).accountOf(index) == account, "settlement: not in the registry"
    self.accountOf[index] = account
    self.memberNumber[account] = index + 1
    self.memberSince[index] = block.timestamp
    log Registered(account=account, index=index)
    return index


@internal
def _deposit(payer: address, account: address, amount: uint256):
    """
    @dev Move money from a wallet to a member's balance.
    """
    self._notPaused()
    self._credit(account, amount)
    tokens._pull(currency, payer, amount)


@internal
def _credit(account: address, amount: uint256):
    """
    @dev Add to a member's balance what the caller takes from a wallet after it.
    """
    index: uint256 = self._index(account)
    room: uint256 = unsafe_sub(MAX_PAID_IN, min(self._span(index)[1], MAX_PAID_IN))
    assert unsafe_sub(amount, 1) < room, "settlement: bad amount"  # zero becomes the largest number
    self.balances[index // 4] += amount << (64 * (index % 4))
    log Deposited(account=account, amount=amount)
