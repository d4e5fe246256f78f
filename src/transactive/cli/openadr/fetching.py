"""`transactive openadr fetch`: what a utility's VTN tells, taken into a community."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transactive.config.community_file import load
from transactive.core.community.community import Community
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.engine.live.boxes.import_limits import add_limit, limits_in
from transactive.links.vtn import VtnLink
from transactive.protocols.openadr.limits import limits_of_members, unsaid
from transactive.protocols.openadr.utility import COLUMNS, UtilitySays, program_of, read_events
from transactive.services.feeds.taking import arrival_of, columns_of_feeds, take_feed
from transactive.store.folder import make_private

SECRET = "TRANSACTIVE_OPENADR_SECRET"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class Utility:
    """A utility's VTN, and as whom it is asked for what."""

    vtn: str
    client: str
    secret: Path | None
    program: str = ""
    target: str = ""
    authority: Path | None = None


def fetched(path: Path, utility: Utility, state: Path | None) -> dict[str, Any]:
    """What a VTN says, and what came of it. Raises InputError, DataError, StateError."""
    community, now = load(path), int(time.time())
    programs, events = _heard(utility)
    said = read_events(programs, events, community.currency, community.clock.length)
    facts: dict[str, Any] = {"events": len(events)}
    facts |= _take_series(path, community, said, b"".join(events), now)
    facts["limits"] = _take_limits(state or path.parent / f"{path.stem}.live", community, said, now)
    return facts | {"left_out": said.left_out}


def _heard(utility: Utility) -> tuple[list[bytes], list[bytes]]:
    """Programs and events of a VTN, those of one program if it is named. Raises InputError, DataError."""
    link = VtnLink(utility.vtn, utility.client, _secret(utility.secret), utility.authority)
    asked = [{}, {"targets": utility.target}] if utility.target else [{}]
    programs = {bytes(raw): None for more in asked for raw in link.listed("programs", **more)}
    named = [one.id for one in map(program_of, programs) if one.program_name == utility.program]
    if utility.program and not named:
        raise InputError(f"--program {utility.program}: this VTN shows none of that name")
    of = {"programID": named[0]} if utility.program else {}
    events = {bytes(raw): None for more in asked for raw in link.listed("events", **of, **more)}
    return list(programs), list(events)


def _take_series(path: Path, community: Community, said: UtilitySays, raw: bytes, now: int) -> dict[str, Any]:
    """Take what is told of columns that the community's file has; rows that each of them completed."""
    facts: dict[str, Any] = {"rows_added": 0}
    if community.data.environment is None:
        said.left_out += [f"{kind}: data.environment is missing" for kind in said.values]
        return facts
    file, length = path.parent / community.data.environment, community.clock.length
    columns = columns_of_feeds(file)
    for kind in said.values:
        series = said.series(kind, columns, length)
        if series is None:
            said.left_out.append(f"{kind}: {file.name} has no column {' or '.join(COLUMNS[kind])}")
        elif series.end <= now:
            said.left_out.append(f"{kind}: is stale: its last value ended at {time_text(series.end)}")
        else:
            taken = take_feed(file, length, arrival_of("openadr", raw, now, series))
            facts["rows_added"] += taken.added
            facts[series.column] = f"{len(series.values)} slots until {time_text(series.end)}"
    return facts


def _take_limits(folder: Path, community: Community, said: UtilitySays, now: int) -> int:
    """Say limits to the boxes of a market that were not said as they are; how many."""
    connections = [member.connection_w for member in community.members]
    found = limits_of_members(said.limits, community.ids, connections, now)
    if found:
        make_private(folder)
    new = unsaid(found, limits_in(folder) if found else ())
    for limit in new:
        add_limit(folder, limit.member, limit.span, limit.most_w, now)
    return len(new)


def _secret(path: Path | None) -> str:
    """The secret in a file or the surroundings. Raises InputError without one."""
    try:
        secret = path.read_text().strip() if path else os.environ.get(SECRET, "")
    except OSError as error:
        raise InputError(f"--secret {path}: cannot be read ({error.strerror}); correct the path") from None
    if not secret:
        raise InputError(f"the utility's secret is missing; name its file with --secret, or set {SECRET}")
    return secret
