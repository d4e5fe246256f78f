"""Vehicles behind a thin line: they wait where it is full, and make up for it later."""

from pathlib import Path

from tests.integration.test_grid_operator import MANAGED, Watched
from tests.integration.test_network import NETWORK, write
from tests.integration.test_shifting import VEHICLE, with_devices
from transactive.config.setting import load_setting
from transactive.core.congestion import Measure


def test_vehicles_wait_where_their_line_is_full_and_still_leave_with_what_they_need(tmp_path: Path) -> None:
    change = ('mechanism = "locational"', 'mechanism = "uniform"')
    wide = (
        NETWORK.replace("6_000", "30_000").replace("4_000", "30_000").replace("700", "30_000").replace("900", "4_500")
    )
    found = []
    for number, text in enumerate((wide, wide + MANAGED)):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = write(folder, change, network=text)
        path.write_text(with_devices(path.read_text(), "b", VEHICLE))
        found.append(Watched(load_setting(path)))
    plain, managed = found
    assert plain.walk.tally.slots_over >= 2
    assert managed.walk.tally.slots_over == 0
    assert managed.walk.tally.would_be_over >= 2
    used = [sum(int(record.readings.consumption_wh[1]) for record, _, _ in seen.slots) for seen in found]
    held = [int(seen.walk.fleet.left_wh()[1]) for seen in found]
    assert abs((used[0] - held[0]) - (used[1] - held[1])) < 100
    moved = [done for _, _, done in managed.slots if done.energy_of(Measure.MOVE)]
    assert sum(done.energy_of(Measure.MOVE) for done in moved) == managed.walk.tally.moved_wh > 2_000
    assert all(done.amount_of(Measure.MOVE) for done in moved)
    assert managed.walk.tally.money_residual_n == managed.walk.tally.energy_residual_wh == 0
