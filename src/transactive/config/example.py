"""The readings of the example that `transactive init` writes: real homes of the demo's data, under other names."""

from __future__ import annotations

from transactive.config.shipped import DEMO
from transactive.core.slots import parse_time

HOMES = {"ada": "house-01", "ben": "house-10", "cem": "house-13", "dora": "house-04", "eva": "house-08"}
"""Homes of the demo's data that lend the example their readings; dora and eva without their PV."""
WITHOUT_PV = ("dora", "eva")
FIRST, END = "2017-05-08T00:00Z", "2017-06-12T00:00Z"
"""Four weeks of history and one week to run."""


def example_readings() -> str:
    """Give the readings of the example as CSV, from real homes."""
    import polars as pl

    frame = pl.read_parquet(DEMO.parent / "readings.parquet")
    seconds = pl.col("slot_start").dt.epoch("s")
    names = {house: name for name, house in HOMES.items()}
    frame = (
        frame.filter(seconds.is_between(parse_time(FIRST), parse_time(END), closed="left"))
        .filter(pl.col("member").is_in(list(names)))
        .with_columns(member=pl.col("member").replace_strict(names))
        .with_columns(
            generation_wh=pl.when(pl.col("member").is_in(WITHOUT_PV)).then(0).otherwise(pl.col("generation_wh")),
            slot_start=pl.col("slot_start").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        .sort("slot_start", "member")
        .select("slot_start", "member", "consumption_wh", "generation_wh")
    )
    return frame.write_csv()
