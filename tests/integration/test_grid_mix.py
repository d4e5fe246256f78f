"""The grid's mix from its data to footprints, scores and statement: sources, claims, what is left of both."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.strategies import whole
from transactive.bench.runs.year import levied
from transactive.carbon.footprints.grid import GridMix
from transactive.carbon.footprints.mixes import Mix
from transactive.config.setting import load_setting
from transactive.core.community.carbon_rules import GridSource
from transactive.core.errors import TransactiveError
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Measured
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_from
from transactive.insight.summarising import scores_of

SOURCES = """
[[carbon.grid_sources]]
name = "solar"
g_per_kwh = 41
carbon_free = true

[[carbon.grid_sources]]
name = "wind"
g_per_kwh = 11
carbon_free = true

[[carbon.grid_sources]]
name = "gas"
g_per_kwh = 490

"""
MIX = {
    "grid_solar_wh": 400, "grid_wind_wh": 300, "grid_gas_wh": 600, "grid_solar_claimed_wh": 250,
    "grid_wind_claimed_wh": 100,
}  # fmt: skip
"""Average 241.31 g/kWh, residual 318.26."""


def write(folder: Path, columns: dict[str, int], sources: str = SOURCES) -> Path:
    """The sample community with an environment file of the same columns in every slot."""
    path = write_community(folder)
    text = path.read_text().replace("supply_micro_per_kwh = 280_000\n", "").replace("grid_g_per_kwh = 350\n", sources)
    path.write_text(text.replace('"readings.csv"\n', '"readings.csv"\nenvironment = "environment.csv"\n'))
    lines = [",".join(["slot_start", "import_price_micro_per_kwh", *columns])]
    for hour in range(24 * 3 + 1):
        lines.append(f"2017-06-{5 + hour // 24:02d}T{hour % 24:02d}:00Z,280000,{','.join(map(str, columns.values()))}")
    (folder / "environment.csv").write_text("\n".join(lines) + "\n")
    return path


def test_own_case_the_residual_mix_is_318_26_g_from_the_file_to_the_footprints(tmp_path: Path) -> None:
    setting = load_setting(write(tmp_path, MIX))
    walk = recorded_run(setting, slots_from(setting)[:24])
    records: list[SlotBook] = []
    walk.run(records.append)
    for record in records:
        f = record.footprints
        average, residual = Mix(f.grid_wh, f.grid_mg), Mix(f.residual_wh, f.residual_mg)
        assert [round(float(mix.g_per_kwh), 2) for mix in (average, residual)] == [241.31, 318.26]
        assert f.free_ppm == 350 * 10**6 // 950
        missing = max(int(record.readings.import_wh.sum() - record.readings.export_wh.sum()), 0)
        assert f.imported_mg == missing * average.g_per_kwh // 1
    assert walk.tally.residual_mg * 1_000 // walk.tally.residual_wh == 318_263
    assert walk.tally.residual_mg == 24 * (150 * 41 + 200 * 11 + 600 * 490)


def test_locks_cover_a_levy_on_a_residual_mix_that_is_no_whole_number(tmp_path: Path) -> None:
    setting = levied(load_setting(write(tmp_path, MIX)))
    walk = recorded_run(setting, slots_from(setting)[:24])
    walk.run()
    assert walk.tally.money_residual_n == walk.tally.refused == 0
    levy, rate = int(walk.tally.levy_n.sum()), walk.levies.rate(walk.slots[0])
    assert 0 <= int(walk.tally.unmatched_mg.sum()) * rate - levy * 1_000_000 < 24 * 1_000_000


def test_i11_residual_and_claimed_mix_are_the_whole_by_source() -> None:
    sources = [GridSource(name="solar", g_per_kwh=41, carbon_free=True), GridSource(name="gas", g_per_kwh=490)]
    mix = GridMix.of_sources(sources, [400, 600], [250, 7])
    claimed = Mix(257, 250 * 41 + 7 * 490)
    assert mix.residual + claimed == mix.average


def test_own_case_with_the_grid_the_score_is_63_33_percent(tmp_path: Path) -> None:
    """Load 2, 2, 2, certificates of 3, 1, 0, a grid of 50, 40, 20 %: alone 50 %, over all three 66.67 %."""
    path = write(tmp_path, {"grid_carbon_g_per_kwh": 350, "grid_free_ppm": 0}, "")
    text = path.read_text()
    path.write_text(text[: text.index('[[members]]\nid = "b"')].replace("battery_wh = 6_400\nbattery_w = 5_000\n", ""))
    lines = (tmp_path / "readings.csv").read_text().splitlines()
    (tmp_path / "readings.csv").write_text("\n".join(x for x in lines if ",a," in x or x.startswith("slot")) + "\n")
    setting = load_setting(path)
    slots = slots_from(setting)[:3]
    row = (slots[0] - setting.measured.first_slot) // 3600
    measured, free = setting.measured, setting.environment.free_ppm.copy()
    consumption, generation = measured.consumption_wh.copy(), measured.generation_wh.copy()
    consumption[row : row + 3, 0], generation[row : row + 3, 0] = 2_000, [3_000, 1_000, 0]
    free[row : row + 3] = [500_000, 400_000, 200_000]
    measured = Measured(measured.first_slot, consumption, generation)
    walk = recorded_run(
        replace(setting, measured=measured, environment=replace(setting.environment, free_ppm=free)), slots
    )
    walk.run()
    found = scores_of(walk.tally)
    assert (found.hourly_ppm, found.annual_ppm, found.with_grid_ppm) == (500_000, 666_666, 633_333)


def test_a_statement_says_by_which_mix_and_holds(tmp_path: Path) -> None:
    path = write(tmp_path, MIX)
    path.write_text(path.read_text() + '\n[run]\nfirst_slot = "2017-06-07T16:00Z"\n')
    run = call("run", path, "--state", tmp_path / "state", "--json", "--no-page")
    assert run.code == 0, run.err
    told = json.loads(run.out)["carbon"]
    assert told["residual_mg_per_kwh"] == 318_263
    assert told["scores"]["hourly_ppm"] <= told["scores"]["annual_ppm"]
    assert told["scores"]["hourly_ppm"] < told["scores"]["with_grid_ppm"] < 1_000_000
    file = tmp_path / "b.json"
    assert call("statement", "--state", tmp_path / "state", "--member", "b", "-o", file).code == 0
    assert call("verify", file, "--state", tmp_path / "state").code == 0
    statement = json.loads(file.read_text())
    for slot in statement["slots"]:  # b has no device, so that all it did not claim is at the residual mix
        rest = slot["registers"]["import_wh"] - sum(wh for _, _, wh, *_ in slot["bundles"])
        assert abs(slot["unmatched_mg"] - rest * 302_350 / 950) < 1
    assert statement["method"]["grid_source"] == "average intensity, of solar 41 g/kWh, wind 11 g/kWh, gas 490 g/kWh"
    assert statement["slots"][0]["residual"] == {"carbon_mg": 302_350, "energy_wh": 950}
    assert statement["totals"]["score_with_grid_ppm"] > statement["totals"]["score_hourly_ppm"]


@pytest.mark.parametrize(
    ("columns", "sources", "said"),
    [
        ({**MIX, "grid_coal_wh": 5}, SOURCES, "column grid_coal_wh: source 'coal' has no emission factor"),
        ({k: v for k, v in MIX.items() if k != "grid_gas_wh"}, SOURCES, "column grid_gas_wh is missing"),
        ({**MIX, "grid_carbon_g_per_kwh": 350}, SOURCES, "stands beside those of sources"),
        ({**MIX, "grid_solar_claimed_wh": 401}, SOURCES, "grid_solar_claimed_wh = 401: more is claimed"),
        ({**MIX, "grid_wind_wh": -1}, SOURCES, "grid_wind_wh = -1: is below 0"),
        ({**MIX, "grid_solar_claimed_wh": 400, "grid_wind_claimed_wh": 300, "grid_gas_wh": 0}, SOURCES,
         "no grid energy is left without a claim"),
        (MIX, SOURCES.replace("g_per_kwh = 490", "g_per_kwh = -490"), "g_per_kwh"),
        (MIX, SOURCES.replace('"gas"', '"wind"'), "names a source twice"),
        ({"grid_carbon_g_per_kwh": 350, "grid_free_ppm": 1_000_001}, "", "grid_free_ppm = 1000001: is above 1,000,000"),
        ({"grid_carbon_g_per_kwh": 350, "grid_marginal_g_per_kwh": -5}, "", "grid_marginal_g_per_kwh = -5: is below 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_mix_is_said(tmp_path: Path, columns: dict[str, int], sources: str, said: str) -> None:
    with pytest.raises(TransactiveError) as error:
        load_setting(write(tmp_path, columns, sources))
    assert said in str(error.value)


def test_a_marginal_factor_is_read_and_stays_out_of_footprints(tmp_path: Path) -> None:
    found = []
    for marginal in ({}, {"grid_marginal_g_per_kwh": 900}):
        setting = load_setting(write(tmp_path, {"grid_carbon_g_per_kwh": 350, **marginal}, ""))
        walk = recorded_run(setting, slots_from(setting)[:12])
        walk.run()
        found.append((walk.tally.location_mg.tolist(), walk.tally.market_mg.tolist()))
        assert np.array_equal(setting.environment.marginal_g_per_kwh[:1], whole(*marginal.values()))
    assert found[0] == found[1]
