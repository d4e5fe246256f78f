"""What Prometheus asks of a box, in its text format.

Source: Prometheus, "Exposition formats", text-based format 0.0.4. What is not known is left out: a gap is seen, a
zero is believed.
"""

from __future__ import annotations

from transactive.node.status import BoxStatus

PREFIX = "transactive_box"
WAYS = ("import", "export", "generation", "charge", "discharge")


def metrics_text(status: BoxStatus, now: int) -> str:
    """All metrics of a box at a time [Unix s]."""
    rows: list[tuple[str, str, str, dict[str, int | None]]] = [
        ("messages_total", "counter", "Messages of the meter that were read.", {"": status.messages}),
        ("refused_total", "counter", "Messages of the meter that were refused.", {"": status.refused}),
        ("message_age_seconds", "gauge", "Age of the meter's last message.", {"": status.age(now)}),
        ("records_signed", "gauge", "Records on the disk of the box.", {"": status.signed}),
        ("records_acknowledged", "gauge", "Records on the disk of the market.", {"": status.acknowledged}),
        ("broker_connected", "gauge", "Whether the broker is there.", {"": int(status.is_connected)}),
        ("last_slot_timestamp_seconds", "gauge", "Start of the last slot that was signed.", {"": status.last_slot}),
        (
            "last_leaf_timestamp_seconds",
            "gauge",
            "Start of the last slot that was verified.",
            {"": status.last_leaf},
        ),
        ("leaves_wrong", "gauge", "Slots that were settled wrongly, by what the box has.", {"": status.wrong}),
        (
            "as_on_chain",
            "gauge",
            "Whether the chain has what was told.",
            {"": _number(status.is_on_chain)},
        ),
        ("energy_watthours_total", "counter", "Registers of the meter.", _registers(status)),
    ]
    lines: list[str] = []
    for name, kind, text, values in rows:
        known = {labels: value for labels, value in values.items() if value is not None}
        if known:
            lines += [f"# HELP {PREFIX}_{name} {text}", f"# TYPE {PREFIX}_{name} {kind}"]
            lines += [f"{PREFIX}_{name}{labels} {value}" for labels, value in known.items()]
    return "\n".join(lines) + "\n"


def _number(is_so: bool | None) -> int | None:
    """A yes or no as a gauge has it."""
    return None if is_so is None else int(is_so)


def _registers(status: BoxStatus) -> dict[str, int | None]:
    """Registers with their labels."""
    standing = status.standing or ()
    return {f'{{register="{way}"}}': energy for way, energy in zip(WAYS, standing, strict=False)}
