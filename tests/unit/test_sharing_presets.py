"""The laws' models of sharing: each has its source, does its worked example, and leaves open what the law does."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from transactive.cli.community.actions import write_example
from transactive.config.community_file import load
from transactive.config.presets import Preset, presets, with_preset
from transactive.config.setting import load_setting
from transactive.core.community.sharing_rules import SharingRules
from transactive.core.errors import ConfigError
from transactive.core.spelling.records import in_base_units
from transactive.core.tables import Readings
from transactive.engine.deliveries import circles_of, shared_slot
from transactive.settlement.sharing import share_out

DOCS = Path(__file__).parents[2] / "docs" / "concepts" / "sharing.md"
COUNTRIES = {"AT", "IT", "ES", "FR", "PT", "CH", "DE", "BE"}


def test_each_country_has_its_models_and_each_model_its_source():
    assert {preset.country for preset in presets().values()} == COUNTRIES
    for preset in presets().values():
        assert all((preset.title, preset.law, preset.note))
        assert all(source.startswith("https://") for source in preset.source.split(" ; "))
        assert set(preset.fixed) <= set(SharingRules.__struct_fields__)


@pytest.mark.parametrize("name", presets())
def test_the_worked_example_of_a_preset_comes_out(name, tmp_path):
    """A plant gives, others take: the rules of the community that `init` writes, on the numbers of the preset."""
    preset = presets()[name]
    write_example(tmp_path, name)
    setting = load_setting(tmp_path / "community.toml")
    rules, example = setting.community.sharing_in_force, preset.example
    assert rules is not None
    taken = [*example.taken_wh, *([0] * (4 - len(example.taken_wh)))]
    members = setting.community.members  # four who take, and a plant
    ppm = [*example.shares_ppm, *([0] * (5 - len(example.shares_ppm)))]
    shared = msgspec.structs.replace(
        setting.community,
        members=tuple(msgspec.structs.replace(m, share_ppm=s) for m, s in zip(members, ppm, strict=True)),
    )
    slot = setting.first_slot
    zeros = np.zeros(5, np.int64)
    readings = Readings(slot, np.array([*taken, 0]), np.array([0, 0, 0, 0, example.given_wh]), zeros, zeros, zeros)
    coefficients = np.array(ppm, np.int64) if "coefficients" in rules.keys else None
    circles = circles_of(shared, rules, slot, coefficients)
    found = share_out(readings, circles, to_holders=rules.surplus == "holder")
    assert found.used_wh.sum(axis=0).tolist()[: len(example.used_wh)] == list(example.used_wh)
    assert found.given_wh.sum() == sum(example.used_wh)
    if example.surplus_wh:
        assert found.surplus_wh.tolist()[: len(example.surplus_wh)] == list(example.surplus_wh)
    if example.incentive_micro_per_kwh is not None:
        environment = tmp_path / "environment.csv"
        environment.write_text(environment.read_text().replace(",120000", f",{example.zonal_price_micro_per_kwh}"))
        changed = load_setting(tmp_path / "community.toml")
        assert sum(setting.incentive(slot) or ()) == 80_000 + 40_000  # at the 12 ct of what init writes
        assert sum(changed.incentive(slot) or ()) == example.incentive_micro_per_kwh
    assert shared_slot(setting, rules, readings).used_wh.sum() <= example.given_wh


def test_what_a_law_leaves_no_choice_in_is_refused_and_what_it_leaves_open_counts(tmp_path):
    write_example(tmp_path, "ch-leg")
    path = tmp_path / "community.toml"
    text = path.read_text()
    path.write_text(text.replace('preset = "ch-leg"', 'preset = "ch-leg"\nkeys = ["equal"]\nfee = "80 %"'))
    rules = load(path).sharing
    assert rules is not None
    assert (rules.keys, rules.fee_ppm, rules.preset) == (("equal",), 800_000, "ch-leg")
    path.write_text(text.replace('preset = "ch-leg"', 'preset = "at-eeg-dynamic"\nkeys = ["equal"]'))
    with pytest.raises(ConfigError, match=r"and the preset at-eeg-dynamic has \[.dynamic.\] by ElWOG 2010"):
        load(path)
    path.write_text(text.replace("slot_minutes = 15", "slot_minutes = 30").replace("= 96", "= 48"))
    with pytest.raises(ConfigError, match="ch-leg shares in steps of 15 minutes by StromVG"):
        load(path)
    path.write_text(text.replace('"ch-leg"', '"ch-legg"'))
    with pytest.raises(ConfigError, match=r"'ch-legg' is none of ours; did you mean ch-leg\?"):
        load(path)


def test_an_incentive_is_completed_key_by_key():
    said = {"sharing": {"preset": "it-cer", "incentive": {"price": "90 EUR/MWh", "producers": "40 %"}}}
    whole = in_base_units(with_preset(said)["sharing"], SharingRules, "EUR")["incentive"]
    assert whole == {
        "price_micro_per_kwh": 90_000, "column": "zonal_price_micro_per_kwh", "reference_micro_per_kwh": 180_000,
        "most_micro_per_kwh": 40_000, "producers_ppm": 400_000,
    }  # fmt: skip


def test_the_documents_list_every_preset():
    text = DOCS.read_text()
    for name, preset in presets().items():
        assert f"| `{name}` |" in text, name
        assert preset.law in text, preset.law
    assert isinstance(next(iter(presets().values())), Preset)
