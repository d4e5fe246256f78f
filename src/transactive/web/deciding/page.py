"""What the page "Deciding together" shows: proposals as they stand, what is done about them, what they would mean."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transactive.core.governance.decided import Decided
from transactive.core.governance.numbers import NUMBERS
from transactive.core.slots import DAY
from transactive.services.governing.acting import waiting_ballots
from transactive.services.governing.drafts import drafts
from transactive.services.governing.log import DecidingAct
from transactive.services.governing.standing import GovernanceStanding, ProposalStanding
from transactive.texts.formatting import Words, percent
from transactive.texts.language import _
from transactive.web.deciding.meaning import meaning_of, own_part, totals_part
from transactive.web.deciding.wording import TITLES, said, set_words, typed, unit_of, value_words
from transactive.web.viewers import Viewer

MILLION = 1_000_000
SOON_DAYS = 28
"""Days ahead that the form for a proposal begins with: seconding, a vote and its delay fit in."""
STAGES = {
    "seeking seconders": ("Seeks seconders", "clock"),
    "voting": ("Is voted on", "people"),
    "voting again, after a stop": ("Is voted on again, after a stop", "people"),
    "decided, waiting": ("Decided, waits", "clock"),
    "can be executed": ("Decided, can be executed", "check"),
    "executed": ("Executed", "check"),
    "refused": ("Refused", "x"),
    "lapsed": ("Lapsed", "skip"),
}
EVENTS = {
    "Proposed": "Proposed by {who}",
    "Seconded": "Seconded by {who}",
    "Begun": "The vote began: {electorate} can vote",
    "Voted": "{who} voted {answer}",
    "Tallied": "Ballots were counted: {yes} yes, {no} no so far",
    "Prolonged": "The result turned late: the vote goes on",
    "Stopped": "The guardian stopped it: members vote again",
    "Executed": "Executed",
}
ANSWERS = ("", "yes", "no", "abstain")


@dataclass(frozen=True, slots=True)
class Beside:
    """Whose page it is. index: of the viewer's home among the accounts, None for nobody's."""

    folder: Path
    viewer: Viewer
    words: Words
    index: int | None

    @property
    def acts(self) -> bool:
        """Whether the viewer may do something for its home."""
        return self.viewer.acts and self.index is not None


def deciding_page(standing: GovernanceStanding, recorded: Iterable[Decided], beside: Beside) -> dict[str, Any]:
    """All proposals: those under way in full, the others as an archive."""
    waiting = waiting_ballots(beside.folder, standing)
    under_way = [one for one in standing.proposals if one.is_open or one.is_waiting]
    over = [one for one in standing.proposals if one not in under_way]
    return {
        **_common(standing, beside),
        "open": [_proposal(one, standing, beside, waiting) for one in reversed(under_way)],
        "archive": [_row(one, beside) for one in reversed(over)],
        "numbers": [_number(name, standing, beside.words) for name in TITLES if name in standing.numbers],
        "recorded": [_recorded(one, beside.words) for one in recorded],
        "drafts": _drafts(standing, beside),
        "proxy": _proxy(standing, beside),
        "since": beside.words.date(standing.at + SOON_DAYS * DAY),
    }


def proposal_page(one: ProposalStanding, standing: GovernanceStanding, beside: Beside) -> dict[str, Any]:
    """One proposal, with every vote."""
    waiting = waiting_ballots(beside.folder, standing)
    votes = [(_who(index, standing, beside), vote.words) for index, vote in sorted(one.votes.items())]
    return {**_common(standing, beside), "one": _proposal(one, standing, beside, waiting), "votes": votes}


def title_of(one: ProposalStanding, words: Words) -> str:
    """What a proposal does, in words."""
    if len(one.sets) == len(one.does):
        return "; ".join(set_words(each, words) for each in one.sets)
    return "; ".join(one.does)


def _common(standing: GovernanceStanding, beside: Beside) -> dict[str, Any]:
    return {
        "electors": standing.electors,
        "away": standing.away,
        "read": beside.words.moment(standing.at),
        "acts": beside.acts,
        "governor": standing.governor,
        "form_key": secrets.token_urlsafe(12),
    }


def _proposal(
    one: ProposalStanding, standing: GovernanceStanding, beside: Beside, waiting: list[DecidingAct]
) -> dict[str, Any]:
    """Everything about one proposal."""
    found, words = one.proposal, beside.words
    stage, icon = STAGES[found.stage]
    needs = -(-found.electorate * one.terms.approval // MILLION)
    return {
        "number": found.number,
        "title": title_of(one, words),
        "kind": found.kind,
        "stage": stage,
        "icon": icon,
        "by": _who(one.by, standing, beside),
        "seconded": f"{found.seconded} of {found.needed}",
        "voting": found.stage.startswith("voting"),
        "seeking": found.stage == "seeking seconders",
        "begun": found.electorate > 0,
        "yes": found.yes,
        "no": found.no,
        "silent": found.electorate - found.yes - found.no,
        "electorate": found.electorate,
        "yes_percent": percent(found.yes, found.electorate),
        "needs": f"at least {needs} of {found.electorate} electors say yes, and more than"
        f" {one.terms.majority / (MILLION / 100):.4g} % of those who say yes or no",
        "ends": words.moment(found.ends),
        "due": words.moment(found.due) if found.passed else "",
        "until": words.moment(found.due + found.grace) if found.passed else "",
        "timeline": [_event(each, standing, beside) for each in one.happened],
        "mine": _mine(one, beside, waiting),
        "meaning": totals_part(beside.folder, found.document, words),
        "bound": found.document.hex() if any(found.document) else "",
        "own": own_part(beside.folder, found.document, beside.index, words),
    }


def _mine(one: ProposalStanding, beside: Beside, waiting: list[DecidingAct]) -> dict[str, Any]:
    """What the viewer's home did, and may do."""
    index, found = beside.index, one.proposal
    vote = None if index is None else one.votes.get(index)
    signed = next((act for act in waiting if (act.proposal, act.member) == (found.number, index)), None)
    seconded = index == one.by or any(each.name == "Seconded" and each.index == index for each in one.happened)
    return {
        "vote": vote.words if vote else "",
        "signed": ANSWERS[signed.support] if signed else "",
        "seconds": beside.acts and found.stage == "seeking seconders" and not seconded,
        "votes": beside.acts and found.stage.startswith("voting"),
    }


