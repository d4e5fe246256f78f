"""Routes of passkeys: a device is asked, answers, and what it made or proved counts."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from litestar import MediaType, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Redirect

from transactive.core.errors import InputError
from transactive.texts.language import known
from transactive.web.accounts import passkeys, signing_in
from transactive.web.accounts.passkeys import PasskeyChallenges
from transactive.web.accounts.rates import Rates
from transactive.web.authentication import EVERYONE, House
from transactive.web.people.door import OPEN, PeopleRequest, address_of, let_in, refuse_plain, signed_in, where_of
from transactive.web.run_context import RunContext

MOST_BYTES = 2**16
"""Of an answer of a device."""


class NewPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks for a passkey shows the password again: a browser that was left open gives none away."""

    password: str


class MadePasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a device made. label: what its person calls it."""

    credential: dict[str, Any]
    label: str = ""


class ProvenPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a device signed."""

    credential: dict[str, Any]


@post(
    "/account/passkeys/question",
    opt=EVERYONE,
    sync_to_thread=True,
    include_in_schema=False,
    request_max_body_size=MOST_BYTES,
    status_code=200,
)
def ask_for_passkey(
    request: PeopleRequest,
    house: NamedDependency[House],
    rates: NamedDependency[Rates],
    run_context: NamedDependency[RunContext],
    passkey_challenges: NamedDependency[PasskeyChallenges],
    data: JSONBody[NewPasskey],
) -> Response[Any]:
    """What a device is asked to make a passkey for who is signed in. Raises PlainHttp, TooMany."""
    refuse_plain(request, house)
    name, now = signed_in(request), int(time.time())
    rates.admit(name, address_of(request))
    try:
        site, _ = where_of(request)
        account = signing_in.with_password(house.folder, name, data.password)
        question = passkey_challenges.ask(name, now)
        options = passkeys.offer(account, site, run_context.run().community.name, question)
    except InputError as error:
        return _failed(error)
    rates.forget(name, address_of(request))
    return Response(options, media_type=MediaType.JSON)


@post(
    "/account/passkeys",
    opt=EVERYONE,
    sync_to_thread=True,
    include_in_schema=False,
    request_max_body_size=MOST_BYTES,
    status_code=200,
)
def keep_passkey(
    request: PeopleRequest,
    house: NamedDependency[House],
    passkey_challenges: NamedDependency[PasskeyChallenges],
    data: JSONBody[MadePasskey],
) -> Response[Any]:
    """Keep the passkey that a device made. Raises PlainHttp."""
    refuse_plain(request, house)
    name, now = signed_in(request), int(time.time())
    try:
        question = passkey_challenges.take(data.credential, name, now)
        passkeys.add(house.folder, name, (data.credential, question), where_of(request), data.label, now)
    except InputError as error:
        return _failed(error)
    return Response({"kept": True})


@post("/account/passkeys/{key_id:str}/remove", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def remove_passkey(request: PeopleRequest, house: NamedDependency[House], key_id: FromPath[str]) -> Redirect:
    """Let one of one's own passkeys sign in nobody any more. Raises InputError."""
    passkeys.forget(house.folder, signed_in(request), key_id, int(time.time()))
    return Redirect("/account#h-passkeys", status_code=303)


@post(
    "/sign-in/passkey/question",
    opt=OPEN,
    sync_to_thread=True,
    include_in_schema=False,
    request_max_body_size=MOST_BYTES,
    status_code=200,
)
def ask_passkey(
    request: PeopleRequest,
    house: NamedDependency[House],
    rates: NamedDependency[Rates],
    passkey_challenges: NamedDependency[PasskeyChallenges],
) -> Response[Any]:
    """What a device is asked to sign somebody in. Raises PlainHttp, TooMany."""
    refuse_plain(request, house)
    rates.admit("", address_of(request))  # who asks without end would push out the questions of everybody else
    try:
        site, _ = where_of(request)
    except InputError as error:
        return _failed(error)
    question = passkey_challenges.ask("", int(time.time()))
    return Response(passkeys.question_of(site, question), media_type=MediaType.JSON)


@post(
    "/sign-in/passkey",
    opt=OPEN,
    sync_to_thread=True,
    include_in_schema=False,
    request_max_body_size=MOST_BYTES,
    status_code=200,
)
def sign_in_by_passkey(
    request: PeopleRequest,
    house: NamedDependency[House],
    rates: NamedDependency[Rates],
    passkey_challenges: NamedDependency[PasskeyChallenges],
    data: JSONBody[ProvenPasskey],
) -> Response[Any]:
    """Let in whose passkey answered. Raises PlainHttp, TooMany."""
    refuse_plain(request, house)
    rates.admit("", address_of(request))
    now = int(time.time())
    try:
        question = passkey_challenges.take(data.credential, "", now)
        session = passkeys.sign_in_by(house.folder, data.credential, question, where_of(request), now)
    except InputError as error:
        return _failed(error)
    for _ in ("the question", "the answer"):
        rates.forget("", address_of(request))
    cookies = let_in(request, house, session).cookies
    return Response({"in": True}, cookies=cookies)


def _failed(error: InputError) -> Response[Any]:
    return Response({"failed": known(str(error))}, status_code=400)


ROUTES = (ask_for_passkey, keep_passkey, remove_passkey, ask_passkey, sign_in_by_passkey)
