"""Carbon by example: the acceptance cases and defects that concern what there is."""

import numpy as np
import pytest

from tests.strategies import positions_of, whole
from transactive.carbon.accounting import Factors, account
from transactive.carbon.certificates import allotment
from transactive.carbon.certificates.storage import CHARGED, MARKET, Lots
from transactive.carbon.footprints.flows import behind_the_meter
from transactive.core.certificates import CertificateState
from transactive.core.community.members import Devices
from transactive.core.errors import RuleBroken
from transactive.core.tables import Readings
from transactive.metering.registers import measure
from transactive.settlement.netted import deliver

HELD, STORED, CLAIMED = CertificateState.HELD, CertificateState.STORED, CertificateState.CLAIMED


def battery(members=1, efficiency_ppm=900_000):
    size = np.full(members, 10_000, np.int64)
    return Devices(size, size, size, np.full(members, efficiency_ppm, np.int64))


def slot(consumption, generation, charge=None, discharge=None, lots=None, factors=(45, 350, 420), efficiency=900_000):
    """Account one slot without trades; devices are large enough for anything."""
    members = len(consumption)
    nothing = [0] * members
    flows = (np.array(c, np.int64) for c in (consumption, generation, charge or nothing, discharge or nothing))
    readings = measure(0, *flows)
    delivery = deliver(positions_of(0, 0, nothing, nothing), readings)
    result = account(
        readings, delivery, battery(members, efficiency), lots or Lots.empty(members), Factors.whole(*factors)
    )
    c = result.certificates
    columns = (c.device, c.first_wh, c.energy_wh, c.owner, c.state, c.market_mg)
    return list(zip(*(column.tolist() for column in columns), strict=True)), result


def lot(charged, g_per_kwh, certified=None):
    return whole(charged), whole(charged if certified is None else certified), *(whole(charged * g_per_kwh),) * 2


def test_a10_a_claim_leaves_the_rest_of_the_production():
    bundles, _ = slot([150], [250])
    assert bundles == [(0, 0, 150, 0, CLAIMED, 150 * 45), (0, 150, 100, 1, HELD, 100 * 45)]


@pytest.mark.parametrize(
    ("charged", "grams", "out", "efficiency"), [(1_000, 41, 900, 900_000), (800, 11, 700, 875_000)]
)
def test_a13_losses_raise_the_intensity_exactly(charged, grams, out, efficiency):
    """1000 Wh at 41 g/kWh become 900 Wh at 45.56, 800 at 11 become 700 at 12.57."""
    bundles, result = slot(
        [out], [0], discharge=[out], lots=Lots.empty(1).put(*lot(charged, grams)), efficiency=efficiency
    )
    assert bundles == [(1, 0, out, 0, CLAIMED, charged * grams)]
    assert result.footprints.market_mg.tolist() == result.footprints.location_mg.tolist() == [charged * grams]
    assert result.lots.charged_wh.tolist() == [0]


def test_a13_the_older_lot_is_used_first():
    lots = Lots.empty(1).put(*lot(1_000, 41)).put(*lot(800, 11))
    left, drawn = lots.take(whole(1_000))
    assert drawn[0].tolist() == [1_000, 1_000, 41_000, 41_000]
    assert left.columns[:, 0, CHARGED].tolist() == [800]
    left, drawn = left.take(whole(200))
    assert drawn[0, MARKET] == 2_200
    assert left.columns[0, 0].tolist() == [600, 600, 6_600, 6_600]


def test_a16_d2_splitting_250_from_1000_gives_250_and_750():
    bundles, _ = slot([0, 250, 750], [1_000, 0, 0])
    assert [(first, wh, owner) for _, first, wh, owner, _, _ in bundles] == [(0, 250, 1), (250, 750, 2)]
    assert sum(wh for _, _, wh, *_ in bundles) == 1_000


def test_d3_a_battery_gives_no_more_than_it_holds():
    with pytest.raises(RuleBroken, match="no more than it holds"):
        slot([10], [0], discharge=[10], lots=Lots.empty(1).put(*lot(11, 45)))
    slot([9], [0], discharge=[9], lots=Lots.empty(1).put(*lot(10, 45)))
    with pytest.raises(RuleBroken, match="no more than it holds"):
        Lots.empty(1).take(whole(1))


def test_d3_no_more_is_certified_than_charged():
    with pytest.raises(RuleBroken, match="no more certified"):
        Lots.empty(1).put(*lot(10, 45, certified=11))


