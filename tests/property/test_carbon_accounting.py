"""Certificates and footprints over several slots: issued ≤ metered, claimed ≤ consumed, no Wh twice, no mg lost.

The names I1, I3, I4, I6, I7, I13 are those of the invariants that certificate registries have to hold.
"""

from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Lived, Neighbourhood, neighbourhoods
from transactive.carbon.accounting import Factors, account
from transactive.carbon.certificates import allotment
from transactive.carbon.certificates.storage import CERTIFIED, CHARGED, LOCATION, MARKET, Lots
from transactive.carbon.footprints.flows import behind_the_meter
from transactive.core.certificates import CertificateState
from transactive.core.units import share, share_capped

HELD, STORED, CLAIMED = CertificateState.HELD, CertificateState.STORED, CertificateState.CLAIMED


def lived(homes: Neighbourhood, *, large: bool):
    """Each slot with its result and the lots before it; large: shared as in a large community."""
    lots = Lots.empty(len(homes.devices.capacity_wh))
    for slot in homes.slots:
        with patch.object(allotment, "MOST_PARTS", -1 if large else 10**9, create=True):
            result = account(slot.readings, slot.delivery, homes.devices, lots, Factors.whole(*slot.factors))
        yield slot, result, lots
        lots = result.lots


def rows(certificates):
    names = ("device", "first_wh", "energy_wh", "owner", "state", "market_mg")
    return list(zip(*(getattr(certificates, name).tolist() for name in names), strict=True))


def energy(certificates, size, key, state=None):
    """Wh by device or by owner."""
    total = [0] * size
    for device, _, wh, owner, its_state, _ in rows(certificates):
        if state is None or its_state == state:
            total[device if key == "device" else owner] += wh
    return total


def _both(readings):
    """What each meter counted in both directions [Wh], traded or not."""
    return np.minimum(readings.import_wh, readings.export_wh)


def local_wh(slot, sources):
    """Wh that sources gave to neighbours: what meters counted in both directions was the supplier's."""
    return min(int(slot.readings.import_wh.sum()), sum(s[2] for s in sources)) - int(slot.delivery.both_ways_wh.sum())


def exported_sources(slot: Lived, drawn):
    """Sources in plain words: each home's PV, certified storage, uncertified storage, as far as they were exported."""
    r = slot.readings
    sources = []
    for k, load in enumerate(r.consumption_wh.tolist()):
        generation, charge, discharge = (int(c[k]) for c in (r.generation_wh, r.charge_wh, r.discharge_wh))
        pv_left = max(generation - load - charge, 0) + min(int(r.import_wh[k]), int(r.export_wh[k]))
        storage_left = max(discharge - max(load - generation, 0), 0)
        to_load = discharge - storage_left
        certified = discharge * int(drawn[k, CERTIFIED]) // max(int(drawn[k, CHARGED]), 1)
        certified_left = certified - share(certified, (to_load, storage_left))[0]
        sources += [(2 * k, True, pv_left), (2 * k + 1, True, certified_left)]
        sources += [(2 * k + 1, False, storage_left - certified_left)]
    return [source for source in sources if source[2]]


@given(neighbourhoods(), st.booleans())
def test_i1_issued_is_metered_and_storage_bundles_are_within_the_discharge(homes, large):
    for slot, result, lots in lived(homes, large=large):
        members = len(slot.readings.import_wh)
        issued = energy(result.certificates, 2 * members, "device")
        _, drawn = lots.take(homes.devices.drawn_wh(slot.readings.discharge_wh))
        assert issued[0::2] == slot.readings.generation_wh.tolist()
        for k, wh in enumerate(issued[1::2]):
            held = max(int(drawn[k, CHARGED]), 1)
            assert wh == int(slot.readings.discharge_wh[k]) * int(drawn[k, CERTIFIED]) // held
            assert wh <= slot.readings.discharge_wh[k]


@given(neighbourhoods(), st.booleans())
def test_i13_ranges_of_a_device_follow_each_other_from_zero(homes, large):
    for slot, result, _ in lived(homes, large=large):
        end: dict[int, int] = {}
        for device, first, wh, owner, state, mg in rows(result.certificates):
            assert first == end.get(device, 0)
            assert wh > 0
            assert mg >= 0
            end[device] = first + wh
            members = len(slot.readings.import_wh)
            assert (owner == members) if state == HELD else (0 <= owner < members)
        assert rows(result.certificates) == sorted(rows(result.certificates))


