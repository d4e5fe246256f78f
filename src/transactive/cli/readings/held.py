"""Readings that are held, in the line that a command ends with."""

from __future__ import annotations

from pathlib import Path

from transactive.config.setting import Setting


def held_readings(setting: Setting, path: Path) -> str:
    """How many readings of a community wait for an answer, and the command that shows them; empty if none does."""
    held = 0 if setting.verdicts is None else int(setting.verdicts.held.sum())
    return f"{held} readings are held and billed by substitutes: transactive readings holds {path}" if held else ""
