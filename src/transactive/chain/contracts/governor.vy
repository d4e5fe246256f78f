# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Governor
@notice Members decide, one member one vote; what they decided happens after everybody who disagrees could leave.
@dev A vote belongs to an index of the registry: nothing is bought, lent or moved. A proposal is made by a member, seconded
     by others, voted on, and executed after a delay, all of its actions or none. There are two kinds: an ordinary one calls
     the contract `rules` and nothing else; a basic one calls anything, this contract too.

     ENFORCED
       - who votes: members that are in the registry `season` seconds before the vote begins, so that sock puppets and flash
         members come too late; a suspension takes no vote away and silences nobody; a recovered key finds its member's vote
         and can change it, not add one
       - what is executed is what was voted on: the kind, the actions, the code that they meet and the hash of what members
         read are one digest, which every signed ballot names
       - approval counts yes against all electors, so that a no never helps a proposal over its quorum
       - a vote that turns the result in the last `quiet` seconds prolongs the vote, once: no sniping
       - whoever disagrees can leave first: nothing happens before `leavingTime` has passed since the vote ended, which is
         asked of the settlement as the proposal is made and again as it is executed; nor later than `grace` after that
       - the terms of a vote are those of the day on which it was proposed
       - the guardian only stops, each proposal once: members vote `BRAKE` seconds more, and the delay begins again. It
         cannot stop what concerns this contract alone, so not its own replacement, and cannot revive what failed
       - a member that moved away is struck off only by itself, or a season after the registry took all its roles and
         without its objection
     DETECTABLE
       - the guardian stopping one proposal after the other: each stop is an event, and members replace it
     TRUSTED
       - the registrar for who is a member, in slow motion: whom it enters votes a season later
       - code that a target calls in its turn: a proxy can change behind its hash; the founders' choice of the first electors
     PRIVACY: votes are public by index for ever, and whoever runs the market knows who is behind an index. So this contract
     decides on things; persons, where the law wants a secret vote, are elected elsewhere.
