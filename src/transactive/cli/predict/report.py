"""What `transactive predict …` prints: questions, their odds and trades, and what somebody holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transactive.core.slots import time_text
from transactive.core.units import PPM, kwh_text, money_text
from transactive.texts.predictions import QUANTITIES, WHAT, odds_words, outcome_words

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.prediction.questions import MarketQuestion, Predictions

Facts = dict[str, Any]
DIGITS = 9


def told(predictions: Predictions, question: MarketQuestion) -> Facts:
    """How a question stands."""
    currency, found = predictions.known.currency, question.outcome
    quantity = QUANTITIES[question.lane]
    return {
        "question": question.number,
        "asks": f"{WHAT[quantity]}, {time_text(question.begins)} to {time_text(question.ends)}",
        "quantity": quantity,
        "stage": question.stage,
        "trading_ends": time_text(question.closes_at),
        "odds": {
            f"{outcome} {outcome_words(question.bounds, outcome)}": f"{percent(price)} ({odds_words(price)})"
            for outcome, price in enumerate(question.prices)
        },
        "both_count_near_a_bound": f"{kwh_text(question.blur, 3)} kWh on each side",
        "a_member_holds_at_most": money_text(2 * question.blur * predictions.slope, currency, digits=DIGITS),
        "it_holds": money_text(question.pot, currency, digits=DIGITS),
        "metered": None if found is None else f"{kwh_text(found.total, 3)} kWh",
        "of_it_substituted": None if found is None else f"{kwh_text(found.substituted, 3)} kWh",
    }


def history(predictions: Predictions, question: MarketQuestion) -> list[Facts]:
    """Trades, oldest first, with the prices after each."""
    known, currency = predictions.known, predictions.known.currency
    return [
        {
            "at": time_text(trade.at),
            "by": account_name(known, trade.member),
            "outcome": trade.outcome,
            "pays": money_text(trade.shares, currency, digits=DIGITS),
            "for": money_text(trade.money, currency, digits=DIGITS),
            "prices": [percent(price) for price in trade.prices],
        }
        for trade in predictions.trades(question)
    ]


def account_name(known: Deployment, index: int) -> str:
    """Name of an account by its index; the index of one that joined after the deployment was written down."""
    return known.accounts[index] if index < len(known.accounts) else str(index)


def percent(price_ppm: int) -> str:
    """A price as a probability, to a tenth of a per cent."""
    tenths = (price_ppm * 1_000 + PPM // 2) // PPM
    return f"{tenths // 10}.{tenths % 10} %"
