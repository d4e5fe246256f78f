"""The last weeks replayed under other rules: what each member would have paid, beside what it pays under today's.

Twice: with behaviour held as it was (the same orders and plans, settled by the new rules), and re-planned by the same
agents, which know the new rules. Neither is a forecast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from transactive import __version__
from transactive.config.setting import Setting, load_setting
from transactive.core.community.changes.records import RulesChange
from transactive.core.community.changes.versions import changed, digest
from transactive.core.community.community import Community
from transactive.core.errors import InputError
from transactive.core.governance.consequences import Document, ReplayedBills, own_line, spread, tree_of
from transactive.core.governance.decided import Decided, with_decided
from transactive.core.slots import DAY, time_text
from transactive.engine.kernel import Kernel
from transactive.engine.recorded import forecaster_of, recorded_run
from transactive.engine.replay import bills_of, slots_of

WEEKS = 28
"""Days that are replayed, if nobody says otherwise and the readings go so far back."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay under other rules: a line for each member, by index. forecaster: whose forecasts orders were made of."""

    setting: Setting
    change: RulesChange
    slots: range
    forecaster: str
    lines: tuple[ReplayedBills, ...]

    def groups(self) -> dict[int, str]:
        """What each member has, as its meter and devices say: energy only, solar, a battery."""
        devices = self.setting.community.devices
        return {
            index: "with a battery"
            if devices.capacity_wh[index]
            else "with solar"
            if devices.pv_wh[index]
            else "others"
            for index in range(len(self.lines))
        }

    def own_lines(self, secret: bytes) -> dict[int, bytes]:
        """Each member's own line as a file, by index. secret: from which the lines' salts come."""
        tree = tree_of(self.lines, secret)
        made = {
            index: own_line(self.lines, secret, tree, member, index)
            for index, member in enumerate(self.setting.community.ids)
        }
        return {index: msgspec.json.format(msgspec.json.encode(line)) + b"\n" for index, line in made.items()}

    def document(self, secret: bytes) -> Document:
        """What a proposal binds. secret: from which the lines' salts come."""
        setting, tree = self.setting, tree_of(self.lines, secret)
        totals = {name: sum(getattr(line, f"{name}_n") for line in self.lines) for name in ("today", "held", "planned")}
        groups = self.groups()
        return Document(
            community=setting.community.name,
            currency=setting.community.currency,
            change=_said(msgspec.json.decode(msgspec.json.encode(self.change))),
            first_slot=time_text(self.slots[0]),
            slot_minutes=setting.community.market.slot_minutes,
            slots=len(self.slots),
            program=__version__,
            forecaster=self.forecaster,
            inputs={
                "readings": setting.readings_digest.hex(),
                "environment": setting.environment.digest().hex(),
                "community": digest(setting.community),
            },
            members=len(self.lines),
            totals_n={name: str(total) for name, total in totals.items()},
            held=spread(self.lines, groups, "held"),
            planned=spread(self.lines, groups, "planned"),
            root=tree.root.hex(),
            depth=tree.depth,
        )


def consequences(
    community: Path,
    change: RulesChange,
    days: int | None = None,
    start: int | None = None,
    decided: Sequence[Decided] = (),
    at_most: int = WEEKS,
) -> Replayed:
    """Replay recorded slots of a community under today's rules and under changed ones.

    community: its file; today's rules are those in force where its readings end, without what begins later. days: how
    many, the last ones that are whole, `at_most` or as many as there are; start: first slot [Unix s], if not so.
    decided: what members decided on before, as a run recorded it. Raises InputError for a change that the community
    cannot have, DataError where the readings do not go so far.
    """
    end = load_setting(community).measured_end
    as_today = partial(_today, decided=decided, end=end)
    today = load_setting(community, revised=as_today)
    new = load_setting(community, revised=lambda written: changed(as_today(written), change, "change"))
    slots = _slots(today, days, start, at_most)
    if digest(today.community) == digest(new.community):
        raise InputError("the change changes nothing: these are today's rules")
    chosen = forecaster_of(today, slots)
    today, new = (_forecast_by(setting, chosen) for setting in (today, new))
    as_it_was, held, planned = (
        _bills_n(recorded_run(behaviour, slots, billed=billed))
        for behaviour, billed in ((today, today), (today, new), (new, new))
    )
    rows = enumerate(zip(as_it_was, held, planned, strict=True))
    return Replayed(today, change, slots, chosen, tuple(ReplayedBills(index, *bills) for index, bills in rows))


def _said(change: dict[str, Any]) -> dict[str, Any]:
    """What a block of changes says, without the keys that it leaves out."""
    said = {key: _said(value) if isinstance(value, dict) else value for key, value in change.items()}
    return {key: value for key, value in said.items() if value not in (None, {}, [])}


def _bills_n(walk: Kernel) -> list[int]:
    """What each member pays less what it receives [n¤], with the credit for what its devices hold at the end."""
    walk.run()
    return [bill.with_market_n - bill.with_market_credit_n for bill in bills_of(walk)]


def _today(community: Community, decided: Sequence[Decided], end: int) -> Community:
    """The rules in force before `end` [Unix s], of the file and of decisions, for all slots."""
    return msgspec.structs.replace(with_decided(community, decided).until(end).final, changes=())


def _forecast_by(setting: Setting, name: str) -> Setting:
    """The setting with a forecaster, so that all replays have the same."""
    community = setting.community
    rules = msgspec.structs.replace(community.forecast, model=name)
    return replace(setting, community=msgspec.structs.replace(community, forecast=rules))


def _slots(setting: Setting, days: int | None, start: int | None, at_most: int) -> range:
    """Whole days that end where the readings do, or from a start."""
    clock = setting.community.clock
    first_possible = setting.first_slot + DAY + clock.lead * clock.length
    end = setting.measured_end // DAY * DAY
    most = (end - first_possible) // DAY
    wanted = min(at_most, most) if days is None else days
    if wanted < 1:
        raise InputError(f"--days {days}: the readings have {most} whole days after a day of history; give 1 or more")
    return slots_of(setting, end - wanted * DAY if start is None else start, wanted)