def _event(happened: Any, standing: GovernanceStanding, beside: Beside) -> tuple[str, str]:  # noqa: ANN401 - of a late import
    """When something happened, and what."""
    who = "" if happened.index is None else _who(happened.index, standing, beside)
    said = happened.values | {"who": who, "answer": ANSWERS[int(happened.values.get("support", 0))]}
    return beside.words.moment(happened.at), EVENTS[happened.name].format_map(said)


def _row(one: ProposalStanding, beside: Beside) -> dict[str, Any]:
    """A line of the archive."""
    found = one.proposal
    return {
        "number": found.number,
        "title": title_of(one, beside.words),
        "stage": STAGES[found.stage][0],
        "votes": f"{found.yes} yes, {found.no} no, of {found.electorate}" if found.electorate else "no vote",
        "ended": beside.words.moment(found.ends),
    }


def _number(name: str, standing: GovernanceStanding, words: Words) -> dict[str, Any]:
    """A number that members decide on, where it stands, and how far one decision can take it."""
    number = next(one for one in NUMBERS if one.name == name)
    value, (low, high, step) = standing.numbers[name], standing.bounds[name]
    near, far = max(low, value - step), min(high, value + step)
    return {
        "name": name,
        "title": _(TITLES[name]),
        "value": value_words(number, value, words),
        "range": f"{value_words(number, near, words)} to {value_words(number, far, words)}",
        "changes": step > 0,
        "choices": list(number.words),
        "typed": typed(number, value, words),
        "unit": "" if number.words else unit_of(number, words),
    }


def _recorded(one: Decided, words: Words) -> dict[str, str]:
    """A decision that the run has recorded, and goes by."""
    number = next(each for each in NUMBERS if each.name == one.number)
    return {
        "title": _(TITLES[one.number]),
        "value": value_words(number, one.value, words),
        "from": words.moment(one.holds_from),
        "block": f"{one.block:,}",
        "hash": one.block_hash,
    }


def _drafts(standing: GovernanceStanding, beside: Beside) -> list[dict[str, Any]]:
    """Drafts of whoever operates that nobody has proposed yet, and whose slot is far enough ahead."""
    bound = {one.proposal.document.hex() for one in standing.proposals}
    waiting = [
        one for one in drafts(beside.folder) if one.digest not in bound and one.since >= standing.at + standing.lead
    ]
    return [
        {
            "digest": one.digest,
            "title": said(one.numbers, one.since, beside.words),
            "number": f"draft {place}",
            "meaning": meaning_of(one.document, beside.words),
            "own": own_part(beside.folder, bytes.fromhex(one.digest), beside.index, beside.words),
            "bound": one.digest,
        }
        for place, one in enumerate(waiting, 1)
    ]


def _proxy(standing: GovernanceStanding, beside: Beside) -> dict[str, Any]:
    """Who votes for the viewer's home, and whom it represents."""
    index = beside.index
    to = None if index is None else standing.proxies.get(index)
    represents = [who for who, proxy in standing.proxies.items() if proxy == index]
    return {
        "to": "" if to is None else _who(to, standing, beside),
        "represents": [_who(who, standing, beside) for who in represents],
        "members": len(standing.accounts),
    }


def _who(index: int, standing: GovernanceStanding, beside: Beside) -> str:
    """A member by its index, which is public; by name only for who sees all, and for itself."""
    if index == beside.index:
        return f"you (no. {index})"
    return f"no. {index} ({standing.accounts[index]})" if beside.viewer.sees_all else f"member no. {index}"
