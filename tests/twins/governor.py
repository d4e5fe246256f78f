"""What the governor must do, in plain Python. Members and callers are accounts; what is voted on is any value."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from transactive.chain.twins.refusals import refusals
from transactive.chain.twins.registry import NOBODY, RegistryTwin

ORDINARY, BASIC = 0, 1
YES, NO, ABSTAIN = 1, 2, 3
PPM, DAY = 10**6, 86400
BRAKE, LONGEST = 7 * DAY, 120 * DAY
MOST_PROXIES, OWN_TURN = 2, 63
OPEN, PROLONGED, STOPPED, EXECUTED, OWN = 1, 2, 4, 8, 16

refuse_unless = refusals("governor")


@dataclass(frozen=True, slots=True)
class Kind:
    """Terms of a kind of proposals. Times [s]; approval and majority [ppm]."""

    seconders: int
    period: int
    approval: int
    majority: int
    delay: int

    @property
    def content(self) -> tuple[int, int, int, int, int]:
        """As the contract takes it."""
        return self.seconders, self.period, self.approval, self.majority, self.delay

    def check(self, quiet: int) -> None:
        """Refuse terms under which nothing, or a minority, decides."""
        refuse_unless(quiet < self.period <= LONGEST and self.delay <= LONGEST, "bad times")
        refuse_unless(0 < self.approval <= PPM // 2, "bad approval")
        refuse_unless(PPM // 2 <= self.majority <= 800_000, "bad majority")
        refuse_unless(self.seconders <= 100, "too many seconders")


@dataclass(slots=True)
class ProposalTwin:
    """One proposal: what is voted on, its terms, who seconded, and each member's answer with its turn."""

    content: Hashable
    terms: Kind
    needed: int
    ends: int
    flags: int = 0
    members: int = 0
    electorate: int = 0
    seconds: set[int] = field(default_factory=set)
    votes: dict[int, tuple[int, int]] = field(default_factory=dict)

    def count(self, support: int) -> int:
        """How many gave an answer."""
        return sum(answer == support for answer, _ in self.votes.values())

    @property
    def leads(self) -> bool:
        """Whether the votes so far would carry it."""
        yes, no = self.count(YES), self.count(NO)
        return (
            yes > 0
            and yes * PPM >= self.electorate * self.terms.approval
            and yes * PPM > (yes + no) * self.terms.majority
        )

    @property
    def course(self) -> tuple[int, ...]:
        """As the contract shows it."""
        counted = self.electorate, self.members, self.count(YES), self.count(NO)
        return *counted, self.ends, len(self.seconds), self.flags


