"""What devices did not do of what was planned, as boxes told it to a live market: never hidden, with the reason."""

from __future__ import annotations

from pathlib import Path

from transactive.core.community.shiftable import Appliance, Heater, Vehicle
from transactive.core.errors import UnreadableState
from transactive.store.live.standing import PlanFailure, live_standing
from transactive.store.read.runs import Run
from transactive.texts.formatting import Words
from transactive.texts.language import N_, _, ngettext
from transactive.web.pages.parts.issues import Notice

KINDS = {Vehicle: N_("vehicle"), Heater: N_("heater"), Appliance: N_("appliance")}


def plan_notices(run: Run, folder: Path, words: Words) -> list[Notice]:
    """One for each device that failed, the newest first; none where no market was live."""
    try:
        standing = live_standing(folder)
    except UnreadableState as error:
        return [Notice("warn", _("The standing of the live market cannot be read"), str(error))]
    by_device = dict[tuple[int, int], list[PlanFailure]]()
    for failure in standing.failures if standing else ():
        if failure.member < len(run.community.members):
            by_device.setdefault((failure.member, failure.device), []).append(failure)
    found = sorted(by_device.items(), key=lambda each: -each[1][-1].at)
    return [_notice(run, *device, failures, words) for device, failures in found]


def own_plans(notices: list[Notice], member: int) -> list[tuple[str, str]]:
    """Title and reason of those of one member, for its page."""
    return [(notice.title, notice.reason) for notice in notices if notice.member == member]


def _notice(run: Run, member: int, device: int, failures: list[PlanFailure], words: Words) -> Notice:
    """What one device did not do."""
    last = failures[-1]
    title = ngettext(
        "%(who)s: the %(device)s did not do what was planned",
        "%(who)s: the %(device)s did not do what was planned %(num)s times",
        len(failures),
        who=run.names[member],
        device=_name(run, member, device),
    )
    return Notice("warn", title, f"{last.why}; {words.moment(last.at)}", member=member)


def _name(run: Run, member: int, device: int) -> str:
    """A device in words: the battery, or a load by its kind."""
    loads = run.community.members[member].devices
    if device == 0:
        return _("battery")
    return _(KINDS[type(loads[device - 1])]) if device <= len(loads) else _("load %(device)s", device=device)
