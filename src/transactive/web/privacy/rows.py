"""What the page of a person's data shows of consents, complaints and how long things are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from transactive.services.complaints import Complaint, State, complaints
from transactive.services.privacy.consents import PURPOSES, standing
from transactive.store.read.runs import Run
from transactive.texts.formatting import Words
from transactive.texts.language import N_, _

KINDS = {
    "forecasts_days": N_("Forecasts"),
    "plans_days": N_("Plans of batteries"),
    "findings_days": N_("Findings, once closed"),
    "notes_days": N_("Notes on findings"),
    "complaints_days": N_("Complaints, once ended"),
}
STATES: dict[State, str] = {
    "open": N_("waits for an answer"),
    "overdue": N_("overdue"),
    "upheld": N_("upheld"),
    "rejected": N_("rejected"),
    "withdrawn": N_("withdrawn"),
}


def consent_rows(folder: Path, run: Run, member: int, now: int, words: Words) -> list[dict[str, Any]]:
    """What a home is asked for, how it stands, and since when."""
    return [
        {
            "purpose": each.purpose,
            **dict(zip(("name", "allows", "without"), map(_, PURPOSES[each.purpose]), strict=True)),
            "given": each.given,
            "said": [(words.moment(word.at), _("agreed") if word.given else _("withdrawn")) for word in each.said],
        }
        for each in standing(folder, run.community, member, now)
    ]


def complaint_rows(folder: Path, run: Run, member: int | None, now: int, words: Words) -> list[dict[str, Any]]:
    """Complaints of a home, or of all; those that wait first, the oldest of them on top."""
    found = [each for each in complaints(folder) if member is None or each.opened.member == member]
    waiting = [each for each in reversed(found) if each.ended is None]
    return [_row(each, run, now, words) for each in (*waiting, *(each for each in found if each.ended is not None))]


def _row(one: Complaint, run: Run, now: int, words: Words) -> dict[str, Any]:
    opened, ended = one.opened, one.ended
    return {
        "number": opened.number,
        "home": run.names[opened.member],
        "text": opened.text,
        "about": opened.about,
        "made": words.moment(opened.at),
        "state": _(STATES[one.state(now)]),
        "overdue": one.state(now) == "overdue",
        "due": words.moment(opened.due),
        "open": ended is None,
        "answer": None if ended is None else ended.text,
        "answered": None if ended is None else words.moment(ended.at),
    }


def keep_words(run: Run) -> list[tuple[str, int | None]]:
    """Kinds of data with the days that they are kept; None as long as the run."""
    keep = msgspec.structs.asdict(run.community.privacy.keep)
    return [(_(name), keep[key]) for key, name in KINDS.items()]
