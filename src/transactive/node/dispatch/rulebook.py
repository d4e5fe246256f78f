"""The commands that a box keeps: rules of its devices for coming slots, and the limit of the grid's operator.

They are on disk before they count, so neither a broken line nor a lost power supply ends them; their end does. What is
old, comes out of order, is over, or goes beyond what the device is, is refused with its reason.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.boxes.messages import ImportLimit, LevelRules
from transactive.core.errors import StateError
from transactive.core.slots import DAY, HOUR
from transactive.node.files import write_whole

RULES_FILE = "rules.json"
LONGEST = 7 * DAY
"""How long a command may hold, and how far ahead it may begin [s]."""


class _Kept(msgspec.Struct, frozen=True):
    """The file. number: of the newest command. signal: the limit that the home itself was sent."""

    number: int = 0
    rules: tuple[LevelRules, ...] = ()
    limits: tuple[ImportLimit, ...] = ()
    signal: ImportLimit | None = None


class RuleBook:
    """Commands of a box. capacity_wh: what each of its devices holds, by number."""

    def __init__(self, folder: Path, capacity_wh: dict[int, int]) -> None:
        """Raises StateError where the file of before cannot be read."""
        self._path, self._capacity_wh = folder / RULES_FILE, capacity_wh
        try:
            self._kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            self._kept = _Kept()
        except (OSError, msgspec.MsgspecError) as error:
            raise StateError(f"{self._path}: {error}; delete it, and the market tells its rules anew") from None

    def take(self, command: LevelRules | ImportLimit, now: int) -> str:
        """Keep a command that came at a time [Unix s]; returns why it is refused, empty where it is kept."""
        kept = self._kept
        if command.number <= kept.number:
            known = command in kept.rules or command in kept.limits
            return "" if known else f"command {command.number} came after {kept.number}"
        start = command.slot if isinstance(command, LevelRules) else command.start
        if command.end <= max(now, start):
            return "it is over"
        if command.end - start > LONGEST or start > now + LONGEST:
            return "it holds too long, or begins too late"
        rules = tuple(one for one in kept.rules if one.end > now)
        limits = tuple(one for one in kept.limits if one.end > now)
        if isinstance(command, LevelRules):
            if why := self._beyond(command):
                return why
            rules = (*(one for one in rules if (one.slot, one.device) != (command.slot, command.device)), command)
        else:
            if command.most_w < 0:
                return "a home cannot take less than nothing"
            limits = (*limits, command)
        self._keep(_Kept(command.number, rules, limits, kept.signal))
        return ""

    def signal(self, start: int, end: int, most_w: int) -> None:
        """Keep the limit that the home itself was sent, in place of the one before. Raises StateError."""
        self._keep(msgspec.structs.replace(self._kept, signal=ImportLimit(0, start, end, most_w)))

    def signal_end(self, now: int) -> int:
        """Until when that holds [Unix s]; now where none does."""
        signal = self._kept.signal
        return signal.end if signal and signal.start <= now < signal.end else now

    def _keep(self, made: _Kept) -> None:
        """Have it on disk before it counts."""
        write_whole(self._path, msgspec.json.encode(made))
        self._kept = made

    def _beyond(self, command: LevelRules) -> str:
        """Why these levels are none of this device."""
        levels, capacity_wh = command.levels_wh, self._capacity_wh.get(command.device, 0)
        grid_charge, surplus_charge, serve, export = levels
        if not all(0 <= level <= capacity_wh for level in levels):
            return f"levels {levels} are beyond the {capacity_wh} Wh that the device holds"
        if grid_charge > serve or surplus_charge > export:
            return f"levels {levels} charge and discharge at once"
        return ""

    def levels(self, now: int, device: int) -> tuple[int, int, int, int] | None:
        """The levels of a device (its number) that hold at a time [Unix s]; None without any."""
        holding = (one for one in self._kept.rules if one.device == device and one.slot <= now < one.end)
        return next((one.levels_wh for one in holding), None)

    def promised_w(self, now: int, device: int) -> int:
        """What a device keeps the home's meter at, at a time [Unix s]: what was bought, below 0 sold [W]."""
        holding = (one for one in self._kept.rules if one.device == device and one.slot <= now < one.end)
        return next((one.promised_wh * HOUR // (one.end - one.slot) for one in holding), 0)

    def most_import_w(self, now: int) -> int | None:
        """What the home may take from the grid at a time [Unix s] [W]; None without a limit.

        Of the market's limits the newest holds, and one that the home itself was sent beside it: the lower of both.
        """
        holding = [one.most_w for one in self._kept.limits if one.start <= now < one.end][-1:]
        signal = self._kept.signal
        if signal and signal.start <= now < signal.end:
            holding.append(signal.most_w)
        return min(holding, default=None)
