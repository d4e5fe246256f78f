"""Thousands of random calls on the markets, of delivery and of predictions, and on their twins: they never differ."""

import pytest

from tests.fuzz.expected import EVMS, check, live_all


@pytest.mark.parametrize("evm", EVMS)
@pytest.mark.parametrize("contract", ["balance_market", "trade_board", "prediction_market", "forecast_pool"])
def test_a_market_and_its_twin_never_differ(contract, evm):
    check(contract, live_all(contract, evm))
