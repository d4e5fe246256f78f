"""How a community file says that its readings are read: limits of meters, units and times, gaps and doubts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from transactive.core.community.community import Community
from transactive.core.community.rules import Sources
from transactive.core.slots import HOUR
from transactive.core.tables import Measured
from transactive.core.units import PPM
from transactive.metering.exports.profile import Told
from transactive.metering.exports.reader import ReadOptions
from transactive.metering.files import MeterLimits
from transactive.metering.homes import MeterOwners
from transactive.metering.plausibility.answers import read_answers
from transactive.metering.plausibility.policy import ReadingPolicy
from transactive.tabular.moments import check_zone
from transactive.tabular.source import Source

PV_TOLERANCE = 1_200_000
"""What a PV may give beyond its rated power [ppm of it]: cold modules and rounded ratings."""


def source_of(recorded: Source, accepted: Sequence[Path], measured: Measured) -> tuple[str, str]:
    """Name and SHA-256 of a file of readings; what is no single file has the digest of what was read of it."""
    if accepted or not isinstance(recorded, Path) or recorded.is_dir():
        return " and ".join([recorded.name, *(path.name for path in accepted[-1:])]), measured.digest().hex()
    with recorded.open("rb") as file:
        return recorded.name, hashlib.file_digest(file, "sha256").hexdigest()


def policy_of(sources: Sources, zone: str, path: Path) -> ReadingPolicy:
    """What the community file says of gaps and of readings that nobody would believe."""
    return ReadingPolicy(
        substitute=sources.gaps != "refuse",
        late=sources.gaps == "late",
        hold=sources.doubtful == "hold",
        answers=read_answers(path.parent / sources.answers),
        answer_days=sources.answer_days,
        feeder=path.parent / sources.feeder if sources.feeder else None,
        zone=sources.zone or zone,
    )


def options_of(sources: Sources, path: Path, profile: str | None) -> ReadOptions:
    """How the community file says that its readings are read, or a profile that is given beside it."""
    if sources.zone:
        check_zone(sources.zone, f"{path.name}: data.zone")
    told = Told(
        sources.zone, sources.unit, sources.stamp, sources.reading, sources.order, sources.exchanged or None,
        sources.register,
    )  # fmt: skip
    return ReadOptions(profile, told) if profile else ReadOptions(sources.profile, told, path.parent)


def meter_limits(community: Community) -> MeterLimits:
    """What meters can read at most, and whose they are."""
    length = community.clock.length
    most = [pv_wh * PV_TOLERANCE // PPM for pv_wh in community.devices.pv_wh.tolist()]
    connections = [
        None if member.connection_w is None else member.connection_w * length // HOUR for member in community.members
    ]
    return MeterLimits(community.ids, most, connections, MeterOwners.of(community.final.members))
