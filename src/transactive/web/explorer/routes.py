"""Routes of the explorer: a search leads to a page with an address of its own."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.core.errors import StateError
from transactive.core.slots import time_text
from transactive.services.challenges import ChainChallenge, challenges_of
from transactive.services.statements.leaf_proof import leaf_proof
from transactive.store.read.history.kept import kept_sums
from transactive.store.read.runs import Reader, Run, RunProgress
from transactive.web.api.paging import whose
from transactive.web.authentication import WITHOUT_GRID
from transactive.web.explorer.pages import (
    commitment_page,
    contracts_of,
    explorer_page,
    frame,
    has_chain,
    proof_page,
)
from transactive.web.explorer.search import place_of
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer


@get("/explorer", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def explorer(
    request: Request[Viewer, Any, Any],
    run_context: NamedDependency[RunContext],
    find: FromQuery[str | None] = None,
    until: FromQuery[str | None] = None,
) -> Template | Redirect:
    """Contracts and blocks; a search leads on to what it found."""
    run, reader = run_context.run(), run_context.reader
    position = reader.position()
    if find:
        contracts = {name: address for name, (address, _) in contracts_of(reader.store.path.parent).items()}
        return Redirect(place_of(find, reader, run, position, contracts), status_code=303)
    last = None if until is None else run_context.slot(run, until)
    context = frame(run, position, request.user, run_context.feed.idle)
    made = _challenges(reader, run, position)
    return Template("explorer.html", context={**context, **explorer_page(reader, run, last), "challenges": made})


@get("/explorer/slots/{slot:str}", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def commitment(
    request: Request[Viewer, Any, Any], run_context: NamedDependency[RunContext], slot: FromPath[str]
) -> Template:
    """The commitment of one slot."""
    run, reader = run_context.run(), run_context.reader
    start = run_context.slot(run, slot)
    rows = reader.slots(start, start)
    if not rows or rows[0]["number"] is None:
        raise NotFound(f"slot {time_text(start)}: is not committed yet")
    context = frame(run, reader.position(), request.user, run_context.feed.idle)
    return Template("commitment.html", context={**context, **commitment_page(rows[0], run, request.user)})


@get("/explorer/slots/{slot:str}/{member:str}", opt=WITHOUT_GRID, sync_to_thread=True, include_in_schema=False)
def proof(
    request: Request[Viewer, Any, Any],
    run_context: NamedDependency[RunContext],
    slot: FromPath[str],
    member: FromPath[str],
) -> Template:
    """The proof of a member's leaf, step by step; a member sees its own.

    Raises AccessDenied, StateError where the chain of the run is elsewhere.
    """
    run, reader = run_context.run(), run_context.reader
    start, _ = run_context.slot(run, slot), whose(run_context, run, request, member)
    folder = reader.store.path.parent
    if not has_chain(folder):
        raise StateError("the chain of this run is elsewhere; `transactive statement --node` makes proofs there")
    position = reader.position()
    asked = ("proof", member, start, position.committed)
    found = kept_sums(reader).of(asked, lambda: leaf_proof(folder, member, start))
    context = frame(run, position, request.user, run_context.feed.idle)
    return Template("proof.html", context={**context, **proof_page(found, member, start, run)})


def _challenges(reader: Reader, run: Run, position: RunProgress) -> list[ChainChallenge] | None:
    """What was asked, stopped and upheld on the chain, newest first; None where it is not in the state folder."""
    folder = reader.store.path.parent
    if not has_chain(folder) or not contracts_of(folder):
        return None
    written = max(path.stat().st_mtime_ns for path in folder.glob(f"{CHAIN_FILE}*"))
    asked = ("challenges", position.committed, written)
    return kept_sums(reader).of(asked, lambda: challenges_of(folder, run.community)[::-1])


ROUTES = (explorer, commitment, proof)
