"""What Prometheus asks of a box."""

from __future__ import annotations

from transactive.node.status import BoxStatus
from transactive.texts.prometheus import Metric, Values, metrics_page, one

PREFIX = "transactive_box"
WAYS = ("import", "export", "generation", "charge", "discharge")


def metrics_text(status: BoxStatus, now: int) -> str:
    """All metrics of a box at a time [Unix s]."""
    on_chain = None if status.is_on_chain is None else int(status.is_on_chain)
    registers: Values = {("register", way): energy for way, energy in zip(WAYS, status.standing or (), strict=False)}
    metrics = [
        Metric("messages_total", "counter", "Messages of the meter that were read.", one(status.messages)),
        Metric("refused_total", "counter", "Messages of the meter that were refused.", one(status.refused)),
        Metric("message_age_seconds", "gauge", "Age of the meter's last message.", one(status.age(now))),
        Metric("records_signed", "gauge", "Records on the disk of the box.", one(status.signed)),
        Metric("records_acknowledged", "gauge", "Records on the disk of the market.", one(status.acknowledged)),
        Metric("broker_connected", "gauge", "Whether the broker is there.", one(int(status.is_connected))),
        Metric("last_slot_timestamp_seconds", "gauge", "Start of the last signed slot.", one(status.last_slot)),
        Metric("last_leaf_timestamp_seconds", "gauge", "Start of the last verified slot.", one(status.last_leaf)),
        Metric("leaves_wrong", "gauge", "Slots settled wrongly, by what the box has.", one(status.wrong)),
        Metric("as_on_chain", "gauge", "Whether the chain has what was told.", one(on_chain)),
        Metric("energy_watthours_total", "counter", "Registers of the meter.", registers),
    ]
    return metrics_page(PREFIX, metrics)
