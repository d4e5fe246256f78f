"""What members do, as programs do it: limits, pauses, orders, and what was done. A repeated request is done once."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, JSONBody
from msgspec import Meta

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.proofs.members.authorisation import Authorised
from transactive.core.proofs.members.member_acts import HandOrder
from transactive.engine.authorisations import FOR_GOOD, read
from transactive.services.acts.asked import Asked
from transactive.services.acts.authorisations import Asker, act
from transactive.services.acts.signers import signer_of
from transactive.store import Store
from transactive.store.live.acts import LoggedAct, act_of
from transactive.store.read.pages import Pageable
from transactive.store.read.runs import Run
from transactive.texts.formatting import stamp
from transactive.web.api.paging import PROBLEMS, SHARED, ApiRequest, Cursor, Limit, OfMember, page_of, whose
from transactive.web.api.records import Next, Price, Time, View, Wh
from transactive.web.authentication import MEMBERS, WITHOUT_GRID
from transactive.web.problems import AccessDenied, Problem
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

Key = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key", min_length=1, max_length=100, description="Yours: the same again is done once"
    ),
]
NOT_NOW = {
    409: ResponseSpec(
        Problem,
        description="The run is over, or keys that would sign are not here",
        media_type="application/problem+json",
        generate_examples=False,
    )
}


class AllowedView(View, frozen=True, kw_only=True):
    """What a member allows its agent since an act. signature: the member's, on all of this: EIP-712."""

    never_pay_above_micro_per_kwh: Annotated[Price | None, Meta(description="Null for no limit")]
    sell_only_above_micro_per_kwh: Annotated[Price | None, Meta(description="Null for no limit")]
    paused_from: Time | None
    paused_until: Annotated[Time | None, Meta(description="Null where there is no pause, or no end of it")]
    valid_until: Annotated[Time | None, Meta(description="Null where it is taken back")]
    signature: str


class HandOrderView(View, frozen=True, kw_only=True):
    """An order as the market has it, in place of all before it for its slot; without steps it was cancelled."""

    serial: int
    buys: Annotated[list[tuple[Price, Wh]], Meta(description="Limit and energy of each step, the best first")]
    sells: list[tuple[Price, Wh]]
    entry: Annotated[int, Meta(description="Its number in the market's journal")]
    received: Time
    receipt: Annotated[str, Meta(description="The operator's signature that it was accepted: EIP-712")]


class ActView(View, frozen=True, kw_only=True):
    """Something that a member did."""

    number: int
    member: str
    kind: Annotated[str, Meta(description="limits, pause, resume, authorise, revoke, undo, order or cancel")]
    made: Annotated[Time | None, Meta(description="Null where it was not noted")]
    by: Annotated[str | None, Meta(description="Who had signed in; null for a token or the command line")]
    from_slot: Annotated[Time, Meta(description="First slot that it holds for; of an order the only one")]
    counts: Annotated[bool, Meta(description="Whether the run has taken it up: it does at the gate of that slot")]
    undoes: Annotated[int | None, Meta(description="Number of the act that it takes back")]
    allows: Annotated[AllowedView | None, Meta(description="Null of an order")]
    order: Annotated[HandOrderView | None, Meta(description="What was sent; null of all else")]


class ActPage(View, frozen=True, kw_only=True):
    """A page of acts."""

    items: list[ActView]
    next: Next


@get("/acts", opt=WITHOUT_GRID, **SHARED)
def acts(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    of: OfMember = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ActPage:
    """What members did while the run went on, oldest first; a member's token shows its own."""
    run = run_context.run()
    only = whose(run_context, run, request, of)
    rows, after = page_of(run_context, Pageable.ACTS, limit, cursor, member=only)
    store = run_context.reader.store
    return ActPage(items=act_views(store, run, [act_of(row) for row in rows]), next=after)


@post("/acts", opt=MEMBERS, **{**SHARED, "responses": PROBLEMS | NOT_NOW})
def do(request: ApiRequest, run_context: NamedDependency[RunContext], data: JSONBody[Asked], key: Key) -> ActView:
    """Do something for one's own home, signed here with its key.

    What it allows its agent holds from the first slot whose gate is open; an order is for a slot of a live market.
    """
    done = done_by(request.user, run_context, data, key)
    return act_views(run_context.reader.store, run_context.run(), [done])[0]


def done_by(viewer: Viewer, run_context: RunContext, asked: Asked, key: str) -> LoggedAct:
    """Do what a viewer asks for its home. Raises AccessDenied, InputError, StateError."""
    if viewer.member is None or not viewer.acts:
        raise AccessDenied(detail="This token only looks; `transactive token create --acts` makes one that may act.")
    run_context.member(run_context.run(), viewer.member)
    folder = run_context.reader.store.path.parent
    asker = Asker(viewer.account, key, int(time.time()))
    return act(folder, viewer.member, asked, signer_of(folder), asker)


def act_views(store: Store, run: Run, entries: list[LoggedAct]) -> list[ActView]:
    """Entries of the log as the API answers with them."""
    begins = {(each.authorisation.account, each.authorisation.serial): each.begins for each in read(store)}
    return [_view(entry, run, begins) for entry in entries]


def kind_of(entry: LoggedAct) -> str:
    """What was asked for, in the word of the API."""
    kind: str = msgspec.json.decode(entry.asked).get("kind", "authorise")
    return kind


def _view(entry: LoggedAct, run: Run, taken: dict[tuple[int, int], int]) -> ActView:
    """An entry. taken: first slots of the authorisations that the run has taken up [Unix s], by account and serial."""
    given = entry.authorised.authorisation if entry.authorised else None
    begins = taken.get((given.account, given.serial)) if given else None
    first = given.valid_from if given else entry.order.slot if entry.order else entry.begins
    return ActView(
        number=entry.number,
        member=run.community.ids[entry.member],
        kind=kind_of(entry),
        made=stamp(entry.made) if entry.made else None,
        by=entry.by or None,
        from_slot=stamp(first if begins is None else begins),
        counts=begins is not None or entry.order is not None,
        undoes=entry.undoes or None,
        allows=_allowed(entry.authorised) if entry.authorised else None,
        order=_sent(entry.order) if entry.order else None,
    )


def _allowed(authorised: Authorised) -> AllowedView:
    """What a member allows."""
    given = authorised.authorisation
    paused = given.paused_from < given.paused_until
    return AllowedView(
        never_pay_above_micro_per_kwh=None if given.highest_buy == NO_HIGHEST else given.highest_buy,
        sell_only_above_micro_per_kwh=None if given.lowest_sell == NO_LOWEST else given.lowest_sell,
        paused_from=stamp(given.paused_from) if paused else None,
        paused_until=stamp(given.paused_until) if paused and given.paused_until < FOR_GOOD else None,
        valid_until=stamp(given.valid_until) if given.valid_until else None,
        signature=authorised.signature,
    )


def _sent(order: HandOrder) -> HandOrderView:
    """What was sent to the market."""
    return HandOrderView(
        serial=order.serial,
        buys=list(order.buys),
        sells=list(order.sells),
        entry=order.entry,
        received=stamp(order.received),
        receipt=order.receipt,
    )


HANDLERS = (acts, do)