@given(neighbourhoods(), st.booleans())
def test_i3_claims_are_within_consumption_and_nobody_is_allotted_more_than_it_imported(homes, large):
    for slot, result, _ in lived(homes, large=large):
        members = len(slot.readings.import_wh)
        claimed = energy(result.certificates, members + 1, "owner", CLAIMED)
        stored = energy(result.certificates, members + 1, "owner", STORED)
        assert all(c <= wh for c, wh in zip(claimed, slot.readings.consumption_wh.tolist(), strict=False))
        assert all(s <= wh for s, wh in zip(stored, slot.readings.charge_wh.tolist(), strict=False))
        crossed = [0] * (members + 1)
        for device, _, wh, owner, _, _ in rows(result.certificates):
            if owner != device // 2:
                crossed[owner] += wh
        assert all(wh <= most for wh, most in zip(crossed, slot.readings.import_wh.tolist(), strict=False))
        assert crossed[members] == energy(result.certificates, members + 1, "owner", HELD)[members]


@given(neighbourhoods(), st.booleans())
def test_what_is_stored_as_a_certificate_is_what_the_lots_hold_more(homes, large):
    for slot, result, lots in lived(homes, large=large):
        members = len(slot.readings.import_wh)
        left, _ = lots.take(homes.devices.drawn_wh(slot.readings.discharge_wh))
        more = result.lots.columns[:, :, CERTIFIED].sum(axis=0) - left.columns[:, :, CERTIFIED].sum(axis=0)
        assert more.tolist() == energy(result.certificates, members + 1, "owner", STORED)[:members]


