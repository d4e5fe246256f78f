"""The compare page: which mechanism is better on the same days, for whom, and how to repeat it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from transactive.core.slots import parse_time
from transactive.core.units import money_text
from transactive.insight.studies.comparison import Comparison, MechanismFigures, Variant
from transactive.insight.studies.measures import measures_of
from transactive.texts.formatting import Words, counted, percent
from transactive.texts.shell import word
from transactive.web.charts.compare import price_chart, savings_chart, scale
from transactive.web.pages.parts.compare_carbon import carbon_text, carbon_title

ALIKE = 20
"""Sums of savings hardly differ where the least is within one part in so many of the most."""
NAMES = {
    "sharing": ("Sharing by keys", "no market"),
    "uniform": ("Uniform price", "one price a slot"),
    "pay_as_bid": ("Pay as bid", "each pays its own limit"),
    "continuous": ("Continuous", "in order of arrival"),
    "listings": ("Listings", "fixed-price offers"),
    "direct": ("Direct", "members agree themselves"),
    "preferences": ("Preferences", "green, local, partner first"),
    "balance": ("Balance price", "steers to balance"),
    "locational": ("By location", "a price each node"),
}
"""Ours in words; a mechanism of somebody else has the name that it was installed by."""


def compare_page(
    comparison: Comparison | None, folder: Path, zone: tzinfo, percent_done: int | None = None
) -> dict[str, Any]:
    """Everything that the page shows.

    folder: of the state, for the command that fills or repeats it. zone: of the times. percent_done: of a comparison
    that is being made.
    """
    if comparison is None:
        command = f"transactive compare demo --state {word(folder)}"
        return {"compared": None, "percent_done": percent_done, "command": command}
    words, first = Words(comparison.currency, zone), parse_time(comparison.first_slot)
    mechanisms = comparison.mechanisms
    names = [label_of(figures) for figures in mechanisms]
    top = scale(comparison, words)
    last = first + (comparison.slots - 1) * comparison.slot_minutes * 60
    days = " to ".join(dict.fromkeys((words.short_day(first), words.short_day(last))))
    return {
        "compared": comparison,
        "words": words,
        "title": _title(comparison),
        "text": _text(comparison),
        "first": first,
        "when": f"{days}, {words.zone_text(first)}",
        "orders": _orders(mechanisms),
        "heads": [_head(figures) for figures in mechanisms],
        "rows": _rows(comparison, words),
        "prices": [
            (name, price_chart(figures, comparison, first, top, words, name))
            for name, figures in zip(names, mechanisms, strict=True)
        ],
        "price_rows": _price_rows(comparison, first, words),
        "savings": savings_chart(comparison, names),
        "saving_rows": [
            (member, *(money_text(int(figures.saved[k])) for figures in mechanisms))
            for k, member in enumerate(comparison.members)
        ],
        "added_heads": ["Member", *(f"={name} [{comparison.currency}]" for name in comparison.added)],
        "added_rows": _added_rows(comparison),
        "lies": _lies(comparison, names, words),
        "price_heads": [f"={name}" for name in names],
        "saving_heads": [f"={name} [{comparison.currency}]" for name in names],
        "command": _command(comparison, folder),
    }


def _added_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """What each market would have added to sharing by keys, for each member and in sum."""
    columns = [[int(text) for text in column] for column in comparison.added.values()]
    if not columns:
        return []
    rows = [
        (member, *map(money_text, row))
        for member, row in zip(comparison.members, zip(*columns, strict=True), strict=True)
    ]
    return [*rows, ("all", *(money_text(sum(column)) for column in columns))]


def name_of(mechanism: str) -> str:
    """A mechanism for people."""
    return NAMES.get(mechanism, (mechanism, ""))[0]


def label_of(variant: Variant) -> str:
    """A mechanism for people, with its price of carbon and its levy where they are compared."""
    return ", ".join((name_of(variant.name), *variant.terms))


def _head(variant: Variant) -> tuple[str, str]:
    """Head of a column: the mechanism, and in small what sets it apart."""
    name, note = NAMES.get(variant.name, (variant.name, ""))
    return name, ", ".join(variant.terms) or note


def _title(comparison: Comparison) -> str:
    """The answer in the headline: who emits least where that is compared, else who gains most from trade."""
    if any(figures.terms for figures in comparison.mechanisms):
        return carbon_title(comparison)
    best = _best(comparison)
    if len(best) == len(comparison.mechanisms):
        return "Every mechanism gains the same" if len(best) > 1 else name_of(best[0].name)
    names = [name_of(figures.name) for figures in best]
    return f"{_list(names)} {'gain' if len(names) > 1 else 'gains'} most"


def _text(comparison: Comparison) -> str:
    """What the headline rests on, and who lies furthest behind."""
    if any(figures.terms for figures in comparison.mechanisms):
        return carbon_text(comparison)
    best = _best(comparison)
    most = int(best[0].welfare_n)
    text = f"Trade is worth {money_text(most, comparison.currency)} more to buyers than it costs sellers."
    behind = min(comparison.mechanisms, key=lambda figures: int(figures.welfare_n))
    lost = 100 - percent(int(behind.welfare_n), most)
    if lost:
        text += f" {name_of(behind.name)} loses {lost} % of it."
    saved = [int(figures.saved_n) for figures in comparison.mechanisms]
    if len(saved) > 1 and (max(saved) - min(saved)) * ALIKE <= max(saved):
        text += " What all members save together hardly differs; who saves does."
    return text


def _best(comparison: Comparison) -> list[MechanismFigures]:
    """Mechanisms with the largest gain of trade."""
    most = max(int(figures.welfare_n) for figures in comparison.mechanisms)
    return [figures for figures in comparison.mechanisms if int(figures.welfare_n) == most]


def _list(names: Sequence[str]) -> str:
    """Names as a sentence has them."""
    first, *others = names
    rest = [name.lower() for name in others]
    return " and ".join((", ".join([first, *rest[:-1]]), *rest[-1:]))


def _orders(mechanisms: Sequence[MechanismFigures]) -> str:
    """How many orders were cleared; they can differ where somebody lacked the funds."""
    return " or ".join(sorted({counted(figures.orders, "order") for figures in mechanisms}))


def _rows(comparison: Comparison, words: Words) -> list[tuple[str, str, list[tuple[str, bool]]]]:
    """A measure a row: name, unit, and of each mechanism its figure and whether it is best."""
    mechanisms, rows = comparison.mechanisms, []
    for measure in measures_of(mechanisms):
        best = measure.winner(mechanisms, words)
        cells = [(measure.show(figures, words), figures.label == best) for figures in mechanisms]
        rows.append((measure.name, measure.unit_text(words), cells))
    return rows


def _price_rows(comparison: Comparison, first: int, words: Words) -> list[tuple[str, ...]]:
    """Price of each slot: supplier, then the mechanisms."""
    length = comparison.slot_minutes * 60
    return [
        (
            words.moment(first + k * length),
            words.price(supply, 2),
            *("–" if m.prices[k] is None else words.price(m.prices[k] or 0, 2) for m in comparison.mechanisms),
        )
        for k, supply in enumerate(comparison.supply)
    ]


def _lies(comparison: Comparison, names: Sequence[str], words: Words) -> list[dict[str, Any]]:
    """Of each mechanism what an untrue limit gains on average, as a bar, and at most."""
    most = max((int(figures.shaded_mean_n) for figures in comparison.mechanisms), default=0)
    return [
        {
            "name": name,
            "bar": percent(int(figures.shaded_mean_n), most) if most else 0,
            "mean": words.small(int(figures.shaded_mean_n)),
            "most": words.small(int(figures.shaded_most_n)),
        }
        for name, figures in zip(names, comparison.mechanisms, strict=True)
    ]


def _joined(texts: Iterable[str]) -> str:
    """Different texts in their order, with commas between."""
    return ",".join(dict.fromkeys(texts))


def _command(comparison: Comparison, folder: Path) -> str:
    """What repeats this comparison, but for the community's file."""
    per_day = 24 * 60 // comparison.slot_minutes
    days = max(comparison.slots // per_day, 1)
    names = _joined(figures.name for figures in comparison.mechanisms)
    prices = _joined(str(f.carbon_price_per_t) for f in comparison.mechanisms if f.carbon_price_per_t is not None)
    levies = _joined(figures.levy for figures in comparison.mechanisms if figures.levy is not None)
    names += f" --carbon-prices {prices}" if prices else ""
    names += f" --levies {levies}" if levies else ""
    file = "demo" if comparison.community == "Demo community" else "COMMUNITY.toml"
    start = f" --start {comparison.first_slot} --days {days}"
    return f"transactive compare {file}{start} --mechanisms {names} --state {word(folder)}"
