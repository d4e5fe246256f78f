"""What the faces keep of a home's people: accounts, tokens, drafts, looks, requests of assistants; and erasing it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from transactive.core.slots import time_text
from transactive.services.notices.choices import choices, forget_choices
from transactive.services.privacy.erasure import erase_again, members_there
from transactive.services.privacy.erasures import Erased
from transactive.web.accounts.assistant_log import AssistantRequest, asked_by_assistants, forget_requests
from transactive.web.accounts.book import changed_book, read_book
from transactive.web.accounts.looks import forget_looks, looks_at
from transactive.web.assistants.drafts import drafts_of, forget_drafts
from transactive.web.tokens import forget_tokens, read_grants


def people_of(folder: Path, member: str) -> list[str]:
    """Names with which a home's people sign in."""
    return [each.name for each in read_book(folder).accounts if each.member == member]


def kept_of(folder: Path, member: str) -> dict[str, Any]:
    """What faces keep of a home, as its copy has it: no hash that lets somebody in."""
    book = read_book(folder)
    mine = [each for each in book.accounts if each.member == member]
    names = {each.name for each in mine}
    tokens = [each for each in read_grants(folder) if each.member == member]
    return {
        "accounts": [
            {
                "name": each.name,
                "made": time_text(each.made),
                "passkeys": [{"label": key.label, "made": time_text(key.made)} for key in each.passkeys],
            }
            for each in mine
        ],
        "notices": [
            {"account": each.account, "email": each.email, "webhook": each.webhook, "kinds": each.kinds}
            for each in choices(folder)
            if each.account in names
        ],
        "sessions": [
            {"account": each.account, "made": time_text(each.made), "used": time_text(each.used)}
            for each in book.sessions
            if each.account in names
        ],
        "tokens": [{"id": each.id, "name": each.name, "made": time_text(each.made)} for each in tokens],
        "drafts": [msgspec.to_builtins(each) for each in drafts_of(folder, member)],
        "looks": [msgspec.to_builtins(each) | {"at": time_text(each.at)} for each in looks_at(folder, member)],
        "assistants": [
            msgspec.to_builtins(each) | {"time": time_text(each.time)} for each in asked_for(folder, member)
        ],
    }


def asked_for(folder: Path, member: str) -> list[AssistantRequest]:
    """What assistants asked with a home's tokens, oldest first."""
    ids = {each.id for each in read_grants(folder) if each.member == member}
    return [each for each in asked_by_assistants(folder) if each.token in ids]


def forget_again(folder: Path, erased: Sequence[Erased], now: int) -> None:
    """Erase in a copy of a state, of before, who was erased since. now: [Unix s]."""
    for member, each in members_there(folder, erased):
        erase_again(folder, each, people_of(folder, member), now)
        forget_kept(folder, member, now)


def forget_kept(folder: Path, member: str, now: int) -> int:
    """Erase what faces keep of a home's people; returns how many accounts there were."""
    names = set(people_of(folder, member))
    ids = {each.id for each in read_grants(folder) if each.member == member}
    forget_requests(folder, ids)
    forget_choices(folder, names)
    forget_tokens(folder, member)
    forget_drafts(folder, member, now)
    forget_looks(folder, now, member=member, people=frozenset(names))
    with changed_book(folder, now) as book:
        for name in names:
            book.end(name)
            book.forget_links(name)
        book.accounts = [each for each in book.accounts if each.name not in names]
        book.invitations = [each for each in book.invitations if each.member != member]
    return len(names)
