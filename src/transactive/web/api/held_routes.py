"""Held readings: what is not billed as it was read, and what the operator answers about it. For the operator alone."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from transactive.core.slots import parse_time, time_text
from transactive.services.readings.held import HeldStretch, answer_held, file_of_state, stretches
from transactive.web.api.paging import SHARED, ApiRequest, looked
from transactive.web.api.records import Time, View, Wh
from transactive.web.authentication import OPERATES
from transactive.web.run_context import RunContext

Said = Literal["release", "refuse"]
Member = Annotated[str, QueryParameter(max_length=200, description="Id of the member")]
Moment = Annotated[str, QueryParameter(max_length=40, description="RFC 3339 with a zone")]


class HeldView(View, frozen=True, kw_only=True):
    """Readings of a member from `first` to before `end` that are not billed as they were read, for one reason.

    billed: by their substitutes, until somebody releases them. waits: for an answer.
    """

    member: str
    first: Time
    end: Time
    reason: str
    read_consumption_wh: Wh
    read_generation_wh: Wh
    billed_consumption_wh: Wh
    billed_generation_wh: Wh
    waits: bool


class HeldPage(View, frozen=True, kw_only=True):
    """All that is held, by time and member."""

    items: list[HeldView]


class HeldAnswer(View, frozen=True, kw_only=True):
    """How many readings an answer was about; it counts from the next run on."""

    answered: int


@get("/held-readings", opt=OPERATES, **SHARED)
def held_readings(request: ApiRequest, run_context: NamedDependency[RunContext]) -> HeldPage:
    """Readings that nobody would believe, and what is billed meanwhile."""
    looked(run_context, request, None)
    return HeldPage(items=[_view(one) for one in stretches(file_of_state(run_context.reader.store.path.parent))])


@put("/held-readings/{said:str}", opt=OPERATES, **SHARED)
def answer(
    run_context: NamedDependency[RunContext], said: FromPath[Said], member: Member, first: Moment, end: Moment
) -> HeldAnswer:
    """Release held readings of a member, which are then billed as they were read, or refuse them."""
    file = file_of_state(run_context.reader.store.path.parent)
    count, _ = answer_held(file, member, parse_time(first), parse_time(end), said)
    return HeldAnswer(answered=count)


def _view(one: HeldStretch) -> HeldView:
    held = one.held
    return HeldView(
        member=one.member,
        first=time_text(held.first),
        end=time_text(held.end),
        reason=held.doubt.words,
        read_consumption_wh=held.read_wh[0],
        read_generation_wh=held.read_wh[1],
        billed_consumption_wh=held.billed_wh[0],
        billed_generation_wh=held.billed_wh[1],
        waits=held.waits,
    )


HANDLERS = (held_readings, answer)
