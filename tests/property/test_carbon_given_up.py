"""PV that earns credits gives no certificates: for no Wh, into no battery, to no neighbour (I9)."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import neighbourhoods
from transactive.carbon.accounting import Factors, account
from transactive.carbon.certificates.storage import CERTIFIED, Lots
from transactive.carbon.footprints.flows import behind_the_meter
from transactive.core.certificates import CertificateState


@given(neighbourhoods(), st.data())
def test_what_gave_its_certificates_up_carries_none_and_moves_no_location_based_carbon(homes, data):
    members = len(homes.devices.capacity_wh)
    without = np.array(data.draw(st.lists(st.booleans(), min_size=members, max_size=members)))
    lots = plain_lots = Lots.empty(members)
    for slot in homes.slots:
        factors = Factors.whole(*slot.factors)
        plain = account(slot.readings, slot.delivery, homes.devices, plain_lots, factors)
        result = account(slot.readings, slot.delivery, homes.devices, lots, factors, given_up=without)
        bundles, flows = result.certificates, behind_the_meter(slot.readings)
        issued = np.zeros(2 * members, np.int64)
        np.add.at(issued, bundles.device, bundles.energy_wh)
        assert issued[0::2].tolist() == np.where(without, 0, slot.readings.generation_wh).tolist()
        claimed = np.zeros(members, np.int64)
        mine = bundles.state == CertificateState.CLAIMED
        np.add.at(claimed, bundles.owner[mine], bundles.energy_wh[mine])
        assert (claimed <= slot.readings.consumption_wh).all()
        travelled = mine & (bundles.device // 2 != bundles.owner)
        matched = int(bundles.energy_wh[travelled].sum())
        stored = (bundles.state == CertificateState.STORED) & (bundles.device // 2 != bundles.owner)
        left = int(slot.readings.import_wh.sum()) - matched - int(bundles.energy_wh[stored].sum())
        lots_gain = result.lots.columns[:, :, CERTIFIED].sum(axis=0)
        assert (lots_gain <= result.lots.charged_wh).all()
        assert (result.footprints.location_mg == plain.footprints.location_mg).all()
        assert result.lots.charged_wh.tolist() == plain.lots.charged_wh.tolist()
        residual = factors.grid.residual
        assert int(result.unmatched_mg.sum()) <= int(residual.of(left))
        own = flows.pv_to_load * without
        for k in np.flatnonzero(without & (slot.readings.consumption_wh == own) & (own > 0)):
            owed = int(own[k]) * int(residual.carbon_mg)
            assert abs(int(result.footprints.market_mg[k]) * residual.energy_wh - owed) < 3 * residual.energy_wh
        lots, plain_lots = result.lots, plain.lots
