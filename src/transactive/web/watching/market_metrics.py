"""The metrics of a market, of what its database and its standing say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from transactive.core.errors import InputError, StateError, UnreadableState
from transactive.services.feeds.ages import ages_of
from transactive.services.readings.inbox import community_file
from transactive.store.live.standing import LiveStanding, live_standing
from transactive.store.read.runs import Reader, Run
from transactive.texts.prometheus import Metric, Values, metrics_page, one

PREFIX = "transactive_market"


def market_metrics(reader: Reader, now: int) -> str:
    """All metrics of a market at a time [Unix s]; before its run has begun there are none of it."""
    run = reader.run()
    try:
        standing = live_standing(reader.store.path.parent)
    except UnreadableState:
        standing = None
    found = (_of_run(reader, run) if run else []) + _of_feeds(reader.store.path.parent, now)
    return metrics_page(PREFIX, found + (_of_session(standing, run, now) if standing else []))


def _of_run(reader: Reader, run: Run) -> list[Metric]:
    """What the database says."""
    position = reader.position()
    blocks = reader.last_block()
    done = 0 if position.committed is None else run.number(position.committed) + 1
    ends: Values = {
        ("stage", name): None if slot is None else slot + run.clock.length
        for name, slot in (
            ("cleared", position.cleared),
            ("delivered", position.delivered),
            ("committed", position.committed),
        )
    }
    return [
        Metric("members", "gauge", "Members of the community.", one(len(run.community.members))),
        Metric("slot_end_timestamp_seconds", "gauge", "End of the newest slot of each stage.", ends),
        Metric("commitments_total", "counter", "Slots that are committed on chain.", one(done)),
        Metric("chain_height", "gauge", "Number of the block with the newest commitment.", one(blocks)),
    ]


def _of_feeds(folder: Path, now: int) -> list[Metric]:
    """What feeds of prices, carbon and weather told a state folder's community; nothing where it cannot be read."""
    try:
        file = community_file(folder)
        ages = ages_of(file) if file else []
    except (InputError, StateError):
        return []
    heard: Values = {("column", age.column): max(now - age.heard, 0) for age in ages}
    until: Values = {("column", age.column): age.told_until for age in ages}
    return [
        Metric("feed_age_seconds", "gauge", "Time since a feed told a column of the community's series.", heard),
        Metric("feed_until_timestamp_seconds", "gauge", "End of the last slot that a feed has told.", until),
    ]


def _of_session(standing: LiveStanding, run: Run | None, now: int) -> list[Metric]:
    """What a live market wrote down."""
    names = run.names if run else []
    meters = {("member", _name(names, meter.member)): meter for meter in standing.meters}
    ages: Values = {label: standing.now - meter.end if meter.end else None for label, meter in meters.items()}
    failures: Values = {}
    for failure in standing.failures:
        label = ("member", _name(names, failure.member))
        failures[label] = (failures.get(label) or 0) + 1
    lag = None if standing.settled is None else standing.settled_after
    return [
        Metric("standing_age_seconds", "gauge", "Age of what follows.", one(max(now - standing.written, 0))),
        Metric("broker_connected", "gauge", "Whether the broker is there.", one(int(standing.is_connected))),
        Metric("backlog_messages", "gauge", "Messages of boxes that wait to be written.", one(standing.backlog)),
        Metric("meter_age_seconds", "gauge", "Time since the end of the last slot that a meter told of.", ages),
        Metric(
            "meter_records_total",
            "counter",
            "Records of a meter on disk.",
            {label: meter.records for label, meter in meters.items()},
        ),
        Metric("refused_records_total", "counter", "Records that were refused.", _by_reason(standing.refused)),
        Metric("refused_orders_total", "counter", "Orders that were refused.", _by_reason(standing.orders_refused)),
        Metric("settled_after_seconds", "gauge", "How long after its end the newest slot was settled.", one(lag)),
        Metric("plans_not_followed", "gauge", "Newest failures of devices to do what was planned.", failures),
    ]


def _by_reason(counts: Mapping[str, int]) -> Values:
    """Counts with their label."""
    return {("reason", reason): count for reason, count in sorted(counts.items())}


def _name(names: list[str], member: int) -> str:
    """A member's name, or its number where nobody is known yet."""
    return names[member] if member < len(names) else str(member)
