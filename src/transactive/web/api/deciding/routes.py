"""Proposals and what is done about them, as programs read and do it. A repeated request is done once."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from transactive.core.governance.consequences import Document, OwnLine
from transactive.services.governing.acting import Decider
from transactive.services.governing.acting import decide as done
from transactive.services.governing.asked import DecisionAsked
from transactive.services.governing.kept import document_of, line_of
from transactive.services.governing.log import DecidingAct
from transactive.services.governing.standing import Decisions, GovernanceStanding, ProposalStanding
from transactive.texts.formatting import stamp
from transactive.web.api.act_routes import Key
from transactive.web.api.paging import PROBLEMS, SHARED, ApiRequest
from transactive.web.api.records import Time, View
from transactive.web.authentication import MEMBERS, WITHOUT_GRID
from transactive.web.problems import AccessDenied, NotFound, Problem
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

NOT_NOW = {
    status: ResponseSpec(Problem, description=text, media_type="application/problem+json", generate_examples=False)
    for status, text in (
        (409, "Keys that would sign are not here, or the governor refuses it"),
        (503, "The chain does not answer"),
    )
}
Stage = Literal[
    "seeking seconders", "voting", "voting again, after a stop", "decided, waiting", "can be executed", "executed",
    "refused", "lapsed",
]  # fmt: skip


class NumberSetView(View, frozen=True, kw_only=True):
    """A number of the rules that a proposal sets, in its base unit."""

    number: str
    value: int
    unit: str
    since: Time


class VoteView(View, frozen=True, kw_only=True):
    """What a member answered: public by its index for ever."""

    index: int
    answer: Literal["yes", "no", "abstain"]
    turn: Annotated[int, Meta(description="0 of a proxy, 1 to 62 of signed ballots, 63 of an own transaction")]


class HappenedView(View, frozen=True, kw_only=True):
    """An event of the governor."""

    at: Time
    block: int
    name: str
    index: int | None


class ProposalView(View, frozen=True, kw_only=True):
    """A proposal as the chain has it."""

    number: int
    by: Annotated[int, Meta(description="Index of the member who proposed it")]
    kind: Literal["ordinary", "basic"]
    stage: Stage
    does: Annotated[list[str], Meta(description="What it does, as it is typed")]
    sets: list[NumberSetView]
    document: Annotated[str | None, Meta(description="SHA-256 of what members read; null without")]
    content: Annotated[str, Meta(description="Digest that ballots sign: EIP-712")]
    seconded: int
    needed: int
    electorate: int
    yes: int
    no: int
    approval_ppm: Annotated[int, Meta(description="Of all electors that have to say yes")]
    majority_ppm: Annotated[int, Meta(description="Of yes and no that yes has to exceed")]
    ends: Time
    due: Annotated[Time | None, Meta(description="From when on it can be executed; null unless it has passed")]
    votes: list[VoteView]
    happened: list[HappenedView]


class ProposalPage(View, frozen=True, kw_only=True):
    """All proposals, oldest first, and what members decide on."""

    items: list[ProposalView]
    governor: Annotated[str | None, Meta(description="Address; null without one: then there are no proposals")]
    chain_id: int | None
    electors: int
    numbers: Annotated[dict[str, int], Meta(description="In force, in their base units")]
    read: Annotated[Time | None, Meta(description="Time of the newest block that was read")]
    away: Annotated[str | None, Meta(description="Why the chain does not answer; null if it does")]


class ConsequencesView(View, frozen=True, kw_only=True):
    """What a proposal binds, and one's own line of it. line: null for whoever has none."""

    document: Document
    line: OwnLine | None
    wrong: Annotated[str | None, Meta(description="Why the line does not hold; null if it was checked, or is none")]


class DecidingActView(View, frozen=True, kw_only=True):
    """Something that was done. signature: of a ballot, which waits to be brought where no key pays for it here."""

    index: int
    kind: str
    proposal: int | None
    made: Time
    turn: int | None
    signature: str | None
    transaction: str | None


@get("/proposals", opt=WITHOUT_GRID, **{**SHARED, "responses": PROBLEMS | NOT_NOW})
def proposals(decisions: NamedDependency[Decisions]) -> ProposalPage:
    """Proposals, and what members decide on."""
    found = decisions.standing()
    return ProposalPage(
        items=[_view(one) for one in found.proposals] if found else [],
        governor=found.governor if found else None,
        chain_id=found.chain_id if found else None,
        electors=found.electors if found else 0,
        numbers=dict(found.numbers) if found else {},
        read=stamp(found.at) if found else None,
        away=(found.away or None) if found else None,
    )


