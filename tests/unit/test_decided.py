"""Numbers that members decided on become versions of a community's rules, beside those of its file."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.chain.deployments.deployment import Deployed, Deployment
from transactive.config.changes import check_changes
from transactive.config.community_file import load
from transactive.config.shipped import EXAMPLE
from transactive.core.community.changes.records import RulesChange, TariffChange
from transactive.core.errors import ConfigError, InputError, TransactiveError
from transactive.core.governance.decided import Decided, holding_from, standing, with_decided
from transactive.core.governance.numbers import BY_NAME, NUMBERS, bounds_of, numbers_written, values_of
from transactive.core.slots import parse_time, time_text
from transactive.engine.governance.decided_rules import take_up
from transactive.engine.governance.recorded_rules import recorded
from transactive.store.databases.place import FILE, POINTER
from transactive.store.databases.postgresql import Pointer

COMMUNITY = load(EXAMPLE)
LENGTH, BEGIN = COMMUNITY.clock.length, parse_time("2027-01-01T00:00Z")
FEE = BY_NAME["network-fee"]


def decided(value: int, slot: int, at: int = 0, number: str = "network-fee") -> Decided:
    since = BEGIN + slot * LENGTH
    return Decided(number=number, value=value, since=since, holds_from=since, block=at, block_hash="0x", at=BEGIN + at)


def test_a_decision_holds_from_its_slot_on():
    made = with_decided(COMMUNITY, [decided(28_000, 5)])
    slots = [BEGIN + slot * LENGTH for slot in (4, 5, 6)]
    assert [FEE.of(made.at(slot)) for slot in slots] == [FEE.of(COMMUNITY), 28_000, 28_000]
    check_changes(made)
    assert with_decided(COMMUNITY, []) == COMMUNITY


def test_a_later_decision_replaces_one_that_does_not_hold_yet():
    first, second = decided(28_000, 5), decided(29_000, 9, at=2 * LENGTH)
    assert standing([first, second]) == [second]
    held = decided(29_000, 9, at=6 * LENGTH)
    assert standing([first, held]) == [first, held]
    assert standing([first, decided(2, 9, at=1, number="levy-mode")])[0] == first


def test_what_the_file_says_for_the_same_slot_stays():
    slot = time_text(BEGIN)
    tariff = TariffChange(feed_in_micro_per_kwh=70_000)
    written = msgspec.structs.replace(COMMUNITY, changes=(RulesChange(slot=slot, tariff=tariff),))
    made = with_decided(written, [decided(28_000, 0), decided(2, 0, number="levy-mode")]).at(BEGIN)
    assert (made.tariff.feed_in_micro_per_kwh, FEE.of(made), made.carbon.levy.mode) == (70_000, 28_000, "floor")


def test_the_file_changes_no_number_that_members_decide_on():
    tariff = TariffChange(network_fee_micro_per_kwh=1)
    written = msgspec.structs.replace(COMMUNITY, changes=(RulesChange(slot=time_text(BEGIN), tariff=tariff),))
    with pytest.raises(ConfigError, match="network-fee is what members decide on"):
        with_decided(written, [decided(28_000, 0)])
    before = with_decided(written, [decided(28_000, 3)])  # before they did, it could
    assert FEE.of(before.at(BEGIN)) == 1


@given(since=st.integers(0, 10**10), open_from=st.integers(0, 10**6))
def test_nothing_holds_before_its_time_nor_in_a_slot_whose_gate_is_closed(since, open_from):
    found = holding_from(since, LENGTH, open_from * LENGTH)
    assert found % LENGTH == 0
    assert found >= max(since, open_from * LENGTH)
    assert found - LENGTH < max(since, open_from * LENGTH)


def test_bounds_hold_where_a_community_stands_and_fix_what_it_does_not_have():
    for number, (low, high, step), value in zip(NUMBERS, bounds_of(COMMUNITY), values_of(COMMUNITY), strict=True):
        assert low <= value <= high
        assert (step > 0) == (number.of(COMMUNITY) is not None)


def test_a_state_on_a_server_is_asked_too(tmp_path):
    """No decision is forgotten because the folder holds only a pointer to where the state lies."""
    lies = Pointer("postgresql://nobody@127.0.0.1:1/none", "transactive_0")
    (tmp_path / POINTER).write_bytes(msgspec.json.encode(lies))
    with pytest.raises(TransactiveError):
        recorded(tmp_path)


def test_decisions_are_kept_where_the_community_file_wants_the_state(tmp_path):
    contracts = {"governor": Deployed(address="0x" + "00" * 20, code_keccak="0x")}
    contracts |= dict.fromkeys(("settlement", "currency", "disputes"), contracts["governor"])
    known = Deployment(community="c", currency="EUR", chain_id=1, block=0, accounts=(), contracts=contracts)
    known.save(tmp_path / "deployment.json")
    with pytest.raises(TransactiveError):
        take_up(tmp_path, "http://127.0.0.1:1", tmp_path / "deployment.json", 3600, "postgresql://a@127.0.0.1:1/none")
    assert not (tmp_path / FILE).exists()


def test_a_number_is_proposed_once():
    assert numbers_written(["network-fee=28000", "levy-mode=floor"]) == {"network-fee": 28_000, "levy-mode": 2}
    with pytest.raises(InputError, match="given twice"):
        numbers_written(["network-fee=28000", "network-fee=29000"])
    with pytest.raises(InputError, match="too large"):
        numbers_written(["network-fee=99999999999999999999"])