"""

interface Registry:
    def memberCount() -> uint256: view
    def accountOf(index: uint256) -> address: view
    def standing(account: address) -> (uint256, uint256): view
    def rolesOf(index: uint256) -> uint256: view

interface Settlement:
    def notice() -> uint256: view
    def window() -> uint256: view
    def slotSeconds() -> uint256: view
    def slotsPerPeriod() -> uint256: view
    def lead() -> uint256: view

struct Action:
    target: address
    data: Bytes[MAX_DATA]

struct Kind:
    seconders: uint256  # members beside the proposer that a vote needs; of a small community all others
    period: uint256  # s of seconding at most, and of voting
    approval: uint256  # ppm of all electors that have to say yes
    majority: uint256  # ppm of yes among yes and no that has to be exceeded
    delay: uint256  # s from the end of the vote to execution, at least

struct Proposal:
    electorate: uint256  # who can vote, counted as the vote began
    members: uint256  # indices below this one can vote, unless they were struck off
    yes: uint256
    no: uint256
    ends: uint256  # Unix s: of seconding, then of voting
    seconded: uint256
    flags: uint256  # OPEN, PROLONGED, STOPPED, EXECUTED, OWN

struct Terms:
    kind: uint256
    needed: uint256  # seconders
    period: uint256
    approval: uint256
    majority: uint256
    delay: uint256

struct Ballot:
    index: uint256
    support: uint256
    turn: uint256  # 1 to 62: a later one replaces an earlier one
    r: bytes32
    vs: bytes32  # s, and the parity of v in the highest bit (EIP-2098)

ORDINARY: public(constant(uint256)) = 0
BASIC: public(constant(uint256)) = 1
YES: public(constant(uint256)) = 1
NO: public(constant(uint256)) = 2
ABSTAIN: public(constant(uint256)) = 3
OPEN: public(constant(uint256)) = 1  # seconded: the vote has begun
PROLONGED: public(constant(uint256)) = 2
STOPPED: public(constant(uint256)) = 4
EXECUTED: public(constant(uint256)) = 8
OWN: public(constant(uint256)) = 16  # concerns this contract alone, and cannot be stopped
BRAKE: public(constant(uint256)) = 7 * 86400  # s that a stop gives to a new vote
MOST_PROXIES: public(constant(uint256)) = 2  # members that one can vote for beside itself
MAX_BALLOTS: constant(uint256) = 128
MAX_ACTIONS: constant(uint256) = 8
MAX_DATA: constant(uint256) = 1024
MAX_WITHOUT: constant(uint256) = 16
MOST_APPROVAL: constant(uint256) = PPM // 2  # else a community that grows could decide nothing any more
MOST_MAJORITY: constant(uint256) = 800_000
LONGEST: constant(uint256) = 120 * 86400  # s of a period, a delay
PPM: constant(uint256) = 10**6
# a vote in eight bits: answer, and turn: 0 of a proxy, 1 to 62 of signed ballots, 63 of the member's own transaction
TURN_AT: constant(uint256) = 2
OWN_TURN: constant(uint256) = 63
LANES: constant(uint256) = 32
# a proposal's course in one word, so that a vote writes only that; its terms in another
MEMBERS_AT: constant(uint256) = 32
YES_AT: constant(uint256) = 64
NO_AT: constant(uint256) = 96
ENDS_AT: constant(uint256) = 128
SECONDED_AT: constant(uint256) = 192
FLAGS_AT: constant(uint256) = 224
NEEDED_AT: constant(uint256) = 32
PERIOD_AT: constant(uint256) = 64
APPROVAL_AT: constant(uint256) = 128
MAJORITY_AT: constant(uint256) = 160
DELAY_AT: constant(uint256) = 192
COUNT: constant(uint256) = 2**32 - 1
TIME: constant(uint256) = 2**64 - 1
BALLOT_TYPE: constant(bytes32) = keccak256(
    "Ballot(uint256 proposal,bytes32 content,uint256 index,uint256 support,uint256 turn)"
)
DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
HALF_ORDER: constant(uint256) = (
    57896044618658097711785492504343953926418782139537452191302581570759080747168
)

registry: public(immutable(Registry))
settlement: public(immutable(Settlement))
season: public(immutable(uint256))
quiet: public(immutable(uint256))
grace: public(immutable(uint256))

guardian: public(address)
rules: public(address)
count: public(uint256)
contents: public(HashMap[uint256, bytes32])  # by proposal: digest of all that is voted on
openOf: public(HashMap[uint256, uint256])  # by member: its newest proposal, plus one
proxyOf: public(HashMap[uint256, uint256])  # by member: who may vote for it, plus one
represented: public(HashMap[uint256, uint256])  # by proxy: how many
announced: public(HashMap[uint256, uint256])  # by member: since when it is to be struck off, Unix s
goneCount: public(uint256)  # members that were struck off
kinds: HashMap[uint256, Kind]
courses: HashMap[uint256, uint256]
terms: HashMap[uint256, uint256]
seconds: HashMap[uint256, HashMap[uint256, uint256]]  # by proposal: a bit a member
votes: HashMap[uint256, HashMap[uint256, uint256]]  # by proposal: eight bits a member
gone: HashMap[uint256, uint256]  # a bit a member that was struck off
seasoned: uint256  # members of an earlier date | date << 128
recent: uint256  # the same of a later date

event Proposed:
    proposal: indexed(uint256)
    by: indexed(uint256)
    kind: uint256
    document: bytes32  # SHA-256 of what members read, with the consequences
    actions: DynArray[Action, MAX_ACTIONS]

event Seconded:
    proposal: indexed(uint256)
    by: indexed(uint256)

event Begun:
    proposal: indexed(uint256)
    electorate: uint256
    ends: uint256

event Voted:
    proposal: indexed(uint256)
    index: indexed(uint256)
    support: uint256

event Tallied:
    proposal: indexed(uint256)
    yes: uint256
    no: uint256

event Prolonged:
    proposal: indexed(uint256)
    ends: uint256

event Stopped:
    proposal: indexed(uint256)
    ends: uint256

event Executed:
    proposal: indexed(uint256)

event ProxySet:
    index: indexed(uint256)
    proxy: indexed(uint256)

event LeaveAnnounced:
    index: indexed(uint256)

event Stayed:
    index: indexed(uint256)

event Left:
    index: indexed(uint256)

event KindSet:
    kind: indexed(uint256)

event RoleSet:
    role: indexed(String[16])
    account: indexed(address)


@deploy
def __init__(
    registry_: address,
    settlement_: address,
    rules_: address,
    guardian_: address,
    season_: uint256,
    quiet_: uint256,
    grace_: uint256,
    ordinary: Kind,
    basic: Kind,
    without: DynArray[uint256, MAX_WITHOUT],
):
    """
    @notice Found the vote of a community: its members of today are electors at once.
    @param guardian_ who may stop proposals; nobody may, if empty
    @param season_ seconds for which one has to be a member before a vote begins
    @param quiet_ seconds at the end of a vote in which a turn of the result prolongs it
    @param grace_ seconds in which what was decided can be executed
    @param without indices that only settle, as the supplier's: they have no role in the registry, and no vote
    """
    assert registry_.is_contract and settlement_.is_contract and rules_.is_contract, "governor: no contract"
    assert season_ > 0 and grace_ > 0, "governor: bad times"
    registry = Registry(registry_)
    settlement = Settlement(settlement_)
    season = season_
    quiet = quiet_
    grace = grace_
    self.rules = rules_
    self.guardian = guardian_
    self._setKind(ORDINARY, ordinary)
    self._setKind(BASIC, basic)
    self.seasoned = staticcall registry.memberCount() | (block.timestamp << 128)
    self.recent = self.seasoned
    for index: uint256 in without:
        assert staticcall registry.rolesOf(index) == 0 and not self._isGone(index), "governor: has roles"
        self._strike(index)
    log RoleSet(role="guardian", account=guardian_)
    log RoleSet(role="rules", account=rules_)


# -- electors ---------------------------------------------------------------------------------------------


@external
def checkpoint():
    """
    @notice Note how many members there are; anyone, any time. Votes and proposals do it by themselves.
    """
    self._checkpoint()


@external
def setProxy(index: uint256, proxy: uint256):
    """
    @notice Member: let another one vote for it; itself ends that. Nobody represents more than two others, and the member's
            own vote wins.
    """
    assert msg.sender == staticcall registry.accountOf(index), "governor: not the member"
    before: uint256 = self.proxyOf[index]
    if before > 0:
        self.represented[before - 1] -= 1
        self.proxyOf[index] = 0
    if proxy != index:
        assert staticcall registry.accountOf(proxy) != empty(address), "governor: no such member"
        assert self.represented[proxy] < MOST_PROXIES, "governor: represents enough"
        self.represented[proxy] += 1
        self.proxyOf[index] = proxy + 1
    log ProxySet(index=index, proxy=proxy)


@external
def leave(index: uint256):
    """
    @notice Strike a member off the electors, for good: at its own word at once; of a member without any role in the
            registry at anybody's, who says it again a season later, unless the member objects.
    """
    self._checkpoint()
    assert index < self._members() and not self._isGone(index), "governor: no elector"
    if msg.sender != staticcall registry.accountOf(index):
        assert staticcall registry.rolesOf(index) == 0, "governor: has roles"
        since: uint256 = self.announced[index]
        if since == 0 or block.timestamp >= since + 2 * season:
            self.announced[index] = block.timestamp
            log LeaveAnnounced(index=index)
            return
        assert block.timestamp >= since + season, "governor: season running"
    self._strike(index)


@external
def stay(index: uint256):
    """
    @notice Member: object to being struck off.
    """
    assert msg.sender == staticcall registry.accountOf(index), "governor: not the member"
    self.announced[index] = 0
    log Stayed(index=index)


# -- proposals --------------------------------------------------------------------------------------------


@external
def propose(kind: uint256, actions: DynArray[Action, MAX_ACTIONS], document: bytes32) -> uint256:
    """
    @notice Elector: put actions to the vote, which begins when enough others second them; one open proposal each.
    @param kind ORDINARY or BASIC
    @param actions calls, of which an ordinary proposal makes none but to `rules`
    @param document SHA-256 of what members read
    @return number of the proposal
    """
    self._checkpoint()
    index: uint256 = self._elector(msg.sender)
    assert kind <= BASIC, "governor: no such kind"
    last: uint256 = self.openOf[index]
    assert last == 0 or block.timestamp >= self._course(last - 1).ends, "governor: one proposal at a time"
    assert len(actions) > 0, "governor: no actions"
    own: bool = True
    for action: Action in actions:
        assert kind == BASIC or action.target == self.rules, "governor: not ordinary"
        own = own and action.target == self
    proposal: uint256 = self.count
    self.count = proposal + 1
    self.openOf[index] = proposal + 1
    self.contents[proposal] = self._content(kind, actions, document)
    of: Kind = self.kinds[kind]
    needed: uint256 = min(of.seconders, self._members() - self.goneCount - 1)
    self.terms[proposal] = kind | (needed << NEEDED_AT) | (of.period << PERIOD_AT) | (of.approval << APPROVAL_AT) | (
        of.majority << MAJORITY_AT
    ) | (max(of.delay, self._leavingTime()) << DELAY_AT)
    p: Proposal = empty(Proposal)
    p.ends = block.timestamp + of.period
    if own:
        p.flags = OWN
    log Proposed(proposal=proposal, by=index, kind=kind, document=document, actions=actions)
    if needed == 0:
        p = self._begin(proposal, p, of.period)
    self._keep(proposal, p)
    return proposal


@external
def second(proposal: uint256):
    """
    @notice Elector other than the proposer: ask for the vote. It begins with the last second that it needs.
    """
    self._checkpoint()
    index: uint256 = self._elector(msg.sender)
    p: Proposal = self._course(proposal)
    assert p.flags & OPEN == 0 and block.timestamp < p.ends, "governor: not to be seconded"
    assert self.openOf[index] != proposal + 1, "governor: own proposal"
    bit: uint256 = 1 << (index % 256)
    assert self.seconds[proposal][index // 256] & bit == 0, "governor: seconded already"
    self.seconds[proposal][index // 256] |= bit
    p.seconded += 1
    log Seconded(proposal=proposal, by=index)
    found: Terms = self._terms(proposal)
    if p.seconded >= found.needed:
        p = self._begin(proposal, p, found.period)
    self._keep(proposal, p)


@external
def vote(proposal: uint256, index: uint256, support: uint256):
    """
    @notice Member, or its proxy while the member has no vote: yes (1), no (2) or abstain (3); a member may change.
    """
    turn: uint256 = OWN_TURN
    before: uint256 = self._lane(proposal, index)
    if msg.sender != staticcall registry.accountOf(index):
        proxy: uint256 = self.proxyOf[index]
        assert proxy > 0 and msg.sender == staticcall registry.accountOf(proxy - 1), "governor: not the member"
        assert before == 0, "governor: voted already"
        turn = 0
    assert support >= YES and support <= ABSTAIN, "governor: no such answer"
    p: Proposal = self._course(proposal)
    found: Terms = self._terms(proposal)
    led: bool = self._leads(p, found)
    assert self._isOpen(p), "governor: vote closed"
    assert index < p.members and not self._isGone(index), "governor: no elector"
    self.votes[proposal][index // LANES] ^= (before ^ (support | (turn << TURN_AT))) << (8 * (index % LANES))
    self._settleVote(proposal, self._counted(p, before & 3, support), found, led)
    log Voted(proposal=proposal, index=index, support=support)


@external
def castMany(proposal: uint256, ballots: DynArray[Ballot, MAX_BALLOTS]):
    """
    @notice Bring ballots that members signed; anyone. One that does not count, because it was changed, is of another
            chain, contract or proposal, or came after a later one of its member, is passed over.
    """
    domain: bytes32 = keccak256(
        abi_encode(DOMAIN_TYPE, keccak256("TransActive Governor"), keccak256("1"), chain.id, self)
    )
    content: bytes32 = self.contents[proposal]
    p: Proposal = self._course(proposal)
    found: Terms = self._terms(proposal)
    led: bool = self._leads(p, found)
    assert self._isOpen(p), "governor: vote closed"
    place: uint256 = 0  # of the word of votes that is at hand: ballots in the order of their members cost least
    word: uint256 = self.votes[proposal][0]
    for ballot: Ballot in ballots:
        known: bool = ballot.index < p.members and ballot.support >= YES and ballot.support <= ABSTAIN
        if not known or ballot.turn >= OWN_TURN or ballot.turn == 0 or self._isGone(ballot.index):
            continue
        if ballot.index // LANES != place:
            self.votes[proposal][place] = word
            place = ballot.index // LANES
            word = self.votes[proposal][place]
        before: uint256 = (word >> (8 * (ballot.index % LANES))) & 255
        if before != 0 and ballot.turn <= before >> TURN_AT:
            continue
        if self._signer(domain, proposal, content, ballot) == staticcall registry.accountOf(ballot.index):
            lane: uint256 = ballot.support | (ballot.turn << TURN_AT)
            word ^= (before ^ lane) << (8 * (ballot.index % LANES))
            p = self._counted(p, before & 3, ballot.support)
    self.votes[proposal][place] = word
    self._settleVote(proposal, p, found, led)
    log Tallied(proposal=proposal, yes=p.yes, no=p.no)


@external
def stop(proposal: uint256):
    """
    @notice Guardian: let members vote again for seven days on what is not executed, once a proposal. Its delay begins again
            after that.
    """
    assert msg.sender == self.guardian, "governor: not the guardian"
    p: Proposal = self._course(proposal)
    found: Terms = self._terms(proposal)
    assert p.flags & OPEN != 0 and p.flags & (STOPPED | EXECUTED | OWN) == 0, "governor: not to be stopped"
    if block.timestamp >= p.ends:
        assert self._leads(p, found) and block.timestamp < self._due(p, found) + grace, "governor: not to be stopped"
    p.ends = max(p.ends, block.timestamp + BRAKE)
    p.flags |= STOPPED
    self._keep(proposal, p)
    log Stopped(proposal=proposal, ends=p.ends)


@external
@nonreentrant
def execute(proposal: uint256, actions: DynArray[Action, MAX_ACTIONS], document: bytes32):
    """
    @notice Do what was decided; anyone, once, between the delay and the grace period, all or nothing.
    @param actions as they were proposed
    @param document as it was proposed
    """
    p: Proposal = self._course(proposal)
    found: Terms = self._terms(proposal)
    assert self._hasPassed(p, found), "governor: not passed"
    assert p.flags & EXECUTED == 0, "governor: over"
    due: uint256 = self._due(p, found)
    assert block.timestamp >= due, "governor: delay running"
    assert block.timestamp < due + grace, "governor: too late"
    assert self._content(found.kind, actions, document) == self.contents[proposal], "governor: other actions"
    p.flags |= EXECUTED
    self._keep(proposal, p)
    for action: Action in actions:
        raw_call(action.target, action.data)
    log Executed(proposal=proposal)


# -- founding, and what a vote changes here -------------------------------------------------------------------


@external
@nonreentrant
def acceptOwnership(target: address):
    """
    @notice Take over what an owner offers to this contract; anyone, because it can only be given.
    """
    assert target != self, "governor: itself"
    raw_call(target, method_id("acceptOwnership()"))


@external
def setKind(kind: uint256, terms_: Kind):
    """
    @notice By vote: other terms of a kind, for proposals that are made from then on.
    """
    assert msg.sender == self, "governor: by vote only"
    assert kind <= BASIC, "governor: no such kind"
    self._setKind(kind, terms_)


@external
def setGuardian(account: address):
    """
    @notice By vote: another guardian, or none.
    """
    assert msg.sender == self, "governor: by vote only"
    self.guardian = account
    log RoleSet(role="guardian", account=account)


@external
def setRules(account: address):
    """
    @notice By vote: another contract of rules, with other bounds.
    """
    assert msg.sender == self, "governor: by vote only"
    assert account.is_contract, "governor: no contract"
    self.rules = account
    log RoleSet(role="rules", account=account)


# -- views ------------------------------------------------------------------------------------------------


@external
@view
def proposals(proposal: uint256) -> Proposal:
    """
    @notice How a proposal stands.
    """
    return self._course(proposal)


@external
@view
def termsOf(proposal: uint256) -> Terms:
    """
    @notice Under which terms a proposal is voted on.
    """
    return self._terms(proposal)


@external
@view
def termsOfKind(kind: uint256) -> Kind:
    """
    @notice Terms of proposals that are made now.
    """
    return self.kinds[kind]


@external
@view
def hasPassed(proposal: uint256) -> bool:
    """
    @notice Whether a vote is over and won.
    """
    return self._hasPassed(self._course(proposal), self._terms(proposal))


@external
@view
def dueAt(proposal: uint256) -> uint256:
    """
    @notice When a proposal can be executed if it has passed, Unix s.
    """
    return self._due(self._course(proposal), self._terms(proposal))


@external
@view
def voteOf(proposal: uint256, index: uint256) -> (uint256, uint256):
    """
    @notice A member's answer, 0 without one; and its turn: 0 of a proxy, 63 of its own transaction.
    """
    lane: uint256 = self._lane(proposal, index)
    return lane & 3, lane >> TURN_AT


@external
@view
def isElector(index: uint256) -> bool:
    """
    @notice Whether a member can vote on what is put to the vote now.
    """
    return index < self._members() and not self._isGone(index)


@external
@view
def electors() -> uint256:
    """
    @notice How many can vote on what is put to the vote now.
    """
    return self._members() - self.goneCount


@external
@view
def leavingTime() -> uint256:
    """
    @notice Seconds in which a member is out with all its money: its last positions are delivered, their period ends and is
            paid, and what it asked for leaves.
    """
    return self._leavingTime()


@external
@view
def contentOf(kind: uint256, actions: DynArray[Action, MAX_ACTIONS], document: bytes32) -> bytes32:
    """
    @notice Digest of a proposal: of its kind, its calls with the code that they meet, and what members read.
    """
    return self._content(kind, actions, document)


# -- internal ---------------------------------------------------------------------------------------------


@internal
@view
def _leavingTime() -> uint256:
    """
    @dev The longest open position is `lead` slots ahead of its gate; its period ends after it, and is netted.
    """
    slots: uint256 = staticcall settlement.slotsPerPeriod() + staticcall settlement.lead() + 1
    return staticcall settlement.notice() + staticcall settlement.window() + slots * staticcall settlement.slotSeconds()


@internal
@view
def _content(kind: uint256, actions: DynArray[Action, MAX_ACTIONS], document: bytes32) -> bytes32:
    """
    @dev One digest of all that is voted on.
    """
    digest: bytes32 = keccak256(abi_encode(kind, document))
    for action: Action in actions:
        assert action.target.is_contract, "governor: no contract"
        digest = keccak256(abi_encode(digest, action.target, action.target.codehash, keccak256(action.data)))
    return digest


@internal
@pure
def _signer(domain: bytes32, proposal: uint256, content: bytes32, ballot: Ballot) -> address:
    """
    @dev Who signed a ballot; this contract, which is no member, for a signature that is none.
    """
    s: uint256 = convert(ballot.vs, uint256) & (2**255 - 1)
    structHash: bytes32 = keccak256(
        abi_encode(BALLOT_TYPE, proposal, content, ballot.index, ballot.support, ballot.turn)
    )
    digest: bytes32 = keccak256(concat(b"\x19\x01", domain, structHash))
    signer: address = empty(address)
    if s <= HALF_ORDER:
        signer = ecrecover(digest, 27 + (convert(ballot.vs, uint256) >> 255), convert(ballot.r, uint256), s)
    return signer if signer != empty(address) else 0x0000000000000000000000000000000000000001


@internal
@view
def _elector(account: address) -> uint256:
    """
    @dev Index of an elector, suspended or not: else a registrar that suspends all could not be replaced.
    """
    number: uint256 = (staticcall registry.standing(account))[0]
    assert number > 0 and number <= self._members() and not self._isGone(number - 1), "governor: no elector"
    return number - 1


@internal
@view
def _members() -> uint256:
    """
    @dev Indices below this have been members for a season.
    """
    return self.seasoned & (2**128 - 1)


@internal
@view
def _isGone(index: uint256) -> bool:
    """
    @dev Whether a member was struck off.
    """
    return (self.gone[index // 256] >> (index % 256)) & 1 == 1


@internal
def _strike(index: uint256):
    """
    @dev Strike a member off.
    """
    self.gone[index // 256] |= 1 << (index % 256)
    self.goneCount += 1
    self.announced[index] = 0
    log Left(index=index)


@internal
def _begin(proposal: uint256, found: Proposal, period: uint256) -> Proposal:
    """
    @dev Begin a vote of who is an elector now.
    """
    p: Proposal = found
    p.flags |= OPEN
    p.members = self._members()
    p.electorate = p.members - self.goneCount
    p.ends = block.timestamp + period
    log Begun(proposal=proposal, electorate=p.electorate, ends=p.ends)
    return p


@internal
@view
def _course(proposal: uint256) -> Proposal:
    """
    @dev A proposal from its word; all zero, so never open, of a number that was not given.
    """
    word: uint256 = self.courses[proposal]
    return Proposal(
        electorate=word & COUNT,
        members=(word >> MEMBERS_AT) & COUNT,
        yes=(word >> YES_AT) & COUNT,
        no=(word >> NO_AT) & COUNT,
        ends=(word >> ENDS_AT) & TIME,
        seconded=(word >> SECONDED_AT) & COUNT,
        flags=word >> FLAGS_AT,
    )


@internal
def _keep(proposal: uint256, p: Proposal):
    """
    @dev Write a proposal's word.
    """
    self.courses[proposal] = (
        p.electorate | (p.members << MEMBERS_AT) | (p.yes << YES_AT) | (p.no << NO_AT) | (p.ends << ENDS_AT)
        | (p.seconded << SECONDED_AT) | (p.flags << FLAGS_AT)
    )


@internal
@view
def _terms(proposal: uint256) -> Terms:
    """
    @dev A proposal's terms from their word.
    """
    word: uint256 = self.terms[proposal]
    return Terms(
        kind=word & COUNT,
        needed=(word >> NEEDED_AT) & COUNT,
        period=(word >> PERIOD_AT) & TIME,
        approval=(word >> APPROVAL_AT) & COUNT,
        majority=(word >> MAJORITY_AT) & COUNT,
        delay=word >> DELAY_AT,
    )


@internal
@view
def _isOpen(p: Proposal) -> bool:
    """
    @dev Whether votes are taken.
    """
    return p.flags & OPEN != 0 and block.timestamp < p.ends


@internal
@pure
def _leads(p: Proposal, found: Terms) -> bool:
    """
    @dev Whether the votes so far would carry it.
    """
    approved: bool = p.yes > 0 and p.yes * PPM >= p.electorate * found.approval
    return approved and p.yes * PPM > (p.yes + p.no) * found.majority


@internal
@view
def _hasPassed(p: Proposal, found: Terms) -> bool:
    """
    @dev Whether a vote is over and won.
    """
    return p.flags & OPEN != 0 and block.timestamp >= p.ends and self._leads(p, found)


@internal
@view
def _due(p: Proposal, found: Terms) -> uint256:
    """
    @dev When it can be executed: its delay, or what leaving takes today if that is more, after the vote.
    """
    return p.ends + max(found.delay, self._leavingTime())


@internal
@view
def _lane(proposal: uint256, index: uint256) -> uint256:
    """
    @dev A member's vote: answer | turn << 2.
    """
    return (self.votes[proposal][index // LANES] >> (8 * (index % LANES))) & 255


@internal
@pure
def _counted(found: Proposal, before: uint256, support: uint256) -> Proposal:
    """
    @dev Count an answer in the place of the one before.
    """
    p: Proposal = found
    if before == YES:
        p.yes -= 1
    elif before == NO:
        p.no -= 1
    if support == YES:
        p.yes += 1
    elif support == NO:
        p.no += 1
    return p


@internal
def _settleVote(proposal: uint256, found: Proposal, terms_: Terms, led: bool):
    """
    @dev Keep the count; a late turn of the result prolongs the vote, once.
    """
    p: Proposal = found
    late: bool = block.timestamp + quiet >= p.ends
    if late and p.flags & PROLONGED == 0 and self._leads(p, terms_) != led:
        p.flags |= PROLONGED
        p.ends = block.timestamp + quiet
        log Prolonged(proposal=proposal, ends=p.ends)
    self._keep(proposal, p)


@internal
def _setKind(number: uint256, kind: Kind):
    """
    @dev Write terms under which a community can still decide something, and no minority alone.
    """
    assert quiet < kind.period and kind.period <= LONGEST and kind.delay <= LONGEST, "governor: bad times"
    assert 0 < kind.approval and kind.approval <= MOST_APPROVAL, "governor: bad approval"
    assert PPM // 2 <= kind.majority and kind.majority <= MOST_MAJORITY, "governor: bad majority"
    assert kind.seconders <= 100, "governor: too many seconders"
    self.kinds[number] = kind
    log KindSet(kind=number)


@internal
def _checkpoint():
    """
    @dev Every season what was recent becomes seasoned.
    """
    if block.timestamp >= (self.recent >> 128) + season:
        self.seasoned = self.recent
        self.recent = staticcall registry.memberCount() | (block.timestamp << 128)
