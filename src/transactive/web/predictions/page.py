"""The page of questions: odds in words, how prices went, what was metered, and which tool does what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from transactive.core.slots import time_text
from transactive.core.units import PPM, kwh_text
from transactive.services.forecasts.leaderboard import Leader
from transactive.services.predictions import AskedQuestion, StakedTotals
from transactive.texts.forecasters import HEAD, RULES, leader_row
from transactive.texts.formatting import Words, counted
from transactive.texts.predictions import QUANTITIES, THIN_MARKETS, TOOLS, WHAT, odds_words, outcome_words
from transactive.web.charts.predictions import LINES, price_chart

if TYPE_CHECKING:
    from transactive.chain.prediction.stakes import StakedPeriod

STAKES = ("Of", "Stage", "=Stakes", "=Staked", "=Shown", "=Metered")


def predictions_page(
    asked: Sequence[AskedQuestion], leading: Sequence[Leader], staked: StakedTotals | None, words: Words
) -> dict[str, Any]:
    """All questions, newest first; stakes on days; and who submits forecasts, who is better for sure first."""
    return {
        "questions": [_question(one, words) for one in asked],
        "tools": TOOLS,
        "thin": THIN_MARKETS,
        "leaders": [_leader(one, words) for one in leading],
        "head": HEAD,
        "rules": RULES,
        "staked": [] if staked is None else [_staked(staked, period, words) for period in staked.periods],
        "stakes": STAKES,
    }


def _staked(of: StakedTotals, period: StakedPeriod, words: Words) -> list[str]:
    """A period with stakes, in the columns of `STAKES`; nobody is named."""
    begin, end = (words.day(slot * of.slot_seconds) for slot in (period.first, period.last + 1))
    found = period.outcome
    return [
        f"{QUANTITIES[of.lane]}, {begin} to {end}",
        period.stage,
        str(len(period.wagers)),
        words.money(sum(one.stake for one in period.wagers)),
        str(sum(one.forecast is not None for one in period.wagers)),
        "–" if found is None else f"{kwh_text(found.total, 3)} kWh",
    ]


def _leader(leader: Leader, words: Words) -> list[str]:
    """A row of the leaderboard, in the columns of `HEAD`."""
    of = leader.standing
    paid = None if leader.paid_n is None else words.money(leader.paid_n)
    return leader_row(
        of.forecaster, (of.low, of.mean, of.high), (leader.slots, leader.hidden), paid, is_told=of.is_told
    )


def prices_of(asked: AskedQuestion) -> list[tuple[int, ...]]:
    """Prices before any trade and after each [ppm]."""
    outcomes = len(asked.question.prices)
    return [(PPM // outcomes,) * outcomes, *(trade.prices for trade in asked.trades)]


def _question(asked: AskedQuestion, words: Words) -> dict[str, Any]:
    question = asked.question
    found = question.outcome
    begins, ends = time_text(question.begins), time_text(question.ends)
    return {
        "number": question.number,
        "title": f"{WHAT[QUANTITIES[question.lane]]}, {begins} to {ends}",
        "stage": question.stage,
        "closes": time_text(question.closes_at),
        "odds": [
            {"outcome": outcome_words(question.bounds, place), "price": _percent(price), "words": odds_words(price)}
            for place, price in enumerate(question.prices)
        ],
        "chart": price_chart(prices_of(asked), f"question {question.number}"),
        "legend": [
            (kind, colour, outcome_words(question.bounds, place))
            for place, (kind, colour) in enumerate(LINES[: len(question.prices)])
        ],
        "trades": counted(len(asked.trades), "trade"),
        "rows": [
            [words.day(trade.at), outcome_words(question.bounds, trade.outcome), *map(_percent, trade.prices)]
            for trade in asked.trades
        ],
        "head": ["When", "Outcome", *(f"={outcome_words(question.bounds, n)}" for n in range(len(question.prices)))],
        "metered": None if found is None else f"{kwh_text(found.total, 3)} kWh",
    }


def _percent(price_ppm: int) -> str:
    """Whole per cent, rounded."""
    return f"{(price_ppm * 100 + PPM // 2) // PPM} %"
