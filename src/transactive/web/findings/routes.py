"""Route of a finding's page: a member sees its own, who keeps lines those of the feeder."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from transactive.texts.formatting import Words
from transactive.web.api.item_shapes import seen_by
from transactive.web.authentication import EVERYONE
from transactive.web.findings.page import finding_page
from transactive.web.history.part import Past
from transactive.web.pages.parts.common import freshness
from transactive.web.problems import AccessDenied, NotFound
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer


@get("/findings/{number:int}", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def finding(
    request: Request[Viewer, Any, Any], run_context: NamedDependency[RunContext], number: FromPath[int]
) -> Template:
    """A finding with its evidence. Raises NotFound for one that there is not, or that is somebody else's."""
    run, position, totals = run_context.look()
    viewer, members = request.user, len(run.community.members)
    if not viewer.sees_members and members < run_context.least_homes:
        raise AccessDenied(detail="What concerns the whole feeder would tell of too few homes.")
    item = next((one for one in seen_by(run_context.reader.store, run, viewer) if one.number == number), None)
    if item is None:
        raise NotFound(f"finding {number}: there is none of that number for you")
    words = Words(run.community.currency, run.community.zone)
    past = Past.of(run_context.reader, run, totals.days, position)
    fresh = freshness(run, position, members, run_context.feed.idle, words)
    frame = {"run": run, "words": words, "viewer": viewer, "fresh": fresh}
    return Template("finding.html", context={**frame, **finding_page(past, item)})
