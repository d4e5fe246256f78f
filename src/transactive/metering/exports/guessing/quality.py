"""Which column tells metered readings from estimated ones, and by which of its values."""

from __future__ import annotations

import re

from transactive.metering.exports import words
from transactive.metering.exports.profile import QualityRule
from transactive.tabular.sheets import Sheet

MEASURED = (
    "l1", "m", "a", "r", "w", "g", "measured", "metered", "gemessen", "messwert", "wahrer wert", "actual", "real",
    "read", "reel", "reelle", "reale", "effettivo", "lido", "medido", "gemeten", "malt", "malet", "ok", "valid", "good",
    "gultig", "gevalideerd", "valide", "validado",
)  # fmt: skip
ESTIMATED = (
    "l2", "l3", "e", "s", "f", "v", "est", "estimated", "estimate", "geschatzt", "geschat", "estime", "estimee",
    "stimato", "stimata", "estimado", "estimada", "substituted", "substitute", "ersatzwert", "ersatz", "berechnet",
    "vorlaufig", "provisional", "beraknat", "estimeret",
)  # fmt: skip
"""Words and letters of utilities, as `words.plain` writes them."""


def quality_in(sheet: Sheet, columns: list[str]) -> QualityRule | None:
    """The column of quality and its values that say metered; all others count as estimated.

    A cell without a word is metered where others say that theirs are not.
    """
    import polars as pl

    for name in columns:
        if sheet.frame.schema[name] != pl.String:
            continue
        if not (known := words.plain(name) in words.QUALITY) and not re.search(words.QUALITY_WITHIN, words.plain(name)):
            continue
        values = sheet.frame[name].fill_null("").str.strip_chars().unique().to_list()
        metered = sorted(value for value in values if words.plain(value) in MEASURED)
        estimated = [value for value in values if words.plain(value) in ESTIMATED]
        if estimated and not metered and "" in values:
            return QualityRule(column=name, metered=("",))
        if known or metered or estimated:
            return QualityRule(column=name, metered=tuple(metered))
    return None
