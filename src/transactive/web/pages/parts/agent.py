"""Who trades for a member, and within what limits, in words."""

from __future__ import annotations

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.proofs.members.authorisation import Authorisation, in_force
from transactive.engine.authorisations import FOR_GOOD, read
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words

AGENTS = {
    "curves": "says what each kWh is worth to you",
    "truthful": "makes one offer at what a kWh is worth to you",
    "zic": "draws any price that does not lose",
    "zip": "follows the market with a margin",
    "zip-call": "follows the market with a margin",
}
"""What our agents do; of others only the name is known."""


def agent_words(reader: Reader, run: Run, member: int, slot: int, words: Words) -> list[str]:
    """Sentences on a member's agent and its limits for a slot."""
    found = in_force(read(reader.store), slot).get(member)
    if found is None:
        return []
    given = found.authorisation
    does = f", which {AGENTS[given.agent]}" if given.agent in AGENTS else ""
    sentences = [f"Your agent is “{given.agent}”{does}.", *_limits(given, words), *_time(given, slot, run, words)]
    if run.community.members[member].prefer == "green" and run.community.market.mechanism == "preferences":
        sentences.append("It asks for green energy first.")
    return sentences


def _limits(given: Authorisation, words: Words) -> list[str]:
    """Limits of money, if there are any."""
    parts = []
    if given.highest_buy != NO_HIGHEST:
        parts.append(f"never pays above {words.price(given.highest_buy, 2)}")
    if given.lowest_sell != NO_LOWEST:
        parts.append(f"sells only above {words.price(given.lowest_sell, 2)}")
    return [f"It {' and '.join(parts)} {words.price_unit}, as you signed."] if parts else []


def _time(given: Authorisation, slot: int, run: Run, words: Words) -> list[str]:
    """Why it does not trade in the slot, if so; or when it will pause."""
    if not given.trades(slot, run.clock.end(slot)):
        paused = given.paused_from <= slot < given.paused_until
        return ["It pauses, as you signed." if paused else "You took its authorisation back: it does not trade."]
    if slot < given.paused_from < given.paused_until:
        until = f" to {words.moment(given.paused_until)}" if given.paused_until < FOR_GOOD else ""
        return [f"It will pause from {words.moment(given.paused_from)}{until}."]
    return []
