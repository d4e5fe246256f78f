"""A member's watch over the whole that its group belongs to: group and whole have to say the same.

The operator serves with a leaf what joins it to the whole. Where that does not come, the member asks on chain; only who
shows that group and whole agree can answer there, and silence is a fraud.
"""

from __future__ import annotations

from collections.abc import Iterator

from transactive.chain.commitments import Opening
from transactive.chain.disputes import nested_file
from transactive.chain.disputes.inbox import Inbox
from transactive.chain.disputes.sighting import ASK, Sighting, Watch, Watcher
from transactive.chain.history import commitments, opening
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import InputError

AGREES = "the whole says of the group what the group says"


class WholeWatch(Watch):
    """Looks at the whole again and again; each look tells what is new."""

    def __init__(self, client: ChainClient, link: str, inbox: Inbox, who: Watcher) -> None:
        super().__init__(client, who)
        self._link, self._inbox = link, inbox
        joins = client.contract("group_link", link)
        self._whole = client.contract("settlement", client.read(joins, "whole"))
        disputes = client.contract("disputes", client.read(self._whole, "disputes"))
        self._judge = client.contract("group_disputes", client.read(disputes, "demands"))
        self._per_period = int(client.read(self._whole, "slotsPerPeriod"))

    def look(self, now: int) -> Iterator[Sighting]:
        """Open what can be challenged at this time [Unix s]. Raises ChainError if the node does not answer."""
        self._now = now
        made = commitments(self.client, self._whole)
        settled = int(self.client.read(self._whole, "settledPeriod"))
        for place, one in enumerate(made):
            if one.slot // self._per_period > settled:
                yield from self._commitment(opening(made, place, self._per_period), now)

    def _commitment(self, shown: Opening, now: int) -> Iterator[Sighting]:
        """What one commitment of the whole says of the group."""
        slot, root = shown.commitment.slot, shown.commitment.root
        served = self._inbox.whole(shown, self._link)
        if served is None:
            yield from self._missing(shown, now)
            return
        try:
            found = nested_file.findings(self.client, served)
        except InputError as error:
            yield from self._once(slot, str(error), root)
            return
        if not found:
            yield from self._once(slot, AGREES, root)
        elif self.who.sender is None:
            yield from self._once(slot, found[0].what, root, is_fraud=True)
        else:
            fraud = found[0]
            judge = fraud.by or self._judge
            yield self._send(slot, fraud.what, self.who.sender, judge, fraud.function, fraud.arguments)

    def _missing(self, shown: Opening, now: int) -> Iterator[Sighting]:
        """Ask what the whole says of the group, if nothing came; or say that nobody answered."""
        slot, arguments = shown.commitment.slot, (shown.content, self._link)
        until = int(self.client.read(self._judge, "asked", shown.head, self._link))
        if until == nested_file.ANSWERED:
            yield from self._once(slot, f"answered on chain: {AGREES}", shown.head)
        elif until and now > until and self.who.sender is not None:
            what = "what was asked of the whole was not answered in time"
            yield self._send(slot, what, self.who.sender, self._judge, "challengeSilence", arguments)
        elif until:
            yield from self._once(slot, "asked of the whole, answer awaited", shown.head)
        elif self.who.own is None or now < self._committed_at(shown) + self.who.patience:
            yield from self._once(slot, "nothing came yet that joins the group to the whole", shown.head)
        else:
            seen = "nothing came that joins the group to the whole"
            yield self._send(slot, seen, self.who.own, self._judge, ASK, arguments)
