"""Routes of the page where readings are brought: a form, what is believed of its file, and the word to accept."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, fields
from typing import Annotated, Any

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template

from transactive.core.errors import InputError, Unsaid
from transactive.core.slots import parse_time
from transactive.services.readings.held import answer_held, file_of_state
from transactive.services.readings.inbox import SAME_NAME, ReadingsInbox
from transactive.services.readings.limits import MOST_BYTES
from transactive.services.readings.said import Said, said_of
from transactive.web.api.paging import looked
from transactive.web.authentication import OPERATES
from transactive.web.pages.readings.page import readings_page
from transactive.web.pages.routes import PageRequest
from transactive.web.run_context import RunContext

FORM_BYTES = 2**20
"""What a form may have beside its files."""


@dataclass
class Brought:
    """A form with files."""

    file: list[UploadFile]


@dataclass
class Answered:
    """What is said of a file that waits. accept: whether it shall count."""

    profile: str = ""
    zone: str = ""
    unit: str = ""
    stamp: str = ""
    order: str = ""
    reading: str = ""
    register: str = ""
    exchanged: str = ""
    accept: str = ""

    def said(self) -> Said:
        """All of it but the word to accept."""
        return said_of({each.name: getattr(self, each.name).strip() for each in fields(self)})


@dataclass
class AnsweredHeld:
    """What is said of held readings of a member, from a slot on to before another one."""

    member: str
    first: str
    end: str
    said: str


@get("/readings", opt=OPERATES, include_in_schema=False)
async def readings(request: PageRequest, run_context: NamedDependency[RunContext]) -> Template:
    """The page before a file is there, and what is held of the community's readings, which are read in a thread."""

    def context() -> dict[str, Any]:
        looked(run_context, request, None)
        return readings_page(run_context.reader, run_context.run(), request.user, Said())

    return Template("readings.html", context=await asyncio.to_thread(context))


@post(
    "/readings",
    opt=OPERATES,
    sync_to_thread=True,
    include_in_schema=False,
    status_code=200,
    request_max_body_size=MOST_BYTES + FORM_BYTES,
)
def bring(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    data: Annotated[Brought, Body(media_type=RequestEncodingType.MULTI_PART)],
) -> Template:
    """What is believed of a file, or of several that belong together; nothing counts yet."""
    files = {upload.filename: upload.file.read() for upload in data.file}
    if len(files) < len(data.file):
        raise InputError(SAME_NAME)
    look = inbox_of(run_context).bring(files, Said())
    return Template(
        "readings.html", context=readings_page(run_context.reader, run_context.run(), request.user, Said(), look)
    )


@post("/readings/{token:str}", opt=OPERATES, sync_to_thread=True, include_in_schema=False, status_code=200)
def answer(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    token: FromPath[str],
    data: Annotated[Answered, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template:
    """The same file with something said of it, or accepted as it was shown."""
    inbox, said = inbox_of(run_context), data.said()
    done = None
    if data.accept:
        try:
            done = inbox.accept(token, said, int(time.time()))
        except Unsaid:
            pass  # the page asks again
        except InputError:
            if not (inbox.state / "inbox" / token).is_dir():
                raise
    look = None if done else inbox.look(token, said)
    context = readings_page(run_context.reader, run_context.run(), request.user, said, look, done)
    return Template("readings.html", context=context)


@post("/readings/held", opt=OPERATES, sync_to_thread=True, include_in_schema=False, status_code=200)
def answer_about_held(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    data: Annotated[AnsweredHeld, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template:
    """Release held readings, or refuse them; the page again."""
    file = file_of_state(run_context.reader.store.path.parent)
    answer_held(file, data.member, parse_time(data.first), parse_time(data.end), data.said)
    context = readings_page(run_context.reader, run_context.run(), request.user, Said())
    return Template("readings.html", context=context)


def inbox_of(run_context: RunContext) -> ReadingsInbox:
    """Where readings come in for the run."""
    return ReadingsInbox(run_context.reader.store.path.parent, run_context.run().community.tariff.time_zone)
