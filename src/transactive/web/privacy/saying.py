"""What people say on the page of their data: consents, complaints and answers to them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template
from msgspec import Meta

from transactive.core.errors import InputError
from transactive.services.complaints import LONGEST, complain, complaints, end_complaint
from transactive.services.privacy.consents import say_consent
from transactive.store.live.consents import Consent, Purpose
from transactive.web.authentication import MEMBERS, NOTES
from transactive.web.privacy.routes import privacy_template
from transactive.web.problems import AccessDenied, NotFound
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

FormRequest = Request[Viewer, Any, Any]
Text = Annotated[str, Meta(max_length=2 * LONGEST)]


@dataclass
class SaidOfPurpose:
    """A consent: given, or withdrawn."""

    purpose: Purpose
    word: Literal["agree", "withdraw"]


@dataclass
class NewComplaint:
    """A complaint. about: number of a finding, 0 for none."""

    text: Text
    about: Annotated[int, Meta(ge=0, le=2**53)] = 0


@dataclass
class ComplaintAnswer:
    """The end of a complaint: the operator's answer with its reason, or the home takes it back."""

    outcome: Literal["upheld", "rejected", "withdrawn"]
    text: Text = ""


@post("/privacy/consents", opt=MEMBERS, sync_to_thread=True, include_in_schema=False)
def say_of_purpose(
    request: FormRequest,
    run_context: NamedDependency[RunContext],
    data: Annotated[SaidOfPurpose, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Agree to a purpose, or withdraw that."""
    member, by = _home(request.user, run_context)
    consent = Consent(member, data.purpose, data.word == "agree", int(time.time()), by)
    try:
        say_consent(_folder(run_context), run_context.run().community, consent)
    except InputError as error:
        return privacy_template(request, run_context, failed=str(error))
    return Redirect("/privacy#h-consents", status_code=303)


@post("/privacy/complaints", opt=MEMBERS, sync_to_thread=True, include_in_schema=False)
def write_complaint(
    request: FormRequest,
    run_context: NamedDependency[RunContext],
    data: Annotated[NewComplaint, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Open a complaint."""
    member, by = _home(request.user, run_context)
    days = run_context.run().community.privacy.answer_days
    try:
        complain(_folder(run_context), member, data.text, by, int(time.time()), days, data.about)
    except InputError as error:
        return privacy_template(request, run_context, failed=str(error))
    return Redirect("/privacy#h-complaints", status_code=303)


@post("/privacy/complaints/{number:int}", opt=NOTES, sync_to_thread=True, include_in_schema=False)
def answer_complaint(
    request: FormRequest,
    run_context: NamedDependency[RunContext],
    number: FromPath[int],
    data: Annotated[ComplaintAnswer, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Answer a complaint, as the operator, or take it back, as its home. Raises NotFound, AccessDenied."""
    viewer, folder = request.user, _folder(run_context)
    found = next((each for each in complaints(folder) if each.opened.number == number), None)
    if found is None or (viewer.member is not None and found.opened.member != _home(viewer, run_context)[0]):
        raise NotFound(f"complaint {number}: there is none of that number for you")
    if (data.outcome == "withdrawn") != (viewer.member is not None):
        raise AccessDenied(detail="The operator answers a complaint, and its home alone takes it back.")
    text = data.text or ("Taken back." if data.outcome == "withdrawn" else "")
    try:
        end_complaint(folder, number, data.outcome, text, viewer.account or viewer.scope, int(time.time()))
    except InputError as error:
        return privacy_template(request, run_context, failed=str(error))
    return Redirect("/privacy#h-complaints", status_code=303)


def _home(viewer: Viewer, run_context: RunContext) -> tuple[int, str]:
    """Who speaks for which home. Raises AccessDenied for who only looks."""
    if viewer.member is None or not viewer.acts:
        raise AccessDenied(
            detail="Only the home itself says this: who signs in as its member, or a token that may act."
        )
    return run_context.run().community.ids.index(viewer.member), viewer.account


def _folder(run_context: RunContext) -> Path:
    return run_context.reader.store.path.parent


ROUTES = (say_of_purpose, write_complaint, answer_complaint)
