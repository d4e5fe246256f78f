"""Readings that a program brings: what is believed of a file, and the word to accept it. For the operator alone."""

from __future__ import annotations

import time
from typing import Annotated

from litestar import post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter, RawBody

from transactive.metering.exports.belief import Belief
from transactive.services.readings.effect import Effect
from transactive.services.readings.inbox import Look, Question, ReadingsInbox
from transactive.services.readings.limits import MOST_BYTES
from transactive.services.readings.said import Said, said_of
from transactive.services.readings.words import in_words
from transactive.web.api.paging import SHARED
from transactive.web.api.records import View
from transactive.web.authentication import OPERATES
from transactive.web.run_context import RunContext

Name = Annotated[str, QueryParameter(max_length=200, description="Name of the file, for messages")]
MOST = 60
"""Letters of what is said of a file."""
Profile = Annotated[str | None, QueryParameter(max_length=MOST, description="Name of a profile that ships")]
Zone = Annotated[str | None, QueryParameter(max_length=MOST, description="Of times without one: Europe/Vienna")]
Unit = Annotated[str | None, QueryParameter(max_length=MOST, description="Wh, kWh, MWh, W or kW")]
Stamp = Annotated[str | None, QueryParameter(max_length=MOST, description="What a time names: start or end")]
Order = Annotated[str | None, QueryParameter(max_length=MOST, description="Of day and month: ymd, dmy or mdy")]
Reading = Annotated[str | None, QueryParameter(max_length=MOST, description="energy, power or total")]
Counts = Annotated[str | None, QueryParameter(max_length=MOST, description="import, export, net, consumption …")]
Exchanged = Annotated[str | None, QueryParameter(max_length=MOST, description="yes: a register may fall once")]


class LookView(View, frozen=True, kw_only=True):
    """A file as it is understood: what is believed of it, in figures and words, and what accepting it would do.

    token: names it as long as it waits. question: what has to be said first. refused: why it cannot be accepted.
    """

    token: str
    name: str
    belief: Belief | None
    words: str
    profile: str
    effect: Effect | None
    question: Question | None
    refused: str


def said_in_query(
    profile: Profile = None,
    zone: Zone = None,
    unit: Unit = None,
    stamp: Stamp = None,
    order: Order = None,
    reading: Reading = None,
    register: Counts = None,
    exchanged: Exchanged = None,
) -> Said:
    """What a query says of a file beside it; the options of `transactive import`. Raises InputError."""
    return said_of({name: value for name, value in locals().items() if value})


SAYS = {"said": Provide(said_in_query, sync_to_thread=False)}


@post(
    "/readings",
    opt=OPERATES,
    dependencies=SAYS,
    status_code=200,
    request_max_body_size=MOST_BYTES,
    **SHARED,
)
def bring(
    run_context: NamedDependency[RunContext],
    said: NamedDependency[Said],
    body: RawBody,
    name: Name = "readings",
) -> LookView:
    """Bring a file of readings, which is the body, and hear what is believed of it. Nothing counts yet."""
    return _view(_inbox(run_context).bring({name: body}, said))


@put("/readings/{token:str}", opt=OPERATES, dependencies=SAYS, **SHARED)
def accept(run_context: NamedDependency[RunContext], said: NamedDependency[Said], token: FromPath[str]) -> Effect:
    """Accept a file that waits: its readings count from the next run on. Refused in the words of `run`."""
    return _inbox(run_context).accept(token, said, int(time.time()))


def _view(look: Look) -> LookView:
    return LookView(
        token=look.token,
        name=look.name,
        belief=look.belief,
        words=in_words(look.belief) if look.belief else "",
        profile=look.profile,
        effect=look.effect,
        question=look.question,
        refused=look.refused,
    )


def _inbox(run_context: RunContext) -> ReadingsInbox:
    return ReadingsInbox(run_context.reader.store.path.parent)


HANDLERS = (bring, accept)
