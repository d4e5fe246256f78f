"""Who trades for a member, and within what limits, in words."""

from __future__ import annotations

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.proofs.members.authorisation import Authorisation, in_force
from transactive.engine.authorisations import FOR_GOOD, read
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words
from transactive.texts.language import N_, _

AGENTS = {
    "curves": N_("Your agent is “curves”, which says what each kWh is worth to you."),
    "truthful": N_("Your agent is “truthful”, which makes one offer at what a kWh is worth to you."),
    "zic": N_("Your agent is “zic”, which draws any price that does not lose."),
    "zip": N_("Your agent is “zip”, which follows the market with a margin."),
    "zip-call": N_("Your agent is “zip-call”, which follows the market with a margin."),
}
"""What our agents do; of others only the name is known."""


def agent_words(reader: Reader, run: Run, member: int, slot: int, words: Words) -> list[str]:
    """Sentences on a member's agent and its limits for a slot."""
    found = in_force(read(reader.store), slot).get(member)
    if found is None:
        return []
    given = found.authorisation
    does = _(AGENTS[given.agent]) if given.agent in AGENTS else _("Your agent is “%(agent)s”.", agent=given.agent)
    sentences = [does, *_limits(given, words), *_time(given, slot, run, words)]
    if run.community.members[member].prefer == "green" and run.community.market.mechanism == "preferences":
        sentences.append(_("It asks for green energy first."))
    return sentences


def _limits(given: Authorisation, words: Words) -> list[str]:
    """Limits of money, if there are any."""
    is_high, is_low = given.highest_buy != NO_HIGHEST, given.lowest_sell != NO_LOWEST
    high, low = words.price(given.highest_buy, 2), words.per_kwh(given.lowest_sell, 2)
    if is_high and is_low:
        return [_("It never pays above %(high)s and sells only above %(low)s, as you signed.", high=high, low=low)]
    if is_high:
        return [_("It never pays above %(high)s, as you signed.", high=words.per_kwh(given.highest_buy, 2))]
    return [_("It sells only above %(low)s, as you signed.", low=low)] if is_low else []


def _time(given: Authorisation, slot: int, run: Run, words: Words) -> list[str]:
    """Why it does not trade in the slot, if so; or when it will pause."""
    if not given.trades(slot, run.clock.end(slot)):
        paused = given.paused_from <= slot < given.paused_until
        return [_("It pauses, as you signed.") if paused else _("You took its authorisation back: it does not trade.")]
    if not slot < given.paused_from < given.paused_until:
        return []
    begin = words.moment(given.paused_from)
    if given.paused_until >= FOR_GOOD:
        return [_("It will pause from %(begin)s.", begin=begin)]
    return [_("It will pause from %(begin)s to %(end)s.", begin=begin, end=words.moment(given.paused_until))]
