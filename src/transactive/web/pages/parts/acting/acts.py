"""What the card of a home's own acts shows: what holds, what may be changed from which slot on, what was done."""

from __future__ import annotations

import secrets
from typing import Any

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.errors import StateError
from transactive.core.proofs.members.authorisation import Authorisation
from transactive.core.slots import time_text
from transactive.engine.authorisations import FOR_GOOD, read
from transactive.services.acts.authorisations import allowed_in
from transactive.services.acts.signers import keeps_own_key
from transactive.store.live.acts import LoggedAct, newest_acts, newest_authorised
from transactive.store.read.runs import Reader, Run, RunProgress
from transactive.texts.formatting import Words
from transactive.texts.language import ENGLISH, N_, _, speaking
from transactive.web.api.act_routes import kind_of
from transactive.web.pages.parts.acting.hand_orders import orders_part
from transactive.web.viewers import Viewer

MOST_ACTS = 8
"""Entries of the log that the card shows."""
WEEK = 7
OWN_KEY = N_("Your box trades with a key that your home alone has, within the limits that it was given.")


def acts_card(
    reader: Reader, run: Run, position: RunProgress, member: int, viewer: Viewer, words: Words
) -> dict[str, Any] | None:
    """What the card shows; None for a run that has not begun."""
    try:
        allowed = allowed_in(reader.store)
    except StateError:
        return None
    latest, first = allowed.latest(member), allowed.first
    mine = viewer.acts and viewer.member == run.community.ids[member]
    paused = latest.paused_from < latest.paused_until and first < latest.paused_until
    acts, entries = newest_acts(reader.store, member), newest_authorised(reader.store, member, MOST_ACTS)
    taken = {
        each.authorisation.serial: each.begins for each in read(reader.store) if each.authorisation.account == member
    }
    over, own = position.over or first > run.last_slot, keeps_own_key(reader.store.path.parent, allowed.given, member)
    open_now = mine and not over and not own
    return {
        "open": open_now,
        "why": _why_closed(mine=mine, over=over, own=own),
        "own": own,
        "slot": _slot(first, run, words),
        "gate": words.moment(run.clock.gate(first)),
        "standing": [_(OWN_KEY)] if own else standing_words(latest, first, words),
        "paused": paused,
        "revoked": not latest.valid_until,
        "buy": "" if latest.highest_buy == NO_HIGHEST else _field(latest.highest_buy, words),
        "sell": "" if latest.lowest_sell == NO_LOWEST else _field(latest.lowest_sell, words),
        "ends": _ends(first, words),
        "orders": orders_part(reader, run, position, member, acts, words, first if open_now else None),
        "form_keys": [secrets.token_urlsafe(12) for _ in range(5)],
        "log": [_row(entry, entry.authorised.authorisation, taken, words) for entry in entries if entry.authorised],
        "undo": entries[0].number if entries and open_now else None,
    }


def standing_words(given: Authorisation, slot: int, words: Words) -> list[str]:
    """What a home allows from a slot [Unix s] on, in short sentences."""
    if not given.valid_until:
        return [_("The authorisation is taken back: your home does not trade.")]
    paused = given.paused_from < given.paused_until and slot < given.paused_until
    return [*limit_words(given, words), *([_pause_words(given, slot, words)] if paused else [])]


def limit_words(given: Authorisation, words: Words) -> list[str]:
    """Limits of prices, in short sentences."""
    said = []
    if given.highest_buy != NO_HIGHEST:
        said.append(_("Never pay above %(price)s.", price=words.per_kwh(given.highest_buy, 2)))
    if given.lowest_sell != NO_LOWEST:
        said.append(_("Sell only above %(price)s.", price=words.per_kwh(given.lowest_sell, 2)))
    return said or [_("No limits: your agent may trade at any price between the supplier’s.")]


def _pause_words(given: Authorisation, slot: int, words: Words) -> str:
    """A pause that is not over before a slot [Unix s]."""
    start, end = words.moment(given.paused_from), words.moment(min(given.paused_until, FOR_GOOD - 1))
    if given.paused_until >= FOR_GOOD:
        is_begun = given.paused_from <= slot
        return _("Paused until you resume.") if is_begun else _("Pauses from %(start)s until you resume.", start=start)
    if given.paused_from <= slot:
        return _("Paused until %(end)s.", end=end)
    return _("Pauses from %(start)s until %(end)s.", start=start, end=end)


def _why_closed(*, mine: bool, over: bool, own: bool) -> str:
    """Why nothing can be done here."""
    if over:
        return _("This run is over: nothing is traded in it any more.")
    if own:
        return _(
            "This page has no such key: limits are signed at the box, and `transactive node pause` there pauses it."
        )
    return (
        ""
        if mine
        else _("Only the home itself changes this: who signs in as its member, or a token of it that may act.")
    )


def _slot(slot: int, run: Run, words: Words) -> str:
    """A slot with its day: 11 June 2017, 18:00–19:00."""
    return f"{words.moment(slot)}–{words.clock(slot + run.clock.length)}"


def _field(price: int, words: Words) -> str:
    """A price as the form takes it again, exactly."""
    with speaking(ENGLISH):
        return words.price(price, 4).replace(",", "").replace("−", "-").rstrip("0").rstrip(".")


def _ends(first: int, words: Words) -> list[tuple[str, str]]:
    """Ends of a pause to choose from, as the API takes them and in words."""
    tomorrow = words.next_day(first)
    later = tomorrow
    for _day in range(WEEK - 1):
        later = words.next_day(later)
    ends = [(time_text(end), _("until %(moment)s", moment=words.moment(end))) for end in (tomorrow, later)]
    return [("", _("until I resume")), *ends]


def _row(entry: LoggedAct, given: Authorisation, taken: dict[int, int], words: Words) -> dict[str, Any]:
    """An entry of the log. taken: first slots of what the run has taken up [Unix s], by serial."""
    begins = taken.get(given.serial)
    return {
        "number": entry.number,
        "made": words.moment(entry.made) if entry.made else "–",
        "what": _what(entry, given, words),
        "by": entry.by or _("a program"),
        "from": words.moment(given.valid_from if begins is None else begins),
        "counts": begins is not None,
    }


def _what(entry: LoggedAct, given: Authorisation, words: Words) -> str:
    """What somebody did, in words."""
    if entry.undoes:
        return _(
            "Undid no. %(undoes)s: %(standing)s",
            undoes=entry.undoes,
            standing=" ".join(standing_words(given, given.valid_from, words)),
        )
    match kind_of(entry):
        case "limits":
            return " ".join(limit_words(given, words))
        case "pause":
            return _pause_words(given, given.valid_from, words)
        case "resume":
            return _("Trade again.")
        case "revoke":
            return _("Authorisation taken back.")
    return " ".join(standing_words(given, given.valid_from, words))
