"""Routes of the pages."""

from __future__ import annotations

import time
from datetime import UTC
from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from transactive.core.slots import DAY, time_text
from transactive.services.finding_notes import muted
from transactive.services.papers.jobs import PaperJobs
from transactive.services.privacy.consents import sees_forecasts
from transactive.store.read.items import read_items
from transactive.store.read.runs import Run
from transactive.texts.formatting import Words
from transactive.web.api import item_shapes
from transactive.web.api.bill_routes import seen_by
from transactive.web.api.paging import looked
from transactive.web.assistants.card import drafts_card
from transactive.web.authentication import BILLED, EVERYONE, SEES_ALL, WITHOUT_GRID, WITHOUT_MEMBER
from transactive.web.events import id_text, newest
from transactive.web.history.part import Past, history_part
from transactive.web.history.periods import AskedPeriod, is_date, time_of
from transactive.web.lists.order_list import ListAsked
from transactive.web.pages.bills import all_papers_part, bills_page
from transactive.web.pages.carbon import carbon_page
from transactive.web.pages.community import community_page
from transactive.web.pages.compare import compare_page
from transactive.web.pages.grid import grid_page
from transactive.web.pages.member import member_page
from transactive.web.pages.models import TITLES, models_page
from transactive.web.pages.parts.battery import battery_part
from transactive.web.pages.parts.common import freshness
from transactive.web.pages.parts.issues import own_findings
from transactive.web.pages.parts.plans import own_plans, plan_notices
from transactive.web.pages.slot import slot_page
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext

PageRequest = Request[Any, Any, Any]
NO_PERIOD = AskedPeriod()