def test_d11_stored_sun_stays_sun_whatever_the_grid_is_when_it_comes_out():
    _, day = slot([0], [1_000], charge=[1_000])
    bundles, night = slot([900], [0], discharge=[900], lots=day.lots, factors=(45, 999, 999))
    assert bundles == [(1, 0, 900, 0, CLAIMED, 45_000)]
    assert night.footprints.location_mg.tolist() == [45_000]


def test_energy_charged_from_the_grid_comes_out_without_a_certificate_and_keeps_its_carbon():
    _, day = slot([0], [0], charge=[1_000])
    assert day.footprints.market_mg.tolist() == [0]
    assert (day.footprints.put_in_mg, day.footprints.imported_mg) == (350_000, 350_000)
    bundles, night = slot([900], [0], discharge=[900], lots=day.lots)
    assert bundles == []
    assert night.footprints.market_mg.tolist() == [420_000]
    assert night.footprints.location_mg.tolist() == [350_000]


def test_a_half_certified_battery_certifies_half_of_what_it_gives():
    half = Lots.empty(1).put(*lot(1_000, 100, certified=500))
    bundles, result = slot([900], [0], discharge=[900], lots=half)
    assert bundles == [(1, 0, 450, 0, CLAIMED, 50_000)]
    assert result.footprints.market_mg.tolist() == [100_000]


def test_a_neighbours_sun_can_be_stored_and_is_claimed_only_when_it_comes_out():
    bundles, day = slot([0, 0], [500, 0], charge=[0, 500])
    assert bundles == [(0, 0, 500, 1, STORED, 22_500)]
    bundles, _ = slot([0, 450], [0, 0], discharge=[0, 450], lots=day.lots)
    assert bundles == [(3, 0, 450, 1, CLAIMED, 22_500)]


def test_uncertified_storage_does_not_become_certified_in_a_neighbours_battery():
    grey = Lots.empty(2).put(whole(1_000, 0), whole(0, 0), whole(420_000, 0), whole(350_000, 0))
    bundles, result = slot([0, 0], [0, 0], charge=[0, 900], discharge=[900, 0], lots=grey)
    assert bundles == []
    assert result.lots.columns.tolist() == [[[0, 0, 0, 0], [900, 0, 420_000, 350_000]]]


@pytest.mark.parametrize("most_parts", [0, 10**6], ids=["large", "small"])
def test_carbon_that_does_not_divide_by_wh_is_shared_to_the_last_mg(monkeypatch, most_parts):
    monkeypatch.setattr(allotment, "MOST_PARTS", most_parts)
    lots = Lots.empty(4).put(whole(1_000, 0, 0, 0), whole(1_000, 0, 0, 0), *[whole(41_001, 0, 0, 0)] * 2)
    bundles, result = slot([0, 7, 400, 493], [0, 0, 0, 0], discharge=[900, 0, 0, 0], lots=lots)
    assert [(wh, owner) for _, _, wh, owner, _, _ in bundles] == [(7, 1), (400, 2), (493, 3)]
    assert sum(mg for *_, mg in bundles) == result.footprints.market_mg.sum() == 41_001
    assert all(abs(mg - 41_001 * wh / 900) < 1 for _, _, wh, _, _, mg in bundles)


def test_an_exporting_slot_leaves_with_the_supplier_pro_rata():
    bundles, result = slot([0, 0, 100], [300, 100, 0])
    assert [(device, wh, owner, state) for device, _, wh, owner, state, _ in bundles] == [
        (0, 75, 2, CLAIMED), (0, 225, 3, HELD), (2, 25, 2, CLAIMED), (2, 75, 3, HELD),
    ]  # fmt: skip
    assert result.footprints.exported_mg == 300 * 45


def test_the_home_comes_before_its_battery_and_the_battery_before_the_street():
    flows = behind_the_meter(measure(0, whole(100, 300), whole(250, 250), whole(80, 0), whole(0, 120)))
    rows = [(getattr(flows, name)).tolist() for name in ("pv_to_load", "pv_to_charge", "pv_to_export")]
    assert rows == [[100, 250], [80, 0], [70, 0]]
    assert flows.discharge_to_load.tolist() == [0, 50]
    assert flows.discharge_to_export.tolist() == [0, 70]


def test_registers_that_cannot_be_are_refused():
    z = whole(0)
    with pytest.raises(RuleBroken, match="behind the meter"):
        behind_the_meter(Readings(0, whole(5), whole(5), z, z, z))
