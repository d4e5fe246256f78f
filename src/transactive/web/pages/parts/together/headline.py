"""What the community page says first: whether everyone is served, what they saved, and what batteries still hold."""

from __future__ import annotations

from transactive.store.read.runs import OutcomePart, Run
from transactive.store.read.totals import RunTotals
from transactive.texts.formatting import Words, count_text
from transactive.texts.language import N_, _, ngettext

SAVED = N_("Together they saved %(money)s against the supplier’s tariff, before battery credit.")
PAID_MORE = N_("Together they paid %(money)s more than the tariff asks.")
MORE_LEFT = N_(
    "%(saved)s and %(credit)s of battery credit, as more was left in batteries than without a market: %(together)s,"
    " which the run’s summary and Compare call saved."
)
LESS_LEFT = N_(
    "%(saved)s and %(credit)s of battery credit, as less was left in batteries: %(together)s, which the run’s summary"
    " and Compare call saved."
)


def headline(run: Run, totals: RunTotals, newest: int, words: Words, shared: str = "") -> dict[str, str]:
    """The answer in the headline, and what it rests on. shared: what neighbours shared on the day."""
    members = len(run.community.members)
    whole = totals.complete_slots == totals.slots
    balanced = not totals.money_residual_n and not totals.energy_residual_wh
    title = (
        _("Everyone is served")
        if whole and balanced
        else _("The books need you")
        if whole
        else _("Readings are missing")
    )
    if not totals.slots:
        title, text = _("The first slot is under way"), _("Its market has cleared; nothing is delivered yet.")
    else:
        sentences = [
            ngettext(
                "All %(members)s homes had energy in %(complete)s of %(num)s slot.",
                "All %(members)s homes had energy in %(complete)s of %(num)s slots.",
                totals.slots,
                members=members,
                complete=count_text(totals.complete_slots),
            ),
            _(SAVED if totals.saved_n >= 0 else PAID_MORE, money=words.money(abs(totals.saved_n))),
            _("The books balance to the last unit.") if balanced else _("The books do not balance."),
            *([_("On this day: %(shared)s", shared=shared)] if shared else []),
        ]
        text = " ".join(sentences)
    length = run.clock.length
    end = newest + length if totals.slots else newest
    when = f"{words.day(end)}, {words.clock(end)}, {words.zone_text(end)}"
    return {"title": title, "text": text, "when": when, "homes": ngettext("%(num)s home", "%(num)s homes", members)}


def credit_words(outcome: OutcomePart | None, totals: RunTotals, words: Words) -> str:
    """What the credit for energy left in batteries makes of the saving, as the end of the run says it; else nothing."""
    credited = None if outcome is None else outcome.credited_n
    if credited is None or credited == totals.saved_n:
        return ""
    more = credited - totals.saved_n
    return _(
        MORE_LEFT if more > 0 else LESS_LEFT,
        saved=words.money(totals.saved_n),
        credit=words.money(more),
        together=words.money(credited),
    )
