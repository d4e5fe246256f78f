"""A redemption statement as a page of its own that prints."""

from __future__ import annotations

from transactive.core.units import kwh_text
from transactive.insight.statements.redemption import Redemption
from transactive.web.assets import template_environment


def redemption_html(of: Redemption) -> str:
    """Page of a redemption statement, with every serial."""
    templates = template_environment()
    return templates.get_template("redemption.html").render(
        of=of,
        figures=[
            (f"{kwh_text(of.energy_wh, 3)} kWh", "cancelled in this name"),
            (f"{kwh_text(of.claimed_wh, 3)} kWh", "claimed against a meter in the same slot"),
            (f"{of.carbon_mg // 1_000:,} g", "CO₂e of their generation"),
            (f"{len(of.bundles):,}", "bundle" if len(of.bundles) == 1 else "bundles"),
        ],
        rows=[
            (b.serial, f"{b.energy_wh:,}", f"{b.carbon_mg:,}", b.source, b.technology or "–", b.state, b.meter or "–")
            for b in of.bundles
        ],
    )
