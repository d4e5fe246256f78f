"""A community under any mechanism: a day of the demo to the books' end, on chain, and gone on with after a stop."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.integration.conftest import START
from transactive.config.community_file import load
from transactive.config.setting import Setting
from transactive.config.shipped import EXAMPLE
from transactive.core.errors import ConfigError
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import replay, slots_of
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.store.read.totals import Counter
from transactive.web.pages.slot import slot_page
from transactive.web.viewers import OWNER


def under(setting: Setting, mechanism: str) -> Setting:
    """The same community and data under another mechanism."""
    market = msgspec.structs.replace(setting.community.market, mechanism=mechanism)
    return replace(setting, community=msgspec.structs.replace(setting.community, market=market))


def test_a_day_settles_at_many_prices(demo_setting, tmp_path):
    """That it goes on where it stopped is seen in `test_everything_on.py`."""
    setting, records = under(demo_setting, "pay_as_bid"), list[SlotBook]()
    slots = slots_of(setting, parse_time(START), 1)
    whole, _ = replay(setting, slots, tmp_path / "whole", seed="transactive", after_slot=records.append)
    assert whole.summary.ledger_equals_chain
    assert (whole.summary.energy_residual_wh, whole.summary.money_residual_n) == (0, "0")
    assert whole.summary.mechanism == "pay_as_bid"
    busiest = max(records, key=lambda record: len(set(record.positions.price.tolist())))
    assert len(set(busiest.positions.price.tolist())) > 1
    _slot_view(tmp_path / "whole", busiest)


def _slot_view(folder: Path, record: SlotBook) -> None:
    """The page of a slot with many prices says what each order was paid, and adds up to its postings."""
    with closing(Store(folder)) as store:
        reader, slot = Reader(store), record.readings.slot
        run = reader.run()
        assert run is not None
        totals = Counter(reader).totals(run, reader.position())
        context = slot_page(reader, run, reader.position(), totals, OWNER, slot=slot, idle=0)
        assert "on average" in context["text"]
        reasons = {cells[5].split()[0] for home in context["orders"]["homes"] for cells in home["rows"]}
        assert "pays" in reasons
        rows = reader.orders(slot)
    paid = sum(row["money_n"] for row in rows if row["is_buy"])
    bought = record.postings.kind == PostingKind.BOUGHT
    assert -paid == int(record.postings.amount_n[bought].sum()) > 0


def test_prices_by_location_are_refused_without_a_network(tmp_path):
    text = (tmp_path / "community.toml").write_text
    text(EXAMPLE.read_text().replace('mechanism = "uniform"', 'mechanism = "locational"'))
    with pytest.raises(ConfigError, match="'locational' needs a network"):
        load(tmp_path / "community.toml")


def test_members_of_a_community_get_what_they_prefer_for_a_premium(demo_setting):
    """House 2 pays for house 1's energy, house 3 for what is local to house 1; the rest take what comes."""
    setting = under(demo_setting, "preferences")
    first, second, third, *others = setting.community.members
    change = msgspec.structs.replace
    second = change(second, prefer="partner", partner=first.id, premium_micro_per_kwh=9_000)
    third, first = change(third, prefer="local", zone="north", premium_micro_per_kwh=9_000), change(first, zone="north")
    community = change(setting.community, members=(first, second, third, *others))
    slots, records = slots_of(setting, parse_time(START), 2), list[SlotBook]()
    recorded_run(replace(setting, community=community), slots).run(records.append)
    paid = 0
    for record in records:
        held = record.positions
        lowest = held.price.min(initial=1 << 62)
        above = held.energy_wh * (held.price - lowest)
        assert not above[~np.isin(held.member, (0, 1, 2))].any()
        assert above[held.is_buy].sum() == above[~held.is_buy].sum()
        paid += int(above[held.is_buy].sum())
    assert paid > 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('prefer = "solar"', "prefer is 'solar'; choose green, local, partner"),
        ('prefer = "local"', 'ada: zone is missing; who prefers "local"'),
        ('prefer = "partner"', 'ada: prefer = "partner" and partner go together'),
        ('prefer = "partner"\npartner = "ada"', "ada: partner = 'ada' is no other member"),
        ("premium_micro_per_kwh = 5", "ada: premium_micro_per_kwh is for nothing"),
    ],
)
def test_wrong_wishes_are_named(tmp_path, line, message):
    path = tmp_path / "community.toml"
    path.write_text(EXAMPLE.read_text().replace('id = "ada"', f'id = "ada"\n{line}', 1))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert message in str(caught.value)
