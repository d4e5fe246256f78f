"""All acts that there are."""

from __future__ import annotations

from transactive.chain.acts.currency import MONEY
from transactive.chain.acts.deals import DEALS
from transactive.chain.acts.governor import ELECTORS
from transactive.chain.acts.links import CAPITAL, WHOLE
from transactive.chain.acts.markets import BOARD, MARKET
from transactive.chain.acts.predictions import FORECASTS
from transactive.chain.acts.registry import REGISTRY
from transactive.chain.acts.settlement import ACTS
from transactive.chain.acts.tokens import CREDITS, TOKENS

GROUPS = (ACTS, DEALS, MONEY, CAPITAL, WHOLE, REGISTRY, BOARD, MARKET, TOKENS, CREDITS, ELECTORS, FORECASTS)
"""Groups in the order in which help shows them."""
