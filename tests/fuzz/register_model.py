"""What the register of certificates must do, Wh by Wh: an independent model for `register_life`.

Every Wh that was issued is a cell of its own, with an owner, a state and what it was used for. No Wh is ever made or
lost after its issue, because cells are only written. A bundle is a span of cells with a number of mg. Each step gives
the code of its refusal, or "" when it was taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from transactive.core.slots import time_text

Place = tuple[str, int]
"""Device and slot [Unix s]."""
Span = tuple[Place, int, int, int]
"""Place, first cell, end, mg."""

MAY = {
    "transfer": ("active", "active"), "lock": ("active", "locked"), "unlock": ("locked", "active"),
    "reserve": ("active", "reserved"), "release": ("reserved", "active"), "export": ("active", "exported"),
    "store": ("active", "stored"), "claim": ("cancelled", "claimed"),
}  # fmt: skip
"""State before a step and after it; cancel, expire and withdraw begin in two."""
FROM_TWO = {
    "cancel": (("active", "reserved"), "cancelled"), "expire": (("active", "reserved"), "expired"),
    "withdraw": (("active", "locked"), "withdrawn"),
}  # fmt: skip
NAMED = ("cancelled", "claimed", "expired", "withdrawn", "exported", "stored")
"""States in which a statement may name a bundle's serial: it is neither split nor merged any more."""
ENDS_WITH_TIME = ("transfer", "lock", "reserve", "cancel", "export", "store")


@dataclass(slots=True)
class Cell:
    """One Wh."""

    owner: str
    state: str = "active"
    used: tuple[str, str, str] = ("", "", "")
    """Beneficiary, reason, meter."""

    @property
    def look(self) -> tuple[str, str, tuple[str, str, str]]:
        """All that two cells of one bundle have in common."""
        return self.owner, self.state, self.used


@dataclass(slots=True)
class Model:
    """All cells. zones: of devices and meters; reachable: pairs of them."""

    zones: dict[str, str]
    reachable: set[tuple[str, str]]
    validity: int
    now: int = 0
    cells: dict[Place, list[Cell]] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    produced: dict[Place, int] = field(default_factory=dict)
    consumed: dict[Place, int] = field(default_factory=dict)
    mg: dict[Place, int] = field(default_factory=dict)

    def advance(self, now: int) -> str:
        if now < self.now:
            return "time"
        self.now = now
        return ""

    def meter(self, slot: int, produced: dict[str, int], consumed: dict[str, int]) -> str:
        for known, given in ((self.produced, produced), (self.consumed, consumed)):
            for name, wh in given.items():
                if name not in self.zones or (known is self.produced) != name.startswith("pv"):
                    return "device"
                if wh < 0:
                    return "metered"
                if (name, slot) in known:
                    return "overlap"
        self.produced |= {(name, slot): wh for name, wh in produced.items()}
        self.consumed |= {(name, slot): wh for name, wh in consumed.items()}
        return ""

    def issue(self, place: Place, wh: int, owner: str, mg: int) -> str:
        if place not in self.produced:
            return "metered"
        if place in self.cells:
            return "overlap"
        if not 0 < wh <= self.produced[place]:
            return "metered"
        self.cells[place], self.mg[place] = [Cell(owner) for _ in range(wh)], mg
        self._add((place, 0, wh, mg))
        return ""

    def split(self, serial: str, wh: int) -> str:
        if serial not in self.spans:
            return "serial"
        place, first, end, mg = self.spans[serial]
        if self._named(place, first):
            return "state"
        if not 0 < wh < end - first:
            return "range"
        del self.spans[serial]
        part = mg * wh // (end - first)
        self._add((place, first, first + wh, part))
        self._add((place, first + wh, end, mg - part))
        return ""

    def _named(self, place: tuple[str, int], first: int) -> bool:
        """Whether a statement may name the serial of a bundle that begins there."""
        return self.cells[place][first].state in NAMED

    def merge(self, serial: str, following: str) -> str:
        if serial not in self.spans:
            return "serial"
        place, first, middle, mg = self.spans[serial]
        if self._named(place, first):
            return "state"
        if following not in self.spans:
            return "serial"
        other, begins, end, more = self.spans[following]
        if (place, middle) != (other, begins) or self.cells[place][first].look != self.cells[place][middle].look:
            return "range"
        del self.spans[serial], self.spans[following]
        self._add((place, first, end, mg + more))
        return ""

    def step(self, serial: str, step: str, to: str = "", reason: str = "") -> str:
        """Any step that moves a bundle from state to state."""
        if step in ("transfer", "cancel") and not to:
            return "name"
        if serial not in self.spans:
            return "serial"
        place, first, end, _ = self.spans[serial]
        span = self.cells[place][first:end]
        begins, leads = FROM_TWO.get(step) or ((MAY[step][0],), MAY[step][1])
        if span[0].state not in begins:
            return "state"
        if step == "claim" and (refused := self._cannot_claim(place, to, end - first)):
            return refused
        if step in ENDS_WITH_TIME and place[1] + self.validity <= self.now:
            return "expired"
        for cell in span:
            cell.state = leads
            if step == "transfer":
                cell.owner = to
            elif step == "cancel":
                cell.used = (to, reason, "")
            elif step == "claim":
                cell.used = (*cell.used[:2], to)
        return ""

    def expire(self, serial: str, now: int) -> str:
        if serial not in self.spans:
            return "serial"
        place, first, _, _ = self.spans[serial]
        if self.cells[place][first].state not in FROM_TWO["expire"][0]:
            return "state"
        if now < place[1] + self.validity or now < self.now:
            return "time"
        self.now = now
        return self.step(serial, "expire")

    def _cannot_claim(self, place: Place, meter: str, wh: int) -> str:
        if (meter, place[1]) not in self.consumed:
            return "consumed"
        if (self.zones[place[0]], self.zones[meter]) not in self.reachable:
            return "zone"
        claimed = sum(
            cell.state == "claimed" and cell.used[2] == meter
            for (_, slot), cells in self.cells.items()
            if slot == place[1]
            for cell in cells
        )
        return "consumed" if claimed + wh > self.consumed[meter, place[1]] else ""

    def _add(self, span: Span) -> None:
        (device, slot), first, end, _ = span
        self.spans[f"{device}/{time_text(slot)}/{first}-{end - 1}"] = span

    def facts(self, serial: str) -> tuple[str, int, int, int, str, str, str, str, str, int]:
        """A bundle as the register has it."""
        (device, slot), first, end, mg = self.spans[serial]
        cells = self.cells[device, slot][first:end]
        assert all(cell.look == cells[0].look for cell in cells)
        return (device, slot, first, end, cells[0].owner, cells[0].state, *cells[0].used, mg)
