"""How much of what neighbours could gain together a market reaches, and where the rest goes.

Weeks of the demo over all seasons, the example's week and the feeder's fortnight, each run as it is, with batteries
planned apart, and with forecasts that are true, beside what a linear program pays that knows everything. Lines are left
out of the program, so that on the feeder the possible gain is more than could be had. No chain and no database: they do
not change a bill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory

from transactive.bench.intelligence.plans import WEEKS
from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.demo import DAYS, START
from transactive.config.example import example_readings
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO, EXAMPLE, FEEDER
from transactive.core.slots import parse_time
from transactive.core.units import NANO
from transactive.engine.replay import slots_from, slots_of
from transactive.studies.gain.steps import GainSteps, SeenRun, share, steps

BEST = "one plan for all"


@bench("community", summary="what neighbours could gain together, how much of it they do, and where the rest goes")
def community(_: BenchTimer) -> Iterator[Row]:
    """Measure the demo's week, ten weeks over all seasons, the example and the feeder."""
    demo = load_setting(DEMO)
    yield from rows("the demo's week", [steps(demo, slots_of(demo, parse_time(START), DAYS))])
    weeks = [steps(demo, slots_of(demo, parse_time(f"{start}T00:00Z"), DAYS)) for start in WEEKS]
    yield from rows("ten weeks", weeks)
    shares = [100 * (reached(found) or 0) for found, _ in weeks]
    for which, worst in (("least", min(shares)), ("most", max(shares))):
        yield Row(name=f"ten weeks: share in the week that reached {which}", value=worst, unit="%")
    for name, setting in (("the example", example()), ("the feeder", load_setting(FEEDER))):
        yield from rows(name, [steps(setting, slots_from(setting))])


def rows(name: str, found: Sequence[tuple[GainSteps, SeenRun]]) -> Iterator[Row]:
    """Rows of one community over one span, or over several in sum."""
    whole = GainSteps(*map(sum, zip(*(astuple(one) for one, _ in found), strict=True)))
    best = whole.together_n / NANO
    paid = {
        "without a market": whole.without_n,
        "each home alone, knowing all": whole.alone_n,
        "met, batteries as without a market": whole.met_n,
        "with the market, each battery planned for its own home": whole.apart_n,
        "with the market": whole.market_n,
        "with the market, what gates look at known": whole.gates_n,
        "with the market, forecasts true": whole.foreknown_n,
        "homes agreed in turn, forecasts true": whole.agreed_n,
        "homes agreed in turn, on means of forecasts": whole.guessed_n,
    }
    for way, amount_n in paid.items():
        value = amount_n / NANO
        yield Row(name=f"{name}: paid {way}", value=value, unit="USD", reference=BEST, reference_value=best)
    for way, amount_n in (("", whole.market_n), (", forecasts true", whole.foreknown_n)):
        part = share(whole.without_n - amount_n, whole.without_n, whole.together_n)
        yield Row(name=f"{name}: share of the possible gain{way}", value=100 * (part or 0), unit="%")
    for reason, amount_n in whole.left.items():
        yield Row(name=f"{name}: lost to {reason}", value=amount_n / NANO, unit="USD")
    beside, traded, apart = (
        sum(getattr(seen, what) for _, seen in found) for what in ("beside_wh", "traded_wh", "apart")
    )
    yield Row(name=f"{name}: bought or sold ahead and not kept", value=50 * beside / max(traded, 1), unit="%")
    yield Row(name=f"{name}: slots with orders of both sides and no trade", value=apart, unit="slots")


def reached(found: GainSteps) -> float | None:
    """Share of the possible gain that the market reached."""
    return share(found.without_n - found.market_n, found.without_n, found.together_n)


def example() -> Setting:
    """The community that `transactive init` writes."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file in (EXAMPLE, EXAMPLE.with_name("credits.toml")):
            copy(file, folder)
        (folder / "readings.csv").write_text(example_readings())
        return load_setting(folder / EXAMPLE.name)
