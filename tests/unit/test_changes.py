"""Rules that change from a slot on: what a block may say, and the version that holds in a slot."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_tariff_prices import HOUR, NUMBERS, START, community, prices
from transactive.config.community_file import load
from transactive.config.setting import Setting
from transactive.config.shipped import EXAMPLE
from transactive.core.community.carbon_rules import LevyRules
from transactive.core.community.changes import records
from transactive.core.community.changes.versions import Versions, digest
from transactive.core.community.members import Member
from transactive.core.community.rules import AccountRules
from transactive.core.community.sharing_rules import SharingRules
from transactive.core.community.tariff_rules import TariffRules
from transactive.core.errors import ConfigError

PAIRS: list[tuple[type[msgspec.Struct], type[msgspec.Struct]]] = [
    (records.TariffChange, TariffRules),
    (records.SharingChange, SharingRules),
    (records.AccountChange, AccountRules),
    (records.LevyChange, LevyRules),
    (records.MemberChange, Member),
]
TARIFF = NUMBERS + 'network_fee = "3 ct/kWh"\n'
RULES = load(EXAMPLE)
FROM = """
[[from]]
slot = "2024-06-09T00:00Z"
[from.tariff]
supply = "31 ct/kWh"
"""


def with_changes(folder: Path, blocks: str, tariff: str = TARIFF) -> Setting:
    """The community of `test_tariff_prices`, with blocks of changes at the end of its tariff."""
    return community(folder, tariff + blocks)


@pytest.mark.parametrize(("change", "of"), PAIRS)
def test_a_change_takes_what_the_key_that_it_changes_takes(change, of):
    wanted, there = (get_type_hints(record, include_extras=True) for record in (change, of))
    for key, kind in wanted.items():
        if key != "id":
            assert kind == there[key] | None, key


def test_prices_change_with_the_slot_and_stay_for_the_rest(tmp_path):
    setting = with_changes(tmp_path, FROM)
    assert prices(setting, "supply", range(22, 26)) == [280_000, 280_000, 310_000, 310_000]
    assert prices(setting, "fee", range(22, 26)) == [30_000] * 4
    assert setting.community.at(START).tariff.supply_micro_per_kwh == 280_000
    assert setting.community.at(START + 24 * HOUR).tariff.supply_micro_per_kwh == 310_000


def test_a_change_can_bring_times_in_place_of_a_number_and_back(tmp_path):
    blocks = (
        FROM
        + """
[[from]]
slot = "2024-06-09T12:00Z"
[from.tariff]
network_fee = [[0, "2 ct/kWh"], [18, "5 ct/kWh"]]
[[from]]
slot = "2024-06-10T00:00Z"
[from.tariff]
network_fee = "1 ct/kWh"
"""
    )
    fee = prices(with_changes(tmp_path, blocks), "fee", range(72))
    assert fee == [30_000] * 36 + [20_000] * 6 + [50_000] * 6 + [10_000] * 24


def test_the_past_has_the_prices_of_a_file_without_the_change(tmp_path):
    (tmp_path / "now").mkdir()
    changed, plain = with_changes(tmp_path / "now", FROM), with_changes(tmp_path, "")
    end = START + 24 * HOUR
    then = changed.until(end)
    assert then.community == plain.community
    assert then.prices is None
    assert then.environment.digest() == plain.until(end).environment.digest()


def test_members_change_by_id_and_versions_are_named_by_their_content(tmp_path):
    blocks = """
[[from]]
slot = "2024-06-09T00:00Z"
[[from.members]]
id = "adam"
never_pay_above = "20 ct/kWh"
[[from]]
slot = "2024-06-10T00:00Z"
[from.carbon.levy]
mode = "fixed"
"""
    versions = with_changes(tmp_path, blocks).community.versions
    limits = [[member.never_pay_above_micro_per_kwh for member in rules.members] for rules in versions.rules]
    assert limits[0] != limits[1] == limits[2]
    assert [rules.carbon.levy.mode for rules in versions.rules] == ["off", "off", "fixed"]
    assert len({digest(rules) for rules in versions.rules}) == 3
    assert not any(rules.changes for rules in versions.rules)


@given(starts=st.lists(st.integers(0, 40), unique=True, max_size=6), first=st.integers(0, 40), many=st.integers(1, 40))
def test_spans_cover_all_slots_once_each_with_its_version(starts, first, many):
    versions = Versions((-(2**62), *sorted(starts)), (RULES,) * (len(starts) + 1))
    slots = range(first, first + many)
    assert [(slot, number) for number, own in versions.spans(slots) for slot in own] == [
        (slot, versions.number(slot)) for slot in slots
    ]


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        (FROM.replace("00:00Z", "00:20Z"), r"from\[0\]\.slot = .* does not start a slot of 60 minutes"),
        (FROM.replace("T00:00Z", ""), r"from\[0\]\.slot: .* has no zone"),
        (FROM + FROM, r"from\[1\]\.slot = .* is not after the block before"),
        ('[[from]]\nslot = "2024-06-09T00:00Z"\n', r"from\[0\] changes nothing"),
        (FROM.replace("supply", "suply"), r"unknown key from\[0\]\.tariff\.suply; did you mean supply"),
        (FROM.replace("[from.tariff]\nsupply", "[from.market]\nslot_minutes"), r"unknown key from\[0\]\.market; known"),
        (FROM.replace('"31 ct/kWh"', '"31 ct"'), r"from\[0\]\.tariff\.supply is '31 ct'"),
        (FROM.replace("[from.tariff]\nsupply", "[from.sharing]\nprice"), r"from\[0\]\.sharing: .* no \[sharing\]"),
        (
            FROM.replace("supply", "network_fee").replace("31", "-1"),
            "from 2024-06-09T00:00Z: tariff.network_fee.* below 0",
        ),
        (
            '[[from]]\nslot = "2024-06-09T00:00Z"\n[[from.members]]\nid = "eve"\nshare = "5 %"\n',
            r"from\[0\]\.members\[0\]\.id = 'eve' is no member",
        ),
        (
            '[[from]]\nslot = "2024-06-09T00:00Z"\n[[from.members]]\nid = "adam"\nuntil = "2024-06-08T00:00Z"\n',
            r"from\[0\]\.members\[0\]\.until = .* is before .*never change backwards",
        ),
        (
            '[[from]]\nslot = "2024-06-09T00:00Z"\n[[from.members]]\nid = "adam"\nsince = "2024-06-10T00:00Z"\n',
            r"from\[0\]\.members\[0\]\.since: adam was a member before .*an entry of its own",
        ),
        (
            (
                '[[from]]\nslot = "2024-06-09T00:00Z"\n[[from.members]]\nid = "adam"\nuntil = "2024-06-10T00:00Z"\n'
                '[[from]]\nslot = "2024-06-12T00:00Z"\n[[from.members]]\nid = "adam"\nuntil = "2024-06-20T00:00Z"\n'
            ),
            r"from\[1\]\.members\[0\]\.until: adam was a member before",
        ),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused_by_name(tmp_path, blocks, said):
    with pytest.raises(ConfigError, match=said):
        with_changes(tmp_path, blocks)
