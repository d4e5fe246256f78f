"""How a live market stands: what it writes down for whoever watches it, beside the journal that counts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.errors import UnreadableState
from transactive.store.folder import write_private

STANDING_FILE = "standing.json"


class PlanFailure(msgspec.Struct, frozen=True):
    """What a device did not do. device: its number at the box. at: when that was told [Unix s]. why: in words."""

    member: int
    device: int
    at: int
    why: str


class MeterStanding(msgspec.Struct, frozen=True):
    """A meter. records: of it that are on disk. end: of the last slot that it told of [Unix s], 0 before any."""

    member: int
    records: int
    end: int


class LiveStanding(msgspec.Struct, frozen=True):
    """A live market as it was written down. written: by the wall's clock, now: by the market's [Unix s].

    backlog: messages that wait to be written. refused: records by reason; orders_refused: orders by reason. settled:
    the newest settled slot [Unix s], and settled_after: how long after its end [s]. failures: the newest, oldest first.
    """

    written: int
    now: int
    is_connected: bool
    backlog: int
    meters: tuple[MeterStanding, ...] = ()
    refused: dict[str, int] = {}
    orders_refused: dict[str, int] = {}
    settled: int | None = None
    settled_after: int | None = None
    failures: tuple[PlanFailure, ...] = ()


def live_standing(folder: Path) -> LiveStanding | None:
    """How the market of a state folder stood last; None where none was live. Raises UnreadableState."""
    path = folder / STANDING_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=LiveStanding)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableState(f"{path}: {error}; delete it, the market writes it anew") from None


def write_standing(folder: Path, standing: LiveStanding) -> None:
    """Write down how a market stands, whole or not at all."""
    write_private(folder / STANDING_FILE, msgspec.json.encode(standing))
