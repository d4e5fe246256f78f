"""Routes of people who sign in: a link that invites, the way in and out, an account's own page, the operator's list."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template

from transactive.core.errors import InputError
from transactive.texts.formatting import Words
from transactive.texts.language import _
from transactive.web.accounts import signing_in
from transactive.web.accounts.book import hashed, read_book
from transactive.web.accounts.rates import Rates
from transactive.web.authentication import EVERYONE, OPERATES, House, is_private, session_name
from transactive.web.people.door import (
    OPEN,
    PeopleRequest,
    address_of,
    let_in,
    refuse_plain,
    session_of,
    signed_in,
    site_of,
    why_no_passkeys,
)
from transactive.web.run_context import RunContext

FORM = Body(media_type=RequestEncodingType.URL_ENCODED)


@dataclass
class SignIn:
    """Form of who has an account."""

    name: str
    password: str


@dataclass
class Join:
    """Form of who was invited."""

    code: str
    password: str
    name: str = ""


@dataclass
class NewPassword:
    """Form of who changes the password."""

    old: str
    new: str


@dataclass
class Guest:
    """Form of the operator: whom to invite. account: who gets a new password instead."""

    scope: str = ""
    member: str = ""
    account: str = ""


@get("/sign-in", opt=OPEN, sync_to_thread=False, include_in_schema=False)
def sign_in_page(request: PeopleRequest, house: NamedDependency[House]) -> Template:
    """Ask for name and password, where they may be sent."""
    return Template("sign-in.html", context=_door(request, house))


@post("/sign-in", opt=OPEN, sync_to_thread=True, include_in_schema=False)
def sign_in(
    request: PeopleRequest,
    house: NamedDependency[House],
    rates: NamedDependency[Rates],
    data: Annotated[SignIn, FORM],
) -> Response[Any]:
    """Let a person in. Raises PlainHttp, TooMany."""
    refuse_plain(request, house)
    rates.admit(data.name, address_of(request))
    try:
        session = signing_in.sign_in(house.folder, data.name, data.password, int(time.time()))
    except InputError as error:
        return Template("sign-in.html", context=_door(request, house, str(error)), status_code=400)
    rates.forget(data.name, address_of(request))
    return let_in(request, house, session)


@get("/join", opt=OPEN, sync_to_thread=False, include_in_schema=False)
def join_page(request: PeopleRequest, house: NamedDependency[House]) -> Template:
    """The page that an invitation opens; its code stands behind the #."""
    return Template("join.html", context={"private": is_private(request, house), "failed": "", "name": ""})


@post("/join", opt=OPEN, sync_to_thread=True, include_in_schema=False)
def join(
    request: PeopleRequest,
    house: NamedDependency[House],
    rates: NamedDependency[Rates],
    data: Annotated[Join, FORM],
) -> Response[Any]:
    """Make the account of an invitation, or set its new password. Raises PlainHttp, TooMany."""
    refuse_plain(request, house)
    rates.admit("", address_of(request))
    try:
        session = signing_in.join(house.folder, data.code, data.name, data.password, int(time.time()))
    except InputError as error:
        context = {"private": True, "failed": str(error), "name": data.name}
        return Template("join.html", context=context, status_code=400)
    rates.forget("", address_of(request))
    return let_in(request, house, session)


