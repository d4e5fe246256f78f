"""`transactive init --preset`: the example as a community that shares by a law's model, with the files it needs."""

from __future__ import annotations

from collections.abc import Sequence

from transactive.config.presets import Preset, preset_of
from transactive.core.community.sharing_rules import BY_SHARES
from transactive.core.units import PPM, share

SHARES, ENVIRONMENT = "shares.csv", "environment.csv"
ZONAL_PRICE, CARBON = 120_000, 350
"""Made up, for the example: a market's price [µ¤/kWh] and the grid's carbon intensity [g/kWh] of every hour."""


def with_preset(name: str, files: dict[str, str], members: Sequence[str]) -> dict[str, str]:
    """The example's files by name, changed to what a preset needs. Raises ConfigError for an unknown preset."""
    preset = preset_of(name)
    minutes = preset.slot_minutes or 60
    readings = _in_steps(files["readings.csv"], 60 // minutes, minutes)
    changed = {**files, "community.toml": _community(name, preset, files["community.toml"], minutes, members)}
    changed["readings.csv"] = readings
    hours = sorted({line.partition(",")[0] for line in files["readings.csv"].splitlines()[1:]})
    if "coefficients" in preset.sharing["keys"]:
        parts = [f"{part / PPM:.6f}" for part in share(PPM, [1] * len(members))]
        rows = (f"{hour},{who},{part}" for hour in hours for who, part in zip(members, parts, strict=True))
        changed[SHARES] = "\n".join(["slot_start,member,share", *rows]) + "\n"
    if column := preset.sharing.get("incentive", {}).get("column"):
        rows = (f"{hour},{CARBON},{ZONAL_PRICE}" for hour in hours)
        changed[ENVIRONMENT] = "\n".join([f"slot_start,grid_carbon_g_per_kwh,{column}", *rows]) + "\n"
    return changed


def _community(name: str, preset: Preset, text: str, minutes: int, members: Sequence[str]) -> str:
    """The community file: mechanism, step, sharing, and shares where the key needs them."""
    keys = preset.sharing["keys"]
    said = [f"# {preset.title}: {preset.law}", f"# {preset.note}", "[sharing]", f'preset = "{name}"']
    if "price" not in preset.sharing:
        said.append('price = "12 ct/kWh"                   # from the user to the producer, the network fee apart')
    if "coefficients" in keys:
        said.append(f'coefficients = "{SHARES}"             # each member\'s share of each hour')
    part = share(PPM, [1] * len(members))[0]
    lines = []
    for line in text.splitlines():
        word = line.partition(" ")[0]
        if word == "[tariff]":
            lines += [*said, ""]
        if word == "grid_g_per_kwh" and "incentive" in preset.sharing:
            continue
        lines.append(_line(line, word, minutes, "incentive" in preset.sharing))
        if word == "id" and set(keys) & set(BY_SHARES):
            lines.append(f"share_ppm = {part}                     # of what neighbours give")
    return "\n".join(lines) + "\n"


def _line(line: str, word: str, minutes: int, incentive: bool) -> str:
    """A line of the example, changed where sharing says it otherwise; word: its first."""
    if word == "mechanism":
        return 'mechanism = "sharing"                 # keys decide after delivery, in place of a market'
    if word in ("slot_minutes", "gate_closure_minutes"):
        return line.replace("60", str(minutes), 1)
    if word == "slots_per_period":
        return line.replace("24", str(24 * 60 // minutes), 1)
    if line.startswith("# environment = ") and incentive:
        return f'environment = "{ENVIRONMENT}"       # with the market\'s price that the incentive follows'
    return line


def _in_steps(readings: str, parts: int, minutes: int) -> str:
    """Hourly readings divided into equal steps, so that their sums stay."""
    if parts == 1:
        return readings
    head, *rows = readings.splitlines()
    lines = [head]
    for row in rows:
        time, member, *energies = row.split(",")
        pieces = [share(int(wh), [1] * parts) for wh in energies]
        for number in range(parts):
            moment = time.replace(":00:00Z", f":{number * minutes:02d}:00Z")
            lines.append(",".join([moment, member, *(str(piece[number]) for piece in pieces)]))
    return "\n".join(lines) + "\n"
