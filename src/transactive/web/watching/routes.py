"""`/metrics`, which Prometheus asks with the token of an operator."""

from __future__ import annotations

import time

from litestar import Response, get
from litestar.di import NamedDependency

from transactive.texts.prometheus import CONTENT
from transactive.web.authentication import OPERATES
from transactive.web.run_context import RunContext
from transactive.web.watching.market_metrics import market_metrics


@get("/metrics", opt=OPERATES, sync_to_thread=True, include_in_schema=False)
def metrics(run_context: NamedDependency[RunContext]) -> Response[str]:
    """The market's metrics, in the text format 0.0.4."""
    return Response(market_metrics(run_context.reader, int(time.time())), headers={"content-type": CONTENT})