@post("/sign-out", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def sign_out(request: PeopleRequest, house: NamedDependency[House]) -> Response[None]:
    """End this browser's session."""
    signing_in.sign_out(house.folder, session_of(request, house), int(time.time()))
    gone = Cookie(key=session_name(house.port), value="", max_age=0, httponly=True, samesite="strict")
    return Redirect("/sign-in", status_code=303, cookies=[gone])


@get("/account", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def account_page(
    request: PeopleRequest, house: NamedDependency[House], run_context: NamedDependency[RunContext]
) -> Template:
    """Who is signed in, in which browsers; for the operator, everybody who can, and whom to invite."""
    return Template("account.html", context=_account(request, house, run_context))


@post("/account/password", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def new_password(
    request: PeopleRequest,
    house: NamedDependency[House],
    rates: NamedDependency[Rates],
    run_context: NamedDependency[RunContext],
    data: Annotated[NewPassword, FORM],
) -> Template:
    """Set another password; all other browsers are out. Raises PlainHttp, TooMany."""
    refuse_plain(request, house)
    name, session, now = signed_in(request), session_of(request, house), int(time.time())
    rates.admit(name, address_of(request))
    return _told(
        request,
        house,
        run_context,
        lambda: signing_in.change_password(house.folder, name, data.old, data.new, session, now),
        _("The password is changed; all other browsers are signed out."),
    )


@post("/account/sessions/{session_id:str}/end", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def end_session(request: PeopleRequest, house: NamedDependency[House], session_id: FromPath[str]) -> Response[None]:
    """End one of one's own sessions."""
    signing_in.end_session(house.folder, signed_in(request), session_id, int(time.time()))
    return Redirect("/account", status_code=303)


@post("/account/invitations", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def invite(
    request: PeopleRequest,
    house: NamedDependency[House],
    run_context: NamedDependency[RunContext],
    data: Annotated[Guest, FORM],
) -> Template:
    """Make a link for somebody new, or for who lost the password; it is shown this once."""
    known, now = run_context.run().community.ids, int(time.time())
    member = data.member if data.scope == "member" else None
    made: list[str] = []

    def make() -> None:
        made.append(signing_in.invite(house.folder, data.scope, member, known, now, data.account or None))

    page = _told(request, house, run_context, make, _("Send this link to the person; it works once, for two weeks."))
    link = f"{site_of(request)}/join#{made[0]}" if made else ""
    return Template("account.html", context={**page.context, "link": link}, status_code=200 if made else 400)


@post("/account/invitations/{invitation_id:str}/withdraw", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def withdraw(
    request: PeopleRequest,
    house: NamedDependency[House],
    run_context: NamedDependency[RunContext],
    invitation_id: FromPath[str],
) -> Template:
    """Withdraw a link that nobody has used yet."""
    now, said = int(time.time()), _("The link is withdrawn; it lets nobody in any more.")
    return _told(request, house, run_context, lambda: signing_in.withdraw(house.folder, invitation_id, now), said)


@post("/account/people/{name:str}/remove", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def remove_person(
    request: PeopleRequest,
    house: NamedDependency[House],
    run_context: NamedDependency[RunContext],
    name: FromPath[str],
) -> Template:
    """Take an account away; its browsers are out at once."""
    now = int(time.time())
    return _told(
        request,
        house,
        run_context,
        lambda: signing_in.remove(house.folder, name, now),
        _("%(name)s is removed.", name=name),
    )


def _door(request: PeopleRequest, house: House, failed: str = "") -> dict[str, Any]:
    """What the page to sign in shows. failed: why somebody did not come in."""
    return {"private": is_private(request, house), "failed": failed, "passkeys": not why_no_passkeys(request, house)}


def _account(request: PeopleRequest, house: House, run_context: RunContext, said: str = "") -> dict[str, Any]:
    """What the page of accounts shows. said: what just happened."""
    viewer, book, now = request.user, read_book(house.folder), int(time.time())
    here, run = hashed(session_of(request, house)), run_context.reader.run()
    words = Words(run.community.currency, run.community.zone) if run else Words("")
    mine = book.account(viewer.account) if viewer.account else None
    return {
        "viewer": viewer,
        "run": run,
        "zone": words.zone_text(now),
        "private": is_private(request, house),
        "said": said,
        "failed": "",
        "link": "",
        "sessions": [
            (each.id, words.moment(each.made), words.moment(each.used), each.sha256 == here)
            for each in book.sessions
            if each.account == viewer.account and now < each.expires
        ],
        "no_passkeys": why_no_passkeys(request, house),
        "passkeys": [
            (each.id, each.label, each.site, words.moment(each.made), words.moment(each.used) if each.used else "–")
            for each in (mine.passkeys if mine else ())
        ],
        "people": sorted(book.accounts, key=lambda each: each.name.casefold()) if viewer.scope == "operator" else [],
        "waiting": [
            (each.id, each.account or each.member or each.scope, words.moment(each.expires))
            for each in book.invitations
            if viewer.scope == "operator" and now < each.expires
        ],
        "members": run.community.ids if run else [],
    }


def _told(
    request: PeopleRequest, house: House, run_context: RunContext, act: Callable[[], None], said: str
) -> Template:
    """The page after a step: that it was taken, or why not."""
    try:
        act()
    except InputError as error:
        context = {**_account(request, house, run_context), "failed": str(error)}
        return Template("account.html", context=context, status_code=400)
    return Template("account.html", context=_account(request, house, run_context, said), status_code=200)


ROUTES = (
    *(sign_in_page, sign_in, join_page, join, sign_out, account_page, new_password, end_session, invite),
    *(withdraw, remove_person),
)
