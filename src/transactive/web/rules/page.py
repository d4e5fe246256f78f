"""What the page of rules shows: where the numbers stand, drafts with what they would mean, what was set."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from transactive.chain.governance.place import is_governed
from transactive.config.community_file import load
from transactive.core.community.community import Community
from transactive.core.errors import InputError, StateError
from transactive.core.governance.decided import with_decided
from transactive.core.governance.numbers import NUMBERS
from transactive.engine.governance.recorded_rules import decided_in
from transactive.services.governing.drafts import drafts
from transactive.services.governing.rules_file import set_blocks
from transactive.services.readings.inbox import community_file
from transactive.store import Store
from transactive.store.read.stages import last_traded
from transactive.texts.formatting import Words
from transactive.texts.language import _
from transactive.web.deciding.meaning import meaning_of
from transactive.web.deciding.wording import TITLES, said, typed, unit_of, value_words
from transactive.web.rules.rehearsing import DAYS, DraftRehearsal


def rules_page(store: Store, community: Community, latest: DraftRehearsal | None, words: Words) -> dict[str, Any]:
    """Everything about the rules. community: of the run, where its file is not known here."""
    folder, file = store.path.parent, community_file(store.path.parent)
    opens = open_from(store, community)
    with contextlib.suppress(InputError, StateError):  # what the run goes by is shown where the file is wrong
        community = with_decided(load(file), decided_in(store)) if file else community
    rules = community.at(opens)
    return {
        "known": file is not None,
        "governed": is_governed(folder),
        "opens": words.moment(opens),
        "first_day": words.date(words.next_day(opens)),
        "numbers": [_number(name, rules, words) for name in TITLES],
        "choices": DAYS,
        "rehearsal": None if latest is None else _rehearsal(latest, words),
        "drafts": [
            {
                "digest": one.digest,
                "title": said(one.numbers, one.since, words),
                "meaning": meaning_of(one.document, words),
                "open": one.since >= opens,
                "number": place,
            }
            for place, one in enumerate(drafts(folder))
        ],
        "blocks": _blocks(file, opens, words),
    }


def open_from(store: Store, community: Community) -> int:
    """First slot of which nothing is traded yet [Unix s]."""
    return last_traded(store) + community.clock.length


def _number(name: str, rules: Community, words: Words) -> dict[str, Any]:
    """A number and where it stands."""
    number = next(one for one in NUMBERS if one.name == name)
    value = number.of(rules)
    return {
        "name": name,
        "title": _(TITLES[name]),
        "there": value is not None,
        "value": "" if value is None else value_words(number, value, words),
        "typed": "" if value is None else typed(number, value, words),
        "choices": list(number.words),
        "unit": "" if number.words else unit_of(number, words),
    }


def _rehearsal(latest: DraftRehearsal, words: Words) -> dict[str, Any]:
    return {"works": latest.works, "failed": latest.failed, "title": said(latest.numbers, latest.since, words)}


def _blocks(file: Path | None, opens: int, words: Words) -> list[dict[str, Any]]:
    """What was set here, the newest first; only the last can be undone, before its slot."""
    found = set_blocks(file) if file else []
    return [
        {
            "title": said(one.numbers, one.since, words),
            "by": one.by,
            "at": words.moment(one.at),
            "since": one.since,
            "undo": place == 0 and one.since >= opens,
            "begun": one.since < opens,
        }
        for place, one in enumerate(reversed(found))
    ]
