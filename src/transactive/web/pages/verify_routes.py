"""Routes of the verify page: a form, and the answer to the file that was sent with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Template

from transactive.web.authentication import EVERYONE
from transactive.web.pages.routes import PageRequest
from transactive.web.pages.verify import MOST_BYTES, verify_page
from transactive.web.run_context import RunContext


@dataclass
class Sent:
    """A form with one file."""

    file: UploadFile


@get("/verify", opt=EVERYONE, sync_to_thread=False, include_in_schema=False)
def verify(request: PageRequest, run_context: NamedDependency[RunContext]) -> Template:
    """The page before a file is there: a moment's work, so that no thread is needed."""
    return Template("verify.html", context=verify_page(run_context.reader, run_context.run(), request.user))


@post(
    "/verify",
    opt=EVERYONE,
    sync_to_thread=True,
    include_in_schema=False,
    status_code=200,
    request_max_body_size=MOST_BYTES,
)
def verify_file(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    data: Annotated[Sent, Body(media_type=RequestEncodingType.MULTI_PART)],
) -> Template:
    """What a file comes to; nothing of it is kept."""
    name = data.file.filename.rpartition("/")[2] or None
    page = verify_page(run_context.reader, run_context.run(), request.user, name, data.file.file.read())
    return Template("verify.html", context=page)
