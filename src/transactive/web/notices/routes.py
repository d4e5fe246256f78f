"""The page on which a person chooses what it is told, how, and how often."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from litestar import get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from msgspec import Meta

from transactive.core.errors import InputError
from transactive.services.notices.choices import KINDS, NoticeKind, choice_of, choose, confirm
from transactive.services.notices.sending import SIGNATURE
from transactive.texts.language import N_, _
from transactive.web.accounts.rates import Rates
from transactive.web.authentication import EVERYONE, House
from transactive.web.notices.told import all_events, people_with_accounts
from transactive.web.people.door import PeopleRequest, address_of, signed_in
from transactive.web.run_context import RunContext

FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
WORDS: dict[NoticeKind, str] = {
    "findings": N_("Findings about meters and devices"),
    "papers": N_("Bills and other papers"),
    "drafts": N_("Drafts of an assistant that wait for my word"),
    "decisions": N_("Proposals of the community"),
}


@dataclass
class ChosenNotices:
    """The form. kinds: of events, none to be told nothing."""

    kinds: list[NoticeKind] = field(default_factory=list)
    rhythm: Literal["at once", "daily"] = "daily"
    email: Annotated[str, Meta(max_length=254)] = ""
    webhook: Annotated[str, Meta(max_length=500)] = ""


@dataclass
class AddressCode:
    """The form of a code that was sent to an address."""

    code: Annotated[str, Meta(max_length=40)]


@get("/account/notices", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def notices_page(
    request: PeopleRequest, house: NamedDependency[House], run_context: NamedDependency[RunContext]
) -> Template:
    """What somebody who signed in is told."""
    return _page(request, house, run_context)


@post("/account/notices/choice", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def choose_notices(
    request: PeopleRequest,
    house: NamedDependency[House],
    run_context: NamedDependency[RunContext],
    data: Annotated[ChosenNotices, FORM],
) -> Template | Redirect:
    """Keep what somebody chooses; what is on the page already is not told any more."""
    name = signed_in(request)
    try:
        there = (each.key for each in all_events(house.folder, people_with_accounts(house.folder)[name]))
        choose(house.folder, name, tuple(data.kinds), data.rhythm, data.email, data.webhook, there)
    except InputError as error:
        return _page(request, house, run_context, failed=str(error))
    return Redirect("/account/notices", status_code=303)


@post("/account/notices/code", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def confirm_address(
    request: PeopleRequest,
    house: NamedDependency[House],
    rates: NamedDependency[Rates],
    run_context: NamedDependency[RunContext],
    data: Annotated[AddressCode, FORM],
) -> Template | Redirect:
    """Take an address as the person's own. Raises TooMany."""
    name = signed_in(request)
    rates.admit("", address_of(request))
    try:
        confirm(house.folder, name, data.code, int(time.time()))
    except InputError as error:
        return _page(request, house, run_context, failed=str(error))
    rates.forget("", address_of(request))
    return Redirect("/account/notices", status_code=303)


def _page(request: PeopleRequest, house: House, run_context: RunContext, failed: str = "") -> Template:
    """The page. failed: why something could not be kept."""
    viewer = request.user
    chosen = choice_of(house.folder, viewer.account) if viewer.account else None
    context: dict[str, Any] = {
        "viewer": viewer,
        "run": run_context.reader.run(),
        "failed": failed,
        "chosen": chosen,
        "kinds": [(kind, _(WORDS[kind]), chosen is None or kind in chosen.kinds) for kind in KINDS],
        "header": SIGNATURE,
    }
    return Template("notices.html", context=context, status_code=400 if failed else 200)


ROUTES = (notices_page, choose_notices, confirm_address)
