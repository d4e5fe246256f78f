"""What the member page shows of drafts: those that wait, and what was said to the last ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transactive.texts.formatting import Words
from transactive.texts.language import _
from transactive.web.assistants.drafts import LAPSE_DAYS, AssistantDraft, drafts_of
from transactive.web.assistants.effects import effect

MOST_ANSWERED = 5


def drafts_card(folder: Path, member: str, words: Words, now: int, *, may_answer: bool) -> dict[str, Any] | None:
    """The card; None where nothing was ever proposed. now: [Unix s]."""
    found = drafts_of(folder, member)
    if not found:
        return None
    rows = [_row(each, words, now) for each in found]
    answered = [row for row in rows if row["state"] != "waits"][:MOST_ANSWERED]
    return {"waiting": [row for row in rows if row["state"] == "waits"], "answered": answered, "open": may_answer}


def _row(draft: AssistantDraft, words: Words, now: int) -> dict[str, Any]:
    state = draft.state(now)
    said = {
        "accepted": _("You accepted it: act no. %(act)s", act=draft.act),
        "declined": _("You declined it"),
        "lapsed": _("It lapsed"),
    }
    return {
        "number": draft.number,
        "effect": effect(draft.asked, words),
        "reason": draft.reason,
        "by": draft.by or _("an assistant"),
        "made": words.moment(draft.made),
        "lapses": words.moment(draft.made + LAPSE_DAYS * 86_400),
        "state": state,
        "said": said.get(state, ""),
    }
