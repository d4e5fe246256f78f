"""Who dealt with whom in each slot, and how well nodes reached each other: a line a session, beside the database.

Settlement needs none of it: what is owed follows from positions. A slot that is traded again after an interruption
gives the same line again, and that counts once.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.errors import UnreadableState
from transactive.store.folder import add_line, whole_lines

DEALS_FILE = "deals.jsonl"


class KeptDeal(msgspec.Struct, frozen=True, array_like=True):
    """A deal: members by index, energy [Wh], price [µ¤/kWh]."""

    buyer: int
    seller: int
    energy_wh: int
    price: int


class KeptReach(msgspec.Struct, frozen=True, array_like=True):
    """How a member's node fared, as `market.deals.NodeReach` has it."""

    member: int
    unheard: tuple[int, ...]
    datagrams: int
    milliseconds: int | None


class DealtSlot(msgspec.Struct, frozen=True):
    """What a session of a slot [Unix s] came to. reached: nodes that knew all quotes in the last round, of `nodes`.

    datagrams, sent_bytes: of all nodes. deals: in the order in which they were made. told: by nodes on
    a real network.
    """

    slot: int
    rounds: int
    nodes: int
    reached: int
    datagrams: int
    sent_bytes: int
    deals: tuple[KeptDeal, ...]
    told: tuple[KeptReach, ...] = ()


def keep_deals_of(folder: Path, dealt: DealtSlot) -> None:
    """Keep what a session came to. Raises StateError where it cannot be written."""
    add_line(folder / DEALS_FILE, msgspec.json.encode(dealt))


def deals_of(folder: Path, slot: int) -> tuple[DealtSlot, ...]:
    """What the sessions of a slot [Unix s] came to, in their order; none without any. Raises UnreadableState."""
    path, beginning = folder / DEALS_FILE, b'{"slot":%d,' % slot
    try:
        lines = dict.fromkeys(line for line in whole_lines(path) if line.startswith(beginning))
        return tuple(msgspec.json.decode(line, type=DealtSlot) for line in lines)
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableState(f"{path}: cannot be read ({error}); restore it from a backup") from None