@get("/proposals/{number:int}", opt=WITHOUT_GRID, **{**SHARED, "responses": PROBLEMS | NOT_NOW})
def proposal(decisions: NamedDependency[Decisions], number: FromPath[int]) -> ProposalView:
    """A proposal by its number."""
    return _view(_found(decisions.standing(), number))


@get("/proposals/{number:int}/consequences", opt=WITHOUT_GRID, **{**SHARED, "responses": PROBLEMS | NOT_NOW})
def consequences(
    request: ApiRequest, run_context: NamedDependency[RunContext], decisions: NamedDependency[Decisions],
    number: FromPath[int],
) -> ConsequencesView:  # fmt: skip
    """What a proposal would have meant: for the community, and for the home of who asks."""
    standing = decisions.standing()
    folder, digest = run_context.reader.store.path.parent, _found(standing, number).proposal.document
    document = document_of(folder, digest.hex()) if any(digest) else None
    if document is None:
        raise NotFound(f"proposal {number}: binds no consequences that are kept here")
    names = list(standing.accounts) if standing else []
    own = line_of(folder, digest.hex(), names.index(request.user.member)) if request.user.member in names else None
    return ConsequencesView(
        document=document, line=own.line if own else None, wrong=(own.wrong or None) if own else None
    )


@post("/proposals/acts", opt=MEMBERS, **{**SHARED, "responses": PROBLEMS | NOT_NOW})
def decide(
    request: ApiRequest, run_context: NamedDependency[RunContext], decisions: NamedDependency[Decisions],
    data: JSONBody[DecisionAsked], key: Key,
) -> DecidingActView:  # fmt: skip
    """Vote, send a ballot that was signed elsewhere, second, name a proxy or propose, for one's own home."""
    act = decided_by(request.user, run_context, decisions, data, key)
    return DecidingActView(
        index=act.member,
        kind=msgspec.json.decode(act.asked)["kind"],
        proposal=act.proposal if act.proposal >= 0 else None,
        made=stamp(act.at),
        turn=act.turn or None,
        signature=act.signature or None,
        transaction=act.transaction or None,
    )


def decided_by(
    viewer: Viewer, run_context: RunContext, decisions: Decisions, asked: DecisionAsked, key: str
) -> DecidingAct:
    """Do what a viewer asks for its home. Raises AccessDenied, InputError, StateError, ChainError."""
    if viewer.member is None or not viewer.acts:
        raise AccessDenied(detail="This token only looks; `transactive token create --acts` makes one that may act.")
    run_context.member(run_context.run(), viewer.member)
    return done(decisions, asked, Decider(viewer.member, viewer.account, key, int(time.time())))


def _found(standing: GovernanceStanding | None, number: int) -> ProposalStanding:
    """A proposal. Raises NotFound."""
    found = None if standing is None else standing.proposal(number)
    if found is None:
        raise NotFound(f"proposal {number}: there is none of that number")
    return found


def _view(one: ProposalStanding) -> ProposalView:
    """A proposal as the API answers with it."""
    found = one.proposal
    return ProposalView(
        number=found.number,
        by=one.by,
        kind="basic" if found.kind == "basic" else "ordinary",
        stage=msgspec.convert(found.stage, Stage),
        does=list(one.does),
        sets=[
            NumberSetView(number=each.number.name, value=each.value, unit=each.number.unit, since=stamp(each.since))
            for each in one.sets
        ],
        document=found.document.hex() if any(found.document) else None,
        content=one.content.hex(),
        seconded=found.seconded,
        needed=found.needed,
        electorate=found.electorate,
        yes=found.yes,
        no=found.no,
        approval_ppm=one.terms.approval,
        majority_ppm=one.terms.majority,
        ends=stamp(found.ends),
        due=stamp(found.due) if found.passed else None,
        votes=[
            VoteView(index=index, answer=msgspec.convert(vote.answer, Literal["yes", "no", "abstain"]), turn=vote.turn)
            for index, vote in sorted(one.votes.items())
        ],
        happened=[
            HappenedView(at=stamp(each.at), block=each.block, name=each.name, index=each.index) for each in one.happened
        ],
    )


HANDLERS = (proposals, proposal, consequences, decide)
