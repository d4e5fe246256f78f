"""Networks as pandapower writes them: ratings become whole Wh, millionths and reactances."""

import json
from pathlib import Path

import numpy as np
import pytest

from transactive.core.community.network import Line, network_of
from transactive.core.errors import DataError
from transactive.market.network.pandapower import read_pandapower

STREET = Path(__file__).with_name("street.json")
"""Written by pandapower 3.5: a transformer of 250 kVA, four cables, the third of them switched off at one end."""


def changed(table: str, column: str, value: object, row: int = 0) -> bytes:
    found = json.loads(STREET.read_text())
    content = json.loads(found["_object"][table]["_object"])
    content["data"][row][content["columns"].index(column)] = value
    found["_object"][table]["_object"] = json.dumps(content)
    return json.dumps(found).encode()


def test_a_street_is_read_as_its_ratings_say() -> None:
    rules = read_pandapower(STREET.read_bytes(), 15)
    assert rules.nodes == ("grid", "station", "north", "south", "bus 4")
    north, south, far, transformer = rules.lines
    assert transformer == Line(
        "grid", "station", 62_500, reactance=160_000_000, transformer=True, loss_at_limit_ppm=12_000
    )
    # 142 A at 400 V are 98.4 kW; that loses 9.9 % in 0.642 Ω/km over 250 m
    assert north == Line("station", "north", 24_595, reactance=129_687_500, loss_at_limit_ppm=98_688)
    assert (south.limit_wh, far.limit_wh) == (24_595, 49_190)
    assert far.start == "south"
    assert network_of(rules).radial


def test_reactive_power_takes_its_part_of_the_ratings() -> None:
    at_one, rules = (read_pandapower(STREET.read_bytes(), 15, factor) for factor in (1_000_000, 950_000))
    full, network = network_of(at_one), network_of(rules)
    assert network.limit_wh.tolist() == [wh * 95 // 100 for wh in full.limit_wh.tolist()]
    assert full.loss_at_limit_ppm is not None
    assert network.loss_at_limit_ppm is not None
    for flow in (5_000, 20_000):  # the same energy takes 1 / 0.95 of the current
        lost, at_unity = (each.lost_wh(np.full(len(full.start), flow)) for each in (network, full))
        assert lost.tolist() == pytest.approx((at_unity / 0.95**2).tolist(), rel=0.01, abs=1)


def test_losses_are_left_out_where_a_switch_closes_a_ring() -> None:
    rules = read_pandapower(changed("switch", "closed", True), 60)  # noqa: FBT003
    assert len(rules.lines) == 5
    assert not any(line.loss_ppm or line.loss_at_limit_ppm for line in rules.lines)
    assert not network_of(rules).radial


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{}", "is not a network of pandapower"),
        (b"nodes = []", "is not a network of pandapower"),
        (b'{"_object": {"bus": {"_object": "[]"}}}', "is not a network of pandapower"),
        (b'{"_object": {}}', "ext_grid: there is none in service"),
        (changed("ext_grid", "in_service", False), "ext_grid: there is none in service"),  # noqa: FBT003
        (changed("line", "max_i_ka", None), "line 0: max_i_ka = None; give a rating above 0"),
        (changed("trafo", "sn_mva", 0.0), "trafo 0: sn_mva = 0.0; give a rating above 0"),
    ],
)
def test_what_is_no_such_file_or_lacks_a_rating_is_named(text: bytes, message: str) -> None:
    with pytest.raises(DataError) as error:
        read_pandapower(text, 60)
    assert message in str(error.value)