@get("/", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def community(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    slot: FromQuery[str | None] = None,
    span: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
    first: FromQuery[str | None] = None,
    last: FromQuery[str | None] = None,
    find: FromQuery[str] = "",
) -> Template | Redirect:
    """The community, now or around a chosen slot; who sees lines only is led to them."""
    if not request.user.sees_members:
        return Redirect("/grid", status_code=303)
    if run_context.reader.run() is None or run_context.reader.position().cleared is None:
        return Template("starting.html", context={"live": {"after": "", "over": False}})
    run, position, totals = run_context.look()
    looked(run_context, request, None)
    chosen = None if slot is None else run_context.slot(run, slot)
    idle = run_context.feed.idle
    viewer = request.user
    left_out = muted(run_context.reader.store.path.parent, int(time.time()))
    context = community_page(
        run_context.reader, run, position, totals, viewer, chosen=chosen, idle=idle, find=find, muted=left_out
    )
    live = {"after": id_text(newest(run, position)), "over": position.over}
    past, asked = Past.of(run_context.reader, run, totals.days, position), AskedPeriod(span, day, first, last)
    keep = {} if slot is None else {"slot": slot}
    history = history_part(past, asked, context["chosen"], "community", path="/", keep=keep)
    return Template("community.html", context={**context, "live": live, "past": history})


@get("/slots/{slot:str}", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def slot_view(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    slot: FromPath[str],
    find: FromQuery[str] = "",
    sort: FromQuery[str] = "name",
    page: FromQuery[int] = 1,
) -> Template:
    """One slot through all its steps, and why each order fared as it did."""
    run, position, totals = run_context.look()
    start = run_context.slot(run, slot)
    if position.cleared is None or start > position.cleared:
        raise NotFound(f"slot {time_text(start)}: its gate has not closed yet")
    looked(run_context, request, None)
    asked, idle = ListAsked(find, sort, page), run_context.feed.idle
    context = slot_page(run_context.reader, run, position, totals, request.user, slot=start, idle=idle, asked=asked)
    live = {"after": id_text(newest(run, position)), "over": position.over}
    return Template("slot.html", context={**context, "live": live})


@get("/compare", opt=SEES_ALL, sync_to_thread=True, include_in_schema=False)
def compare(request: PageRequest, run_context: NamedDependency[RunContext]) -> Template:
    """The same days under several mechanisms."""
    run, comparison = run_context.reader.run(), run_context.reader.comparison()
    if comparison is not None:
        looked(run_context, request, None)
    under_way = None if comparison else run_context.reader.comparing(int(time.time()))
    fresh = None
    if run is not None and run_context.reader.position().delivered is not None:
        position = run_context.reader.position()
        words = Words(run.community.currency, run.community.zone)
        fresh = freshness(run, position, len(run.community.members), run_context.feed.idle, words)
    folder = run_context.reader.store.path.parent
    context = compare_page(comparison, folder, UTC if run is None else run.community.zone, under_way)
    return Template("compare.html", context={**context, "fresh": fresh, "viewer": request.user, "run": run})


@get("/member", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def member_view(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    member: FromQuery[str | None] = None,
    span: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
    first: FromQuery[str | None] = None,
    last: FromQuery[str | None] = None,
) -> Template:
    """One home: what it saved, what it trades next and why, what its meter says, and what it lets its agent do."""
    return member_template(request, run_context, member, day, _asked(span, day, first, last))


def member_template(
    request: PageRequest,
    run_context: RunContext,
    member: str | None = None,
    day: str | None = None,
    asked: AskedPeriod = NO_PERIOD,
    failed: str = "",
) -> Template:
    """The page of one home. failed: why something could not be done, which is said on it."""
    run, position, totals = run_context.look()
    if position.delivered is None:
        return Template("starting.html", context={"live": {"after": "", "over": False}})
    viewer = request.user
    wanted = viewer.member if not viewer.sees_all else member or run.community.ids[0]
    looked(run_context, request, wanted)
    index, chosen = run_context.member(run, wanted), _day(run, day)
    context = member_page(
        run_context.reader, run, position, totals, viewer, member=index, chosen=chosen, idle=run_context.feed.idle
    )
    past = Past.of(run_context.reader, run, totals.days, position)
    shown = position.delivered if chosen is None else chosen
    history = history_part(past, asked, shown, "member", member=index, path="/member", keep={"member": wanted})
    start = context["day"]["start"]
    held = run.community.members[index].battery_initial_wh + totals.days.before(start, "charged_wh", index)
    seen = sees_forecasts(run_context.reader.store.path.parent, run.community, index, viewer.member)
    battery = battery_part(run_context.reader, run, index, held, start, position.delivered, with_plans=seen)
    items = item_shapes.shown(run_context.reader.store, run, viewer, read_items(run_context.reader.store, index))
    mine = own_findings(run, items, past.words)
    plans = own_plans(plan_notices(run, run_context.reader.store.path.parent, past.words), index)
    may_answer, folder = viewer.member == wanted and bool(viewer.account), run_context.reader.store.path.parent
    drafts = drafts_card(folder, run.community.ids[index], past.words, int(time.time()), may_answer=may_answer)
    context = {**context, "past": history, "battery": battery, "findings": mine, "plans": plans, "failed": failed}
    context = {**context, "drafts": drafts}
    return Template("member.html", context=context, status_code=400 if failed else 200)


@get("/grid", opt=WITHOUT_MEMBER, sync_to_thread=True, include_in_schema=False)
def grid(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    slot: FromQuery[str | None] = None,
    span: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
    first: FromQuery[str | None] = None,
    last: FromQuery[str | None] = None,
) -> Template:
    """The lines of the community's network, in the newest slot or a chosen one."""
    run, position, totals = run_context.look()
    if position.delivered is None:
        return Template("starting.html", context={"live": {"after": "", "over": False}})
    chosen = None if slot is None else run_context.slot(run, slot)
    lines = run_context.lines(run, request.user)
    context = grid_page(
        run_context.reader, run, position, request.user, lines, chosen=chosen, idle=run_context.feed.idle
    )
    live, history = {"after": id_text(newest(run, position)), "over": position.over}, None
    if request.user.sees_members or len(run.community.members) >= run_context.least_homes:
        past, asked = Past.of(run_context.reader, run, totals.days, position), AskedPeriod(span, day, first, last)
        shown, keep = position.delivered if chosen is None else chosen, {} if slot is None else {"slot": slot}
        history = history_part(past, asked, shown, "grid", path="/grid", keep=keep)
    return Template("grid.html", context={**context, "live": live, "past": history})


@get("/carbon", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def carbon(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    member: FromQuery[str | None] = None,
    span: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
    first: FromQuery[str | None] = None,
    last: FromQuery[str | None] = None,
) -> Template:
    """Carbon of all homes or of one, through a day and over the run."""
    run, position, totals = run_context.look()
    if position.delivered is None:
        return Template("starting.html", context={"live": {"after": "", "over": False}})
    viewer = request.user
    wanted = viewer.member if not viewer.sees_all else member or None
    index = None if wanted is None else run_context.member(run, wanted)
    if wanted is not None:
        looked(run_context, request, wanted)
    chosen = _day(run, day)
    context = carbon_page(
        run_context.reader, run, position, viewer, member=index, chosen=chosen, idle=run_context.feed.idle
    )
    past, asked = Past.of(run_context.reader, run, totals.days, position), _asked(span, day, first, last)
    shown, keep = position.delivered if chosen is None else chosen, {"member": wanted} if wanted else {}
    history = history_part(past, asked, shown, "carbon", member=index, path="/carbon", keep=keep)
    return Template("carbon.html", context={**context, "past": history})


@get("/bills", opt=BILLED, sync_to_thread=True, include_in_schema=False)
def bills(
    request: PageRequest, run_context: NamedDependency[RunContext], paper_jobs: NamedDependency[PaperJobs]
) -> Template:
    """Papers by month: all for the operator, its own for a member."""
    run, position = run_context.run(), run_context.reader.position()
    if position.delivered is None:
        return Template("starting.html", context={"live": {"after": "", "over": False}})
    looked(run_context, request, None)
    papers = seen_by(run_context, request.user)
    context = bills_page(run, position, request.user, papers, idle=run_context.feed.idle)
    made = all_papers_part(run, position, request.user, paper_jobs)
    return Template("bills.html", context={**context, "all_papers": made})


@get("/models", opt=SEES_ALL, sync_to_thread=True, include_in_schema=False)
def models(
    request: PageRequest, run_context: NamedDependency[RunContext], target: FromQuery[str] = "consumption"
) -> Template:
    """Who forecasts what, how well, and what happened to the models."""
    run, position = run_context.run(), run_context.reader.position()
    if position.delivered is None:
        return Template("starting.html", context={"live": {"after": "", "over": False}})
    if target not in TITLES:
        raise NotFound(f"target {target}: is not forecast here; known are {', '.join(TITLES)}")
    context = models_page(run_context.reader, run, position, request.user, target=target, idle=run_context.feed.idle)
    return Template("models.html", context=context)


def _asked(span: str | None, day: str | None, first: str | None, last: str | None) -> AskedPeriod:
    """The period that a page is asked for; a day that is a time names none."""
    return AskedPeriod(span, day if day is not None and is_date(day) else None, first, last)


def _day(run: Run, day: str | None) -> int | None:
    """A time in the day that a query names, or None. Raises NotFound for a day that is not in the run."""
    chosen = None if day is None else time_of(day, Words(run.community.currency, run.community.zone))
    if chosen is not None and not run.first_slot - DAY < chosen <= run.last_slot:
        raise NotFound(f"day {day}: not in this run")
    return chosen