class GovernorTwin:
    """The governor over a registry. own, rules: its address, that of the rules; leaving: what leaving takes [s]."""

    def __init__(
        self,
        registry: RegistryTwin,
        times: tuple[int, int, int],
        kinds: Sequence[Kind],
        without: Sequence[int],
        now: int,
        *,
        guardian: str,
        own: str,
        rules: str,
        leaving: int,
    ) -> None:
        self.registry, self.guardian, self.own, self.rules, self.leaving = registry, guardian, own, rules, leaving
        self.season, self.quiet, self.grace = times
        for kind in kinds:
            kind.check(self.quiet)
        self.kinds = list(kinds)
        self.gone: set[int] = set()
        for index in without:
            refuse_unless(self.roles_of(index) == 0 and index not in self.gone, "has roles")
            self.gone.add(index)
        self.seasoned = self.recent = (len(registry.members), now)
        self.proposals: list[ProposalTwin] = []
        self.open_of: dict[int, int] = {}
        self.proxy_of: dict[int, int] = {}
        self.announced: dict[int, int] = {}

    # -- electors

    def checkpoint(self, now: int) -> None:
        """Note how many members there are."""
        if now >= self.recent[1] + self.season:
            self.seasoned, self.recent = self.recent, (len(self.registry.members), now)

    def account(self, index: int) -> str:
        """Account of a member, nobody's for a number that was not given."""
        return self.registry.members[index].account if index < len(self.registry.members) else NOBODY

    def roles_of(self, index: int) -> int:
        """Roles in the registry, which refuses a number that was not given."""
        return self.registry._member(index).roles

    def is_elector(self, index: int) -> bool:
        """Whether a member can vote on what is put to the vote now."""
        return index < self.seasoned[0] and index not in self.gone

    @property
    def electors(self) -> int:
        """How many can."""
        return self.seasoned[0] - len(self.gone)

    def set_proxy(self, caller: str, index: int, proxy: int) -> None:
        """Let another one vote for a member; itself ends that."""
        refuse_unless(caller == self.account(index), "not the member")
        others = {member: of for member, of in self.proxy_of.items() if member != index}
        if proxy != index:
            refuse_unless(self.account(proxy) != NOBODY, "no such member")
            refuse_unless(list(others.values()).count(proxy) < MOST_PROXIES, "represents enough")
            others[index] = proxy
        self.proxy_of = others

    def leave(self, caller: str, index: int, now: int) -> None:
        """Strike a member off, or announce it."""
        refuse_unless(self.after_checkpoint(now) > index and index not in self.gone, "no elector")
        if caller != self.account(index):
            refuse_unless(self.roles_of(index) == 0, "has roles")
            since = self.announced.get(index, 0)
            if since == 0 or now >= since + 2 * self.season:
                self.checkpoint(now)
                self.announced[index] = now
                return
            refuse_unless(now >= since + self.season, "season running")
        self.checkpoint(now)
        self.gone.add(index)
        self.announced.pop(index, None)

    def stay(self, caller: str, index: int) -> None:
        """Object."""
        refuse_unless(caller == self.account(index), "not the member")
        self.announced.pop(index, None)

    def after_checkpoint(self, now: int) -> int:
        """Members of a season, once noted: a refused call notes nothing."""
        return (self.recent if now >= self.recent[1] + self.season else self.seasoned)[0]

    def elector(self, account: str, now: int) -> int:
        """Index of an account that can propose and second."""
        number, _ = self.registry.standing(account)
        refuse_unless(0 < number <= self.after_checkpoint(now) and number - 1 not in self.gone, "no elector")
        return number - 1

    # -- proposals

    def propose(
        self, caller: str, kind: int, targets: Sequence[str], content: Hashable, now: int, *, code: bool = True
    ) -> int:
        """Put actions to the vote; code: whether there is a contract at each target."""
        index = self.elector(caller, now)
        refuse_unless(kind <= BASIC, "no such kind")
        last = self.open_of.get(index)
        refuse_unless(last is None or now >= self.proposals[last].ends, "one proposal at a time")
        refuse_unless(len(targets) > 0, "no actions")
        refuse_unless(kind == BASIC or all(target == self.rules for target in targets), "not ordinary")
        refuse_unless(code, "no contract")
        self.checkpoint(now)
        of = self.kinds[kind]
        terms = Kind(of.seconders, of.period, of.approval, of.majority, max(of.delay, self.leaving))
        made = ProposalTwin(content, terms, min(of.seconders, self.electors - 1), now + of.period)
        made.flags = OWN if all(target == self.own for target in targets) else 0
        self.open_of[index] = len(self.proposals)
        self.proposals.append(made)
        if made.needed == 0:
            self._begin(made, now)
        return len(self.proposals) - 1

    def second(self, caller: str, proposal: int, now: int) -> None:
        """Ask for the vote."""
        index = self.elector(caller, now)
        p = self._known(proposal)
        refuse_unless(p is not None and not p.flags & OPEN and now < p.ends, "not to be seconded")
        assert p
        refuse_unless(self.open_of.get(index) != proposal, "own proposal")
        refuse_unless(index not in p.seconds, "seconded already")
        self.checkpoint(now)
        p.seconds.add(index)
        if len(p.seconds) >= p.needed:
            self._begin(p, now)

    def vote(self, caller: str, proposal: int, index: int, support: int, now: int) -> None:
        """A member's own answer, or its proxy's while there is none."""
        p, turn = self._known(proposal), OWN_TURN
        if caller != self.account(index):
            proxy = self.proxy_of.get(index)
            refuse_unless(proxy is not None and caller == self.account(proxy), "not the member")
            refuse_unless(p is None or index not in p.votes, "voted already")
            turn = 0
        refuse_unless(YES <= support <= ABSTAIN, "no such answer")
        refuse_unless(self._is_open(p, now), "vote closed")
        assert p
        refuse_unless(index < p.members and index not in self.gone, "no elector")
        self._count(p, now, {index: (support, turn)})

    def cast(self, proposal: int, ballots: Sequence[tuple[int, int, int, str]], now: int) -> None:
        """Ballots as (index, answer, turn, who really signed this for this proposal)."""
        p = self._known(proposal)
        refuse_unless(self._is_open(p, now), "vote closed")
        assert p
        counted: dict[int, tuple[int, int]] = {}
        for index, support, turn, signer in ballots:
            before = counted.get(index, p.votes.get(index))
            valid = index < p.members and index not in self.gone and YES <= support <= ABSTAIN and 0 < turn < OWN_TURN
            if valid and (before is None or turn > before[1]) and signer == self.account(index):
                counted[index] = support, turn
        self._count(p, now, counted)

    def stop(self, caller: str, proposal: int, now: int) -> None:
        """Let members vote again."""
        refuse_unless(caller == self.guardian, "not the guardian")
        p = self._known(proposal)
        stoppable = p is not None and p.flags & OPEN and not p.flags & (STOPPED | EXECUTED | OWN)
        refuse_unless(bool(stoppable), "not to be stopped")
        assert p
        if now >= p.ends:
            refuse_unless(p.leads and now < self.due(p) + self.grace, "not to be stopped")
        p.ends, p.flags = max(p.ends, now + BRAKE), p.flags | STOPPED

    def execute(self, proposal: int, content: Hashable, acts: Sequence[Callable[[], None]], now: int) -> None:
        """Do what was decided; acts: what the actions do, by their own twins."""
        p = self._known(proposal)
        refuse_unless(p is not None and bool(p.flags & OPEN) and now >= p.ends and p.leads, "not passed")
        assert p
        refuse_unless(not p.flags & EXECUTED, "over")
        refuse_unless(now >= self.due(p), "delay running")
        refuse_unless(now < self.due(p) + self.grace, "too late")
        refuse_unless(content == p.content, "other actions")
        for act in acts:
            act()
        p.flags |= EXECUTED

    def set_kind(self, caller: str, kind: int, terms: Kind) -> None:
        """Other terms, by vote."""
        refuse_unless(caller == self.own, "by vote only")
        refuse_unless(kind <= BASIC, "no such kind")
        terms.check(self.quiet)
        self.kinds[kind] = terms

    def set_guardian(self, caller: str, account: str) -> None:
        """Another guardian, by vote."""
        refuse_unless(caller == self.own, "by vote only")
        self.guardian = account

    def set_rules(self, caller: str, account: str, *, code: bool = True) -> None:
        """Another contract of rules, by vote."""
        refuse_unless(caller == self.own, "by vote only")
        refuse_unless(code, "no contract")
        self.rules = account

    def due(self, p: ProposalTwin) -> int:
        """When a proposal can be executed [Unix s]."""
        return p.ends + max(p.terms.delay, self.leaving)

    def has_passed(self, p: ProposalTwin, now: int) -> bool:
        """Whether a vote is over and won."""
        return bool(p.flags & OPEN) and now >= p.ends and p.leads

    def _known(self, proposal: int) -> ProposalTwin | None:
        return self.proposals[proposal] if proposal < len(self.proposals) else None

    @staticmethod
    def _is_open(p: ProposalTwin | None, now: int) -> bool:
        return p is not None and bool(p.flags & OPEN) and now < p.ends

    def _begin(self, p: ProposalTwin, now: int) -> None:
        p.flags |= OPEN
        p.members, p.electorate, p.ends = self.seasoned[0], self.electors, now + p.terms.period

    def _count(self, p: ProposalTwin, now: int, votes: dict[int, tuple[int, int]]) -> None:
        led = p.leads
        p.votes |= votes
        if now + self.quiet >= p.ends and not p.flags & PROLONGED and p.leads != led:
            p.flags, p.ends = p.flags | PROLONGED, now + self.quiet