@given(neighbourhoods(), st.booleans())
def test_i6_lots_hold_what_the_batterys_own_counter_says(homes, large):
    counter = [0] * len(homes.devices.capacity_wh)
    for slot, result, _ in lived(homes, large=large):
        for k, efficiency in enumerate(homes.devices.efficiency_ppm.tolist()):
            counter[k] += int(slot.readings.charge_wh[k])
            counter[k] -= -(-int(slot.readings.discharge_wh[k]) * 10**6 // efficiency)
        assert result.lots.charged_wh.tolist() == counter
        assert (result.lots.columns >= 0).all()
        assert (result.lots.columns[:, :, CERTIFIED] <= result.lots.columns[:, :, CHARGED]).all()


@given(neighbourhoods(), st.booleans())
def test_i7_location_based_carbon_balances_to_the_mg_in_each_slot_and_over_all(homes, large):
    put_in = taken_out = 0
    result = None
    for slot, result, _ in lived(homes, large=large):
        f, r = result.footprints, slot.readings
        pv_g, grid_g, _ = slot.factors
        assert f.generation_mg == int(r.generation_wh.sum()) * pv_g
        assert f.imported_mg == max(int(r.import_wh.sum() - r.export_wh.sum()), 0) * grid_g
        assert f.location_mg.sum() == f.generation_mg + f.imported_mg - f.exported_mg + f.taken_out_mg - f.put_in_mg
        assert min(f.imported_mg, f.exported_mg, f.taken_out_mg, f.put_in_mg) >= 0
        assert (f.location_mg >= 0).all()
        assert f.exported_mg == 0 or r.export_wh.sum() > r.import_wh.sum()
        put_in += f.put_in_mg
        taken_out += f.taken_out_mg
        assert result.lots.columns[:, :, LOCATION].sum() == put_in - taken_out


@given(neighbourhoods(), st.booleans())
def test_market_based_carbon_is_generation_and_residual_less_what_left_or_was_stored(homes, large):
    for slot, result, lots in lived(homes, large=large):
        r = slot.readings
        pv_g, _, residual_g = slot.factors
        imports, exports = int(r.import_wh.sum()), int(r.export_wh.sum())
        arose = int(r.generation_wh.sum()) * pv_g + max(imports - exports, 0) * residual_g
        stored = int(result.lots.columns[:, :, MARKET].sum() - lots.columns[:, :, MARKET].sum())
        used = int(result.footprints.market_mg.sum()) + stored
        left = sum(mg for *_, state, mg in rows(result.certificates) if state == HELD)
        assert (result.footprints.market_mg >= 0).all()
        own = int(slot.delivery.both_ways_wh.sum())
        if own:  # given to the supplier with its certificates, taken from it at the residual mix
            assert used + left <= arose + own * residual_g
        elif imports >= exports:
            assert used == arose
            assert left == 0
        else:  # what uncertified storage took along has no certificate that would say so
            assert used + left <= arose


@given(neighbourhoods(), st.booleans())
def test_a_member_that_uses_only_certificates_has_their_footprint(homes, large):
    for slot, result, _ in lived(homes, large=large):
        claimed = energy(result.certificates, len(slot.readings.import_wh) + 1, "owner", CLAIMED)
        for k, consumption in enumerate(slot.readings.consumption_wh.tolist()):
            mine = sum(mg for _, _, _, owner, state, mg in rows(result.certificates) if owner == k and state == CLAIMED)
            assert result.footprints.market_mg[k] >= mine
            if claimed[k] == consumption:
                assert result.footprints.market_mg[k] == mine


@given(neighbourhoods(), st.booleans())
def test_an_exporting_slot_splits_each_source_between_users_and_supplier_pro_rata(homes, large):
    for slot, result, lots in lived(homes, large=large):
        members = len(slot.readings.import_wh)
        _, drawn = lots.take(homes.devices.drawn_wh(slot.readings.discharge_wh))
        sources = exported_sources(slot, drawn)
        exported = [wh for _, _, wh in sources]
        assert sum(exported) == slot.readings.export_wh.sum()
        local = share(local_wh(slot, sources), exported)
        expected = [0] * 2 * members
        for (device, certified, wh), stays in zip(sources, local, strict=True):
            if certified:
                expected[device] += wh - stays
        assert energy(result.certificates, 2 * members, "device", HELD) == expected


@given(neighbourhoods())
def test_users_share_a_source_by_the_local_energy_they_used(homes):
    for slot, result, lots in lived(homes, large=False):
        _, drawn = lots.take(homes.devices.drawn_wh(slot.readings.discharge_wh))
        sources = exported_sources(slot, drawn)
        local = share(local_wh(slot, sources), [s[2] for s in sources])
        room = slot.readings.import_wh.tolist()
        for (device, certified, _), stays in zip(sources, local, strict=True):
            parts = [int(part) for part in share_capped(stays, slot.delivery.local_use_wh, np.array(room, np.int64))]
            room = [most - part for most, part in zip(room, parts, strict=True)]
            if certified:
                parts[device // 2] = 0  # what a home gave and took back is no neighbour's
                got = [0] * len(parts)
                for its_device, _, wh, owner, state, _ in rows(result.certificates):
                    if its_device == device and owner != device // 2 and state != HELD:
                        got[owner] += wh
                assert got == parts


@given(neighbourhoods())
def test_in_a_large_community_every_user_gets_as_many_wh_as_if_all_sources_were_one(homes):
    for slot, result, lots in lived(homes, large=True):
        _, drawn = lots.take(homes.devices.drawn_wh(slot.readings.discharge_wh))
        sources = exported_sources(slot, drawn)
        local = local_wh(slot, sources)
        parts = [int(p) for p in share_capped(local, slot.delivery.local_use_wh, slot.readings.import_wh)]
        got = [0] * len(parts)
        for device, _, wh, owner, state, _ in rows(result.certificates):
            if owner != device // 2 and state != HELD:
                got[owner] += wh
        if all(certified for _, certified, _ in sources) and not _both(slot.readings).any():
            assert got == parts
        assert all(wh <= part for wh, part in zip(got, parts, strict=True))


@given(neighbourhoods())
def test_flows_behind_the_meter_add_up_to_every_register_in_the_order_of_use(homes):
    for slot in homes.slots:
        r, f = slot.readings, behind_the_meter(slot.readings)
        assert (f.pv_to_load + f.pv_to_charge + f.pv_to_export == r.generation_wh).all()
        assert (f.discharge_to_load + f.discharge_to_export == r.discharge_wh).all()
        assert (f.import_to_load + f.import_to_charge == r.import_wh).all()
        assert (f.pv_to_export + f.discharge_to_export == r.export_wh).all()
        assert (f.pv_to_load + f.discharge_to_load + f.import_to_load == r.consumption_wh).all()
        assert (f.pv_to_charge + f.import_to_charge == r.charge_wh).all()
        columns = (f.pv_to_load, f.pv_to_charge, f.pv_to_export, f.discharge_to_load, f.discharge_to_export)
        assert all((column >= 0).all() for column in (*columns, f.import_to_load, f.import_to_charge))
        served = (f.pv_to_load == r.consumption_wh) | (np.minimum(r.import_wh, r.export_wh) > 0)
        assert (served | (f.pv_to_charge + f.pv_to_export == 0)).all()
        assert (served | (f.pv_to_charge == r.charge_wh) | (f.pv_to_export == 0)).all()


@given(neighbourhoods(), st.booleans())
def test_i14_a_replay_gives_the_same_certificates_and_footprints(homes, large):
    one, two = (
        [
            (r.certificates.digest(), r.footprints.digest(), r.lots.columns.tolist())
            for _, r, _ in lived(homes, large=large)
        ]
        for _ in range(2)
    )
    assert one == two


@given(neighbourhoods(most_members=3))
def test_pure_functions_leave_their_inputs_alone(homes):
    lots = Lots.empty(len(homes.devices.capacity_wh))
    for slot in homes.slots:
        before = (slot.readings.digest(), slot.delivery.digest(), lots.columns.copy())
        result = account(slot.readings, slot.delivery, homes.devices, lots, Factors.whole(*slot.factors))
        assert (slot.readings.digest(), slot.delivery.digest()) == before[:2]
        assert np.array_equal(lots.columns, before[2])
        lots = result.lots
