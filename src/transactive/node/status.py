"""How a box is: what its owner's home and its operator's watch see of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class BoxStatus:
    """State of a box. standing: registers as they count on [Wh], None before the meter has said any.

    address: of its key. kind: of the meter. heard: when its last message came [Unix s]. signed, acknowledged: records
    here, and on the market's disk. last_slot: the last one that was signed [Unix s]. currency: of money, empty before
    it is known. price: what the supplier asks now [µ¤/kWh]. next_slot: when the next one begins [Unix s]. plan: what
    devices do, in words. cost_n, saving_n: sums of the bills [n¤]. is_paused: the member's switch.

    last_leaf: last slot whose leaf was looked at [Unix s]; wrong: how many were wrong. is_on_chain: whether a node of
    the chain has the newest one too, None where none is asked, or does not answer.
    """

    address: str
    kind: str
    standing: tuple[int, ...] | None = None
    heard: int | None = None
    messages: int = 0
    refused: int = 0
    signed: int = 0
    acknowledged: int = 0
    last_slot: int | None = None
    is_connected: bool = False
    currency: str = ""
    price: int | None = None
    next_slot: int | None = None
    plan: str = ""
    cost_n: int | None = None
    saving_n: int | None = None
    is_paused: bool = False
    last_leaf: int | None = None
    wrong: int = 0
    is_on_chain: bool | None = None

    def age(self, now: int) -> int | None:
        """How old the last message is [s]."""
        return None if self.heard is None else max(0, now - self.heard)
