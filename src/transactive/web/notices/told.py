"""Who can be told, and all that there is to tell: what services know, and drafts that wait on the page."""

from __future__ import annotations

import time
from pathlib import Path

from transactive.services.notices.events import NoticeEvent, NoticePerson, events_for
from transactive.web.accounts.book import read_book
from transactive.web.assistants.drafts import drafts_of


def people_with_accounts(folder: Path) -> dict[str, NoticePerson]:
    """People by the name of their account."""
    return {each.name: NoticePerson(each.name, each.scope, each.member) for each in read_book(folder).accounts}


def all_events(folder: Path, person: NoticePerson) -> list[NoticeEvent]:
    """Everything that concerns a person now."""
    found, now = events_for(folder, person), int(time.time())
    for draft in drafts_of(folder, person.member) if person.member else ():
        if draft.state(now) == "waits":
            title, place = "A draft waits for your word", "/member#h-drafts"
            found.append(NoticeEvent(f"draft {draft.made} {draft.number}", "drafts", title, "Open your page.", place))
    return found
