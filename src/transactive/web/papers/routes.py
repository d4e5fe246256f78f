"""A member's statement as a file, from its page: as it can be verified, to read, as a table; or those of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import File, Redirect
from msgspec import Meta

from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.core.errors import InputError, StateError
from transactive.core.installed import named_extras
from transactive.core.slots import DAY, parse_time
from transactive.insight.statements.statement import encode
from transactive.insight.statements.table import as_csv
from transactive.services.papers.batch import month_of
from transactive.services.papers.jobs import PaperJobs
from transactive.services.papers.pdf import statement_pdf
from transactive.store.read.runs import Run
from transactive.texts.formatting import Words
from transactive.web.api.paging import looked
from transactive.web.authentication import OPERATES, WITHOUT_GRID
from transactive.web.papers.statement_file import statement_html
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

Ending = Literal["pdf", "html", "csv", "json"]
MEDIA: dict[Ending, str] = {
    "pdf": "application/pdf",
    "html": "text/html",
    "csv": "text/csv",
    "json": "application/json",
}


@dataclass
class AskedPapers:
    """The form that asks for all statements. month: YYYY-MM."""

    month: Annotated[str, Meta(max_length=40)]


@get("/member/statement/{ending:str}", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def statement(
    request: Request[Viewer, Any, Any],
    run_context: NamedDependency[RunContext],
    ending: FromPath[Ending],
    member: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
    month: FromQuery[str | None] = None,
) -> Response[bytes]:
    """A statement to keep, of a local day or month or of all that is settled; a member gets its own.

    Raises InputError, StateError where the run has no chain here.
    """
    from transactive.services.statements.issue import issuer

    run, viewer = run_context.run(), request.user
    whose = viewer.member if not viewer.sees_all else member
    if whose is None:
        raise InputError("member: name whose statement it is, such as ?member=" + run.community.ids[0])
    run_context.member(run, whose)
    looked(run_context, request, whose)
    folder = run_context.reader.store.path.parent
    if not (folder / CHAIN_FILE).is_file():  # opening one would begin it
        raise StateError("the chain of this run is elsewhere; `transactive statement --node` makes statements there")
    with issuer(folder) as issue:
        made = issue.issue(whose, *(_span(run, run_context, day) if month is None else month_of(issue, month)))
    words = Words(run.community.currency, run.community.zone)
    of = month or (None if day is None else words.date(made.first_slot))
    name = whose if of is None else f"{whose}-{of}"
    if ending == "json":
        content = encode(made)
    elif ending == "pdf":
        with named_extras("a statement as PDF, which there is as HTML without:"):
            content = statement_pdf(made, f"{name}.json", words)
    elif ending == "csv":
        content = as_csv(made, words.zone).encode()
    else:
        content = statement_html(made, f"{name}.json", words).encode()
    headers = {"content-disposition": f'attachment; filename="{name}.{ending}"'}
    return Response(content, media_type=MEDIA[ending], headers=headers)


@post("/papers", opt=OPERATES, sync_to_thread=False, include_in_schema=False)
def make_papers(
    run_context: NamedDependency[RunContext],
    paper_jobs: NamedDependency[PaperJobs],
    data: Annotated[AskedPapers, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Redirect:
    """Begin to make the statements of all members of a month. Raises InputError while others are being made."""
    run_context.run()
    paper_jobs.begin(data.month)
    return Redirect("/bills#all-papers", status_code=303)


@get("/papers/{month:str}", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def all_papers(
    request: Request[Viewer, Any, Any],
    run_context: NamedDependency[RunContext],
    paper_jobs: NamedDependency[PaperJobs],
    month: FromPath[str],
) -> File:
    """The archive of a month that was made. Raises NotFound."""
    path = paper_jobs.archive(month)
    if path is None:
        raise NotFound(f"statements of {month[:40]}: were not made; choose the month under Bills")
    looked(run_context, request, None)
    return File(path, filename=path.name, media_type="application/zip")


def _span(run: Run, run_context: RunContext, day: str | None) -> tuple[int | None, int | None]:
    """First slot and end of the settled part of a local day; all without one. Raises InputError where there is none."""
    if day is None:
        return None, None
    words, length = Words(run.community.currency, run.community.zone), run.clock.length
    committed = run_context.reader.position().committed
    at = parse_time(day)
    if not run.first_slot - DAY < at < run.last_slot + DAY:  # before days are counted, whose calendar ends in 9999
        raise InputError(f"day {day[:40]}: not in this run")
    first = max(-(-words.day_start(at) // length) * length, run.first_slot)
    end = min(words.next_day(at), run.first_slot if committed is None else run.clock.end(committed))
    if first >= end:
        raise InputError(f"day {day}: nothing of it is settled in this run")
    return first, first + (end - first) // length * length


ROUTES = (statement, make_papers, all_papers)
