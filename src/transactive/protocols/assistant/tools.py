"""Tools of an assistant: what it may ask, and what it may propose. Each is one request to the API."""

from __future__ import annotations

from typing import Any, Literal

from transactive.protocols.assistant.asking import Api

Answer = dict[str, Any]
Span = Literal["day", "week", "month", "year", "range"]
UNITS = "Energy is Wh, prices µ¤/kWh (1,000,000 µ¤ are 1 of the currency), money n¤ as text (10^9 are 1), carbon mg."


class Questions:
    """What an assistant may ask. Every method is a tool: its name, words and arguments are what the assistant sees."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def community(self) -> Answer:
        """The community so far: span, currency, time zone, members, energy, money, carbon."""
        return self._api.get("summary")

    def history(self, span: Span = "month", day: str = "", first: str = "", last: str = "", member: str = "") -> Answer:
        """A period beside the one before, and why the bill changed, in causes that add up.

        Asks like "why was my bill higher in May": span month and any day in it, such as 2026-05-01. span range: first
        and last day. member: for an operator or auditor; a member's token always shows its own home.
        """
        return self._api.get("history", span=span, day=day, first=first, last=last, member=member)

    def slots(self, cursor: str = "", limit: int = 100) -> Answer:
        """Slots with price, traded energy and sums of the meters, oldest first; cursor: `next` of the page before."""
        return self._api.get("slots", cursor=cursor, limit=limit)

    def market_of_slot(self, slot: str) -> Answer:
        """What one slot's market did: price, limits, supplier's tariff. slot: its start, such as 2026-05-01T18:00Z."""
        return self._api.get("clearings", slot=slot)

    def orders(self, slot: str = "", member: str = "", cursor: str = "", limit: int = 100) -> Answer:
        """Orders and what they were given; a member's token shows its own."""
        return self._api.get("orders", slot=slot, member=member, cursor=cursor, limit=limit)

    def postings(self, slot: str = "", member: str = "", cursor: str = "", limit: int = 100) -> Answer:
        """Money that moved in a slot, each with its kind and price: what a bill is made of."""
        return self._api.get("postings", slot=slot, member=member, cursor=cursor, limit=limit)

    def forecasts(self, slot: str = "", member: str = "") -> Answer:
        """What was forecast of a slot, with its spread; without a slot of the newest."""
        return self._api.get("forecasts", slot=slot, member=member)

    def insights(self) -> Answer:
        """What each meter says: the bill to come, changes, what is always on, the weather's part."""
        return self._api.get("insights")

    def findings(self) -> Answer:
        """Findings about meters and devices that are open or were closed, with what else could explain them."""
        return self._api.get("items")

    def bills(self, month: str = "") -> Answer:
        """Papers: numbers, months, what is due and what is open. month: such as 2026-05."""
        return self._api.get("bills", month=month)

    def certificates(self, slot: str = "", cursor: str = "", limit: int = 100) -> Answer:
        """Certified energy: what was made, and who owns or claimed it."""
        return self._api.get("certificates", slot=slot, cursor=cursor, limit=limit)

    def acts(self) -> Answer:
        """What members changed or ordered by hand, and since which slot it holds."""
        return self._api.get("acts")

    def drafts(self) -> Answer:
        """What was proposed for this home, and whether the member accepted it."""
        return self._api.get("drafts")


class Proposals:
    """What an assistant may propose for a home: each makes a draft, which the member answers on its own page."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def propose_limits(
        self,
        reason: str,
        never_pay_above_micro_per_kwh: int | None = None,
        sell_only_above_micro_per_kwh: int | None = None,
    ) -> Answer:
        """Draft other price limits for the home's agent [µ¤/kWh]; one that is left out is none. Does nothing yet."""
        limits = {
            "never_pay_above_micro_per_kwh": never_pay_above_micro_per_kwh,
            "sell_only_above_micro_per_kwh": sell_only_above_micro_per_kwh,
        }
        return self._api.propose({"kind": "limits", **limits}, reason)

    def propose_pause(self, reason: str, until: str = "") -> Answer:
        """Draft a pause of trading, until a time such as 2026-05-02T00:00Z or until resumed. Does nothing yet."""
        return self._api.propose({"kind": "pause", **({"end": until} if until else {})}, reason)

    def propose_resume(self, reason: str) -> Answer:
        """Draft that the home trades again. Does nothing yet."""
        return self._api.propose({"kind": "resume"}, reason)

    def propose_order(
        self, reason: str, slot: str, side: Literal["buy", "sell"], energy_wh: int, price_micro_per_kwh: int
    ) -> Answer:
        """Draft an order by hand for a slot of a live market. Does nothing yet; its gate may close meanwhile."""
        step = {"price_micro_per_kwh": price_micro_per_kwh, "energy_wh": energy_wh}
        return self._api.propose({"kind": "order", "slot": slot, f"{side}s": [step]}, reason)

    def propose_cancel(self, reason: str, slot: str) -> Answer:
        """Draft that nothing is ordered in a slot, by the agent neither. Does nothing yet."""
        return self._api.propose({"kind": "cancel", "slot": slot}, reason)
