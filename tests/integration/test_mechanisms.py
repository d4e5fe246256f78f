"""A community under any mechanism: a day of the demo to the books' end, on chain, and gone on with after a stop."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from tests.integration.conftest import START
from transactive.config import Setting, load
from transactive.core.errors import ConfigError
from transactive.core.slots import parse_time
from transactive.engine.replay import replay, slots_of
from transactive.engine.walk import SlotRecord


class Stopped(Exception):
    """The run was stopped."""


def under(setting: Setting, mechanism: str) -> Setting:
    """The same community and data under another mechanism."""
    market = msgspec.structs.replace(setting.community.market, mechanism=mechanism)
    return replace(setting, community=msgspec.structs.replace(setting.community, market=market))


@pytest.mark.parametrize("mechanism", ["pay_as_bid", "continuous"])
def test_a_day_settles_at_many_prices_and_goes_on_where_it_stopped(demo_setting, tmp_path, mechanism):
    setting, records = under(demo_setting, mechanism), []
    slots = slots_of(setting, parse_time(START), 1)

    def stop_at_noon(record: SlotRecord) -> None:
        records.append(record)
        if len(records) == 12:
            raise Stopped

    whole, _ = replay(setting, slots, tmp_path / "whole", seed="transactive")
    assert whole.summary.ledger_equals_chain
    assert (whole.summary.energy_residual_wh, whole.summary.money_residual_n) == (0, "0")
    assert whole.summary.mechanism == mechanism
    with pytest.raises(Stopped):
        replay(setting, slots, tmp_path / "halved", seed="transactive", after_slot=stop_at_noon)
    resumed, fresh = replay(setting, slots, tmp_path / "halved", seed="transactive", after_slot=records.append)
    assert fresh
    assert resumed.summary.state_hash == whole.summary.state_hash
    assert any(len(set(record.positions.price.tolist())) > 1 for record in records)


def test_prices_by_location_are_refused_without_a_network(tmp_path):
    text = (tmp_path / "community.toml").write_text
    from transactive.config import EXAMPLE

    text(EXAMPLE.read_text().replace('mechanism = "uniform"', 'mechanism = "locational"'))
    with pytest.raises(ConfigError, match="'locational' needs a network"):
        load(tmp_path / "community.toml")
