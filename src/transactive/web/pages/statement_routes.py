"""A member's statement as a file, from its page: what can be verified, what people read, and a table."""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.core.errors import InputError, StateError
from transactive.core.slots import DAY, parse_time
from transactive.insight.statements.statement import encode
from transactive.insight.statements.table import as_csv
from transactive.store.read.runs import Run
from transactive.texts.formatting import Words
from transactive.web.authentication import WITHOUT_GRID
from transactive.web.pages.statement_file import statement_html
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

Ending = Literal["json", "html", "csv"]
MEDIA: dict[Ending, str] = {"json": "application/json", "html": "text/html", "csv": "text/csv"}


@get("/member/statement/{ending:str}", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def statement(
    request: Request[Viewer, Any, Any],
    run_context: NamedDependency[RunContext],
    ending: FromPath[Ending],
    member: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
) -> Response[bytes]:
    """A statement to keep, of a local day or of all that is settled; a member gets its own.

    Raises InputError, StateError where the run has no chain here.
    """
    from transactive.services.statements.issue import issuer

    run, viewer = run_context.run(), request.user
    whose = viewer.member if not viewer.sees_all else member
    if whose is None:
        raise InputError("member: name whose statement it is, such as ?member=" + run.community.ids[0])
    run_context.member(run, whose)
    folder = run_context.reader.store.path.parent
    if not (folder / CHAIN_FILE).is_file():  # opening one would begin it
        raise StateError("the chain of this run is elsewhere; `transactive statement --node` makes statements there")
    with issuer(folder) as issue:
        made = issue.issue(whose, *_span(run, run_context, day))
    words = Words(run.community.currency, run.community.zone)
    name = whose if day is None else f"{whose}-{words.date(made.first_slot)}"
    if ending == "json":
        content = encode(made)
    elif ending == "csv":
        content = as_csv(made, words.zone).encode()
    else:
        content = statement_html(made, f"{name}.json", words).encode()
    headers = {"content-disposition": f'attachment; filename="{name}.{ending}"'}
    return Response(content, media_type=MEDIA[ending], headers=headers)


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
