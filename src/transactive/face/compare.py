"""`transactive.compare`: the same days under several mechanisms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import msgspec

from transactive.core.units import kwh_text, money_text
from transactive.face.frames import Frame, Library, giving, table, timed
from transactive.face.load import LoadedCommunity, load
from transactive.face.simulate import slots_of
from transactive.face.spoken import spoken
from transactive.insight.studies.comparison import Comparison
from transactive.studies.compare import able_of, mechanisms_for, variants
from transactive.studies.compare import compare as compare_variants

if TYPE_CHECKING:
    import polars as pl

APART = ("prices", "saved", "clearing_ms")
"""What has a table of its own, and a time, which no two runs share."""


@dataclass(frozen=True, eq=False, repr=False)
class ComparedMechanisms:
    """The same days under several mechanisms; printed, it is a line for each.

    figures: a row for each: orders, energy, welfare, bills, savings, fairness, what lying brings, gas, as
    docs/concepts/compare.md defines them. prices: of each slot under each [µ¤/kWh], None without a trade. savings: of
    each member under each [n¤].
    """

    figures: Frame
    prices: Frame
    savings: Frame
    _summary: str

    def __repr__(self) -> str:
        return self._summary


@spoken
def compare(
    community: LoadedCommunity | str | PathLike[str],
    mechanisms: Sequence[str] | None = None,
    days: int | None = None,
    *,
    start: str | None = None,
    carbon_prices: Sequence[int] | None = None,
    levies: Sequence[str] | None = None,
    workers: int = 1,
    frames: Library | None = None,
    floats: bool = False,
) -> ComparedMechanisms:
    """Run the same days under several mechanisms, with prices of carbon and levies of choice.

    Examples
    --------
    >>> import transactive as ta
    >>> ta.compare("demo", ["uniform", "pay_as_bid"], days=1)
    Demo community: 14 members, 24 slots from 2017-06-05T00:00Z
      uniform     29.8 kWh traded, members saved 1.84 USD together, worse off: 4
      pay_as_bid  29.8 kWh traded, members saved 1.84 USD together, worse off: 4

    Parameters
    ----------
    community
        As `load` gives it, or what `load` takes.
    mechanisms
        Names of mechanisms; without them all that the community can settle at.
    days
        Days to run; without it all that the community file asks for, a week of the demo.
    start
        First slot, like 2017-06-05T00:00Z; without it the file's, or the first with a day of history.
    carbon_prices
        What a tonne less is worth to each member, in whole ¤: each mechanism runs under each.
    levies
        Levies of carbon: off, shadow, floor or fixed: each mechanism runs under each.
    workers
        Processes; more than 1 only from a program that guards its start with `if __name__ == "__main__"`.
    frames
        Library of the results, polars or pandas; without it the community's.
    floats
        Add columns in kWh, ¤/kWh, ¤ and kg beside the whole numbers.

    Returns
    -------
    ComparedMechanisms
        Tables of figures, prices and savings; the same call gives equal tables.

    Raises
    ------
    ConfigError
        For a mechanism, price or levy that cannot be.
    DataError
        For days that the readings do not have.
    """
    loaded = community if isinstance(community, LoadedCommunity) else load(community)
    give = giving(frames or loaded.frames, floats=floats)
    slots = slots_of(loaded, start, days)
    names = mechanisms_for(mechanisms, **able_of(loaded.setting.community))
    chosen = variants(names, carbon_prices or (None,), levies or (None,))
    found = compare_variants(loaded.setting, slots, chosen, workers=workers, timer=lambda: 0.0)
    return ComparedMechanisms(
        give(_figures(found)),
        give(timed(_prices(found, slots), "slot_start", loaded.zone)),
        give(_savings(found)),
        _in_words(found),
    )


def _figures(found: Comparison) -> pl.DataFrame:
    """A row for each variant; money is a whole number here, as int64 holds it."""
    rows = [msgspec.structs.asdict(one) for one in found.mechanisms]
    columns = {_titled(name): [_whole(name, row[name]) for row in rows] for name in rows[0] if name not in APART}
    return table(columns, numbers=["congested_slots", "carbon_price_per_t"])


def _titled(name: str) -> str:
    """A column's name with its unit."""
    return {"name": "mechanism", "price": "price_micro_per_kwh", "price_jump": "price_jump_micro_per_kwh"}.get(
        name, name
    )


def _whole(name: str, value: Any) -> Any:  # noqa: ANN401 - a figure of any kind
    """A figure with money as a whole number instead of text."""
    return int(value) if name.endswith("_n") else value


def _prices(found: Comparison, slots: range) -> pl.DataFrame:
    """A row for each variant and slot."""
    return table(
        {
            "slot_start": [slot for _ in found.mechanisms for slot in slots],
            "mechanism": [one.label for one in found.mechanisms for _ in slots],
            "price_micro_per_kwh": [price for one in found.mechanisms for price in one.prices],
        }
    )


def _savings(found: Comparison) -> pl.DataFrame:
    """A row for each variant and member."""
    return table(
        {
            "member": [member for _ in found.mechanisms for member in found.members],
            "mechanism": [one.label for one in found.mechanisms for _ in found.members],
            "saved_n": [int(saved) for one in found.mechanisms for saved in one.saved],
        }
    )


def _in_words(found: Comparison) -> str:
    """A line for each variant."""
    width = max(len(one.label) for one in found.mechanisms)
    lines = [
        f"  {one.label:<{width}}  {kwh_text(one.traded_wh)} kWh traded, members saved"
        f" {money_text(int(one.saved_n), found.currency)} together, worse off: {one.members_worse_off}"
        for one in found.mechanisms
    ]
    return "\n".join(
        [f"{found.community}: {len(found.members)} members, {found.slots} slots from {found.first_slot}", *lines]
    )
