"""A network that keeps its lines: forecast, prices for batteries, limits in real time, and what it pays for them."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from tests.integration.conftest import call
from tests.integration.test_network import NETWORK, RING, write
from transactive.config.setting import Setting, load_setting
from transactive.core.congestion import Congestion, Interventions, LineLoads, Measure
from transactive.core.errors import ConfigError
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.tariff import Tariff
from transactive.engine.grid.operator import GridOperator
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import replay, slots_from
from transactive.market.network.line_flows import beyond_wh
from transactive.settlement.netted import deliver, post
from transactive.store import Store
from transactive.store.schema import CONGESTION, INTERVENTIONS, LINE_LOADS

MANAGED = "[grid]\nmanage = true\nrisk_ppm = 20_000\n\n"
TIGHT = (
    NETWORK.replace("6_000", "8_000")
    .replace("limit_wh = 700", "limit_wh = 4_800\nlimit_back_wh = 600")
    .replace("900", "2_900")
)


def tight(folder: Path, *, managed: bool = True, mechanism: str = "uniform", network: str = TIGHT) -> Setting:
    """Three homes on lines that carry their load, but not all of their sun."""
    change = ('mechanism = "locational"', f'mechanism = "{mechanism}"')
    return load_setting(write(folder, change, network=network + MANAGED * managed))


class Watched:
    """A walk with all that its operator said."""

    def __init__(self, setting: Setting) -> None:
        self.walk = recorded_run(setting, slots_from(setting))
        assert isinstance(self.walk.operator, GridOperator)
        self.operator, self.forecasts = self.walk.operator, dict[tuple[int, bool], Congestion]()
        self.operator.told = self.hear
        self.slots: list[tuple[SlotBook, LineLoads, Interventions]] = []
        self.walk.run(lambda record: self.slots.append((record, *self.operator.report)))

    def hear(self, seen: Congestion, ahead: bool) -> None:
        for place, slot in enumerate(seen.slots.tolist()):
            self.forecasts[slot, ahead] = seen.at(place)


@pytest.fixture(scope="module", params=["tree with losses", "ring"])
def watched(request, tmp_path_factory) -> tuple[Watched, Watched]:
    """The same days unmanaged and managed."""
    ring = RING.replace("limit_wh = 300", "limit_wh = 4_000\nlimit_back_wh = 400").replace("900", "2_900")
    ring = ring.replace("limit_wh = 200", "limit_wh = 1_500")
    network = TIGHT if request.param == "tree with losses" else ring
    plain, managed = (
        Watched(tight(tmp_path_factory.mktemp("grid"), managed=on, network=network)) for on in (False, True)
    )
    return plain, managed


def test_lines_that_pass_their_limits_keep_them_when_managed(watched) -> None:
    plain, managed = watched
    network = managed.operator.site.network
    assert plain.walk.tally.slots_over > 3
    assert managed.walk.tally.slots_over == 0
    assert managed.walk.tally.would_be_over > 0
    assert managed.walk.tally.curtailed_wh > 0
    assert all(not beyond_wh(network, loads.flow_wh).any() for _, loads, _ in managed.slots)
    assert plain.walk.tally.flexibility_n == plain.walk.tally.curtailment_n == plain.walk.tally.curtailed_wh == 0
    assert sum(done.energy_of(Measure.OPEN) > 0 for _, _, done in plain.slots) == plain.walk.tally.slots_over


def test_the_network_pays_for_what_it_asks_and_the_books_balance(watched) -> None:
    walk = watched[1].walk
    assert walk.tally.energy_residual_wh == walk.tally.money_residual_n == 0
    for record, _, done in watched[1].slots:
        postings = record.postings
        for kind, measures in (
            (PostingKind.FLEXIBILITY, (Measure.CALL, Measure.MOVE)),
            (PostingKind.CURTAILMENT, (Measure.CURTAIL,)),
        ):
            rows = postings.kind == kind
            assert (postings.payer[rows] == walk.accounts.network).all()
            assert (postings.payee[rows] < walk.accounts.members).all()
            assert int(postings.amount_n[rows].sum()) == sum(done.amount_of(measure) for measure in measures)
            assert (postings.amount_n[rows] == postings.energy_wh[rows] * postings.price[rows]).all()
        held = postings.energy_wh[postings.kind == PostingKind.CURTAILMENT].sum()
        assert held == done.energy_of(Measure.CURTAIL)
        assert (postings.price[postings.kind == PostingKind.CURTAILMENT] == 250_000).all()  # supply − fee
    paid = walk.tally.flexibility_n + walk.tally.curtailment_n
    assert paid == sum(int(done.amount_n.sum()) for _, _, done in watched[1].slots) > 0


def test_certificates_are_issued_for_what_was_made_after_curtailment(watched) -> None:
    setting, held = watched[1].walk.setting, 0
    for record, _, done in watched[1].slots:
        row = watched[1].walk.known.row(record.readings.slot)
        possible = setting.measured.generation_wh[row]
        missing = possible - record.readings.generation_wh
        assert (missing >= 0).all()
        assert int(missing.sum()) == done.energy_of(Measure.CURTAIL)
        pv = record.certificates.device % 2 == 0
        assert int(record.certificates.energy_wh[pv].sum()) == int(record.readings.generation_wh.sum())
        held += int(missing.sum())
    assert held == watched[1].walk.tally.curtailed_wh


def test_a_forecast_of_lines_knows_nothing_later_than_its_time(watched) -> None:
    plain = watched[0]
    changed = plain.walk.setting.measured.consumption_wh.copy()
    noon = plain.walk.slots[12]
    changed[plain.walk.known.row(noon) :] += 900
    other = replace(plain.walk.setting, measured=replace(plain.walk.setting.measured, consumption_wh=changed))
    again = Watched(other)
    same = [key for key in plain.forecasts if plain.walk.clock.gate(key[0]) <= noon and key[0] <= noon + 3600]
    assert len(same) > 20
    assert all(plain.forecasts[key].digest() == again.forecasts[key].digest() for key in same)
    assert any(plain.forecasts[key].digest() != again.forecasts[key].digest() for key in plain.forecasts)


def test_who_is_held_back_never_loses_by_it(watched) -> None:
    """With what the network pays, a member has at least what the slot would have brought it with all of its sun."""
    walk, held = watched[1].walk, 0
    for record, _, _ in watched[1].slots:
        rows = record.postings.kind == PostingKind.CURTAILMENT
        members, cut = record.postings.payee[rows], record.postings.energy_wh[rows]
        for member, wh in zip(members.tolist(), cut.tolist(), strict=True):
            more = record.readings.export_wh.copy()
            more[member] += wh
            free = deliver(record.positions, replace(record.readings, export_wh=more))
            would = post(free, record.positions, record.tariff, walk.accounts).net_n(walk.accounts.total)
            was = post(record.delivery, record.positions, record.tariff, walk.accounts).net_n(walk.accounts.total)
            paid = int(record.postings.amount_n[rows][members == member].sum())
            assert int(was[member]) + paid >= int(would[member])
            held += 1
    assert held >= 3


@pytest.mark.parametrize("mechanism", ["locational", "pay_as_bid", "continuous"])
def test_lines_are_kept_whatever_the_mechanism(tmp_path: Path, mechanism: str) -> None:
    walk = recorded_run(setting := tight(tmp_path, mechanism=mechanism), slots_from(setting))
    walk.run()
    assert walk.tally.slots_over == walk.tally.money_residual_n == walk.tally.energy_residual_wh == 0
    assert walk.tally.would_be_over > 0


@pytest.mark.long
def test_an_interrupted_run_keeps_the_prices_of_its_lines(tmp_path: Path) -> None:
    def stop(record: SlotBook) -> None:
        if record.readings.slot == slots[after]:
            raise KeyboardInterrupt

    setting = tight(tmp_path, network=TIGHT.replace("limit_wh = 4_800", "limit_wh = 3_500"))
    slots, hashes = slots_from(setting)[:26], []
    for after in (0, 9):
        folder = tmp_path / str(after)
        if after:
            with pytest.raises(KeyboardInterrupt):
                replay(setting, slots, folder, seed="x", after_slot=stop)
        outcome, _ = replay(setting, slots, folder, seed="x")
        hashes.append(outcome.summary.state_hash)
        grid = outcome.summary.grid
        assert grid is not None
        assert grid.called_wh > 0
        hashes[-1] += str(grid)
    assert len(set(hashes)) == 1
    look_at_the_database(tmp_path / "9", setting, len(slots))
    statement = tmp_path / "c.json"
    assert call("statement", "--state", tmp_path / "9", "--member", "c", "-o", statement).code == 0
    assert f",{int(PostingKind.CURTAILMENT)}," in statement.read_text().replace("[", ",")
    assert call("verify", statement, "--state", tmp_path / "9").code == 0


def look_at_the_database(folder: Path, setting: Setting, slots: int) -> None:
    """Every slot has its loads and both forecasts; what was done adds up to the summary."""
    with closing(Store(folder)) as store:
        lines = 3
        assert len(store.rows(sa.select(LINE_LOADS))) == slots * lines
        assert len(store.rows(sa.select(CONGESTION))) == 2 * slots * lines
        done = store.rows(sa.select(INTERVENTIONS))
        assert {row["kind"] for row in done} >= {Measure.CALL, Measure.CURTAIL}
        assert all(row["energy_wh"] > 0 and row["homes"] > 0 for row in done if row["kind"] != Measure.OPEN)


def test_a_rate_of_compensation_stands_in_the_community_file(tmp_path: Path) -> None:
    text = "[grid]\nmanage = true\ncompensation_micro_per_kwh = 123_000\nmost_call_micro_per_kwh = 0\n\n"
    change = ('mechanism = "locational"', 'mechanism = "uniform"')
    setting = load_setting(write(tmp_path, change, network=TIGHT + text))
    walk, prices = recorded_run(setting, slots_from(setting)), set[int]()
    walk.run(
        lambda record: prices.update(record.postings.price[record.postings.kind == PostingKind.CURTAILMENT].tolist())
    )
    assert prices == {123_000}
    assert walk.tally.flexibility_n == walk.tally.called_wh == 0
    assert walk.tally.moved_wh > 0


def test_management_without_lines_is_refused(tmp_path: Path) -> None:
    change = (('mechanism = "locational"', 'mechanism = "uniform"'), ('node = "north"\n', ""), ('node = "south"\n', ""))
    with pytest.raises(ConfigError, match=r"grid.manage needs lines; add \[network\]"):
        load_setting(write(tmp_path, *change, ('node = "north"\n', ""), network=MANAGED))


def test_load_that_no_device_can_serve_stays_and_is_told(tmp_path: Path) -> None:
    setting = tight(tmp_path, network=TIGHT.replace("limit_wh = 2_900", "limit_wh = 600\nlimit_back_wh = 2_900"))
    seen = Watched(setting)
    assert seen.walk.tally.slots_over > 3
    for record, loads, done in seen.slots:
        over = np.abs(beyond_wh(seen.operator.site.network, loads.flow_wh))
        assert done.energy_of(Measure.OPEN) == over.sum()
        row = seen.walk.known.row(record.readings.slot)
        assert record.readings.consumption_wh.tolist() == setting.measured.consumption_wh[row].tolist()


def test_a_tariff_below_zero_compensates_nothing(tmp_path: Path) -> None:
    operator = Watched(tight(tmp_path)).operator
    assert not operator.post(operator.report[0].slot, Tariff(-1, -100, 50)).price.any()
