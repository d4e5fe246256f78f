"""Routes of the page on which members decide together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template
from msgspec import Meta

from transactive.core.errors import ChainError, InputError, StateError
from transactive.core.slots import time_text
from transactive.engine.governance.recorded_rules import decided_in
from transactive.services.governing.asked import AskPropose, AskProxy, AskSecond, AskVote, DecisionAsked, Index
from transactive.services.governing.drafts import draft_of
from transactive.services.governing.standing import Decisions, GovernanceStanding
from transactive.texts.formatting import Words
from transactive.web.api.deciding.routes import decided_by
from transactive.web.authentication import MEMBERS, WITHOUT_GRID
from transactive.web.deciding.page import Beside, deciding_page, proposal_page
from transactive.web.deciding.wording import numbers_in
from transactive.web.history.periods import time_of
from transactive.web.pages.parts.common import freshness
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

PageRequest = Request[Viewer, Any, Any]
Field = Annotated[str, Meta(max_length=100)]
WAYS = ("yes", "no", "abstain")


@dataclass
class DecidingForm:
    """Any of the forms. kind: vote, second, proxy or propose. key: one for each form that is shown.

    A number that is proposed stands in the field of its name, in the unit that the page shows; empty ones stay.
    """

    kind: Field
    key: Annotated[str, Meta(min_length=1, max_length=100)]
    proposal: Annotated[int, Meta(ge=0, le=2**32)] = 0
    answer: Field = ""
    to: Field = ""
    since: Field = ""
    document: Annotated[str, Meta(max_length=64)] = ""
    network_fee: Field = ""
    near_fee: Field = ""
    levy_mode: Field = ""
    levy_price: Field = ""
    sharing_price: Field = ""
    sharing_fee: Field = ""


@get("/deciding", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def deciding(
    request: PageRequest, run_context: NamedDependency[RunContext], decisions: NamedDependency[Decisions]
) -> Template:
    """All proposals, what they would mean, and what a home may do about them."""
    return _page(request, run_context, decisions)


@get("/deciding/{number:int}", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def one_proposal(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    decisions: NamedDependency[Decisions],
    number: FromPath[int],
) -> Template:
    """One proposal with its course and every vote. Raises NotFound."""
    standing = decisions.standing()
    found = None if standing is None else standing.proposal(number)
    if standing is None or found is None:
        raise NotFound(f"proposal {number}: there is none of that number")
    frame, beside = _frame(request, run_context, standing)
    return Template("proposal.html", context={**frame, **proposal_page(found, standing, beside), "failed": ""})


@post("/deciding/acts", opt=MEMBERS, sync_to_thread=True, include_in_schema=False)
def decide_on_page(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    decisions: NamedDependency[Decisions],
    data: Annotated[DecidingForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Do what a form asks for one's own home, and show the page anew; or say on it what was wrong."""
    try:
        words = run_context.words or Words(run_context.run().community.currency, run_context.run().community.zone)
        asked = _asked(data, run_context.reader.store.path.parent, words)
        decided_by(request.user, run_context, decisions, asked, data.key)
    except (InputError, StateError, ChainError) as error:
        return _page(request, run_context, decisions, str(error))
    return Redirect("/deciding", status_code=303)


def _asked(form: DecidingForm, folder: Path, words: Words) -> DecisionAsked:
    """What a form asks for. Raises InputError naming the field."""
    match form.kind:
        case "vote" if form.answer in WAYS:
            return AskVote(proposal=form.proposal, answer=form.answer)  # type: ignore[arg-type]
        case "second":
            return AskSecond(proposal=form.proposal)
        case "proxy":
            return AskProxy(to=_index(form.to))
        case "propose":
            drafted = draft_of(folder, form.document) if form.document else None
            if drafted is not None:
                since = time_text(drafted.since)
                return AskPropose(numbers=dict(drafted.numbers), since=since, document=drafted.digest)
            numbers = numbers_in(form, words)
            if not numbers or form.document:
                raise InputError("nothing is proposed; write a new value beside at least one number")
            return AskPropose(numbers=numbers, since=time_text(time_of(form.since, words)))
    raise InputError(f"{form.kind}: is no act of this page; go back and choose one")


def _index(text: str) -> int | None:
    """A member's number in the registry; None for an empty field. Raises InputError."""
    if not text.strip():
        return None
    try:
        return msgspec.convert(text.strip(), Index, strict=False)
    except msgspec.ValidationError:
        raise InputError(f"proxy {text}: give the number of a member, or leave it empty to end it") from None


def _frame(
    request: PageRequest, run_context: RunContext, standing: GovernanceStanding | None
) -> tuple[dict[str, Any], Beside]:
    """What every page has, and whose it is."""
    run, position, viewer = run_context.run(), run_context.reader.position(), request.user
    words = Words(run.community.currency, run.community.zone)
    fresh = freshness(run, position, len(run.community.members), run_context.feed.idle, words)
    names = list(standing.accounts) if standing else []
    index = names.index(viewer.member) if viewer.member in names else None
    frame = {"run": run, "words": words, "viewer": viewer, "fresh": fresh}
    return frame, Beside(run_context.reader.store.path.parent, viewer, words, index)


def _page(request: PageRequest, run_context: RunContext, decisions: Decisions, failed: str = "") -> Template:
    """The page; with the chain away and nothing read yet, only that is said. failed: why something was not done."""
    recorded = decided_in(run_context.reader.store)
    try:
        standing, away = decisions.standing(), ""
    except ChainError as error:
        standing, away = None, str(error)
    frame, beside = _frame(request, run_context, standing)
    status = 400 if failed else 200
    if standing is None:
        context = {**frame, "governed": bool(away), "away": away, "failed": failed, "known": len(recorded)}
        return Template("deciding.html", context=context, status_code=status)
    context = {**frame, **deciding_page(standing, recorded, beside), "governed": True, "failed": failed}
    return Template("deciding.html", context={**context, "known": len(recorded)}, status_code=status)


ROUTES = (deciding, one_proposal, decide_on_page)
