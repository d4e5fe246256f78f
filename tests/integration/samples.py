"""A small community of three homes with a day of history and two days to run."""

import random
from pathlib import Path

COMMUNITY = """
name = "Two days"
currency = "EUR"

[market]
slot_minutes = 60

[tariff]
supply_micro_per_kwh = 280_000
feed_in_micro_per_kwh = 80_000
network_fee_micro_per_kwh = 30_000

[accounts]
opening_n = 12_000_000_000
top_up_below_n = 10_000_000_000
top_up_to_n = 12_000_000_000

[carbon]
pv_g_per_kwh = 45
grid_g_per_kwh = 350

[carbon.offsets]
file = "credits.toml"

[data]
readings = "readings.csv"

[[members]]
id = "a"
pv_w = 4_000
battery_wh = 6_400
battery_w = 5_000

[[members]]
id = "b"
offset = { most_micro_per_t = 50_000_000 }

[[members]]
id = "c"
pv_w = 5_000
"""

CREDITS = """
[[projects]]
id = "wood"
kind = "removal"
methodology = "EX-1"
jurisdiction = "XX"
auditor = "ann"

[[batches]]
project = "wood"
vintage = 2015
serial = "EX-1-2015-1"
kg = 100
owner = "coop"

[[batches]]
project = "wood"
vintage = 2016
serial = "EX-1-2016-1"
kg = 100
owner = "c"

[[listings]]
serial = "EX-1-2015-1"
seller = "coop"
kg = 3
price_micro_per_t = 20_000_000

[[listings]]
serial = "EX-1-2016-1"
seller = "c"
kg = 80
price_micro_per_t = 40_000_000
"""


def readings() -> list[str]:
    """Lines of a readings file, from a seeded generator."""
    draw = random.Random(5)
    lines = ["slot_start,member,consumption_wh,generation_wh"]
    for hour in range(24 * 3 + 1):
        day, at = divmod(hour, 24)
        for member in "abc":
            sun = draw.randint(0, 3_000) if member != "b" and 8 <= at <= 17 else 0
            lines.append(f"2017-06-{5 + day:02d}T{at:02d}:00:00Z,{member},{draw.randint(0, 2500)},{sun}")
    return lines


def write_community(folder: Path, *, whole_period: bool = False) -> Path:
    """Write all files into a folder; returns the community file. whole_period: the run ends with its period."""
    rows = readings()
    last_slot = rows[-1].split(",")[0]
    (folder / "credits.toml").write_text(CREDITS)
    (folder / "readings.csv").write_text(
        "\n".join(row for row in rows if not whole_period or last_slot not in row) + "\n"
    )
    (folder / "community.toml").write_text(COMMUNITY)
    return folder / "community.toml"
