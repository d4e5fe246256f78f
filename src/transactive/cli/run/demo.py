"""`transactive demo`: the command with its options; what it does is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def demo(
    *,
    days: int | None = None,
    start: str = "2017-06-05T00:00Z",
    port: int = 8080,
    serve: Annotated[bool, Parameter(negative="--no-serve")] = True,
    json: Annotated[bool, Parameter(negative="")] = False,
    state: Path | None = None,
    seed: str = "transactive",
    node: str | None = None,
    market: str = "uniform",
    feeder: Annotated[bool, Parameter(negative="")] = False,
    on_chain: Annotated[bool, Parameter(negative="")] = False,
    live: Annotated[bool, Parameter(negative="")] = False,
    broker: str | None = None,
    speed: float = 60.0,
    slots: int = 16,
) -> None:
    """Replay a week of fourteen real homes: every room of the market, on a chain, then the page.

    With --live a street of five simulated homes with boxes instead, whose market is live over a broker.

    Parameters
    ----------
    days
        Days to replay: 7, or 1 with --on-chain.
    start
        First slot, UTC; the data hold 2016-08-01T07:00Z to 2017-08-01T07:00Z, and one day before is history.
    port
        Where the page is served; the next free port if it is busy.
    serve
        Serve the page from before the first slot until Ctrl-C.
    json
        Print the summary as one JSON object on stdout, and nothing else there.
    state
        Folder for database and chain; without it a fresh temporary folder.
    seed
        Seed of the demo's keys; another seed gives other addresses and another state_hash.
    node
        Settle on a development node elsewhere: http(s)://, ws(s):// or ipc:PATH; else on a chain in the state folder.
    market
        Mechanism that clears: balance, continuous, pay_as_bid, uniform or another that is installed.
    feeder
        Connect the homes by deliberately weak lines that the network operator manages; see /grid on the page.
    on_chain
        With --market balance: trade wholly on the balance_market contract, orders, readings and money; no page.
    live
        Five meters with a box each, one with a battery, two that trade with their own keys; a minute an hour. One box
        goes away and comes back.
    broker
        With --live: a broker that runs already, mqtt://HOST; without it a Mosquitto of its own.
    speed
        With --live: seconds of the street in one of ours.
    slots
        With --live: how many quarter hours it lasts.

    """
    if live:
        from transactive.cli.run.street import run_street
        from transactive.core.errors import InputError

        if feeder or on_chain or node is not None:
            raise InputError("--live: the street is live on a chain of its own; leave --feeder, --on-chain, --node out")
        page = port if serve else None
        run_street(port=page, json=json, state=state, seed=seed, broker=broker, speed=speed, slots=slots)
        return
    if on_chain:
        from transactive.cli.run.day_on_chain import run_balance_day
        from transactive.core.errors import InputError

        if feeder:
            raise InputError("--feeder and --on-chain: the balance market knows of no lines; leave one of them out")

        run_balance_day(
            days=1 if days is None else days, start=start, json=json, state=state, seed=seed, node=node, market=market
        )
        return
    from transactive.cli.run.actions import run_demo

    run_demo(
        days=7 if days is None else days,
        start=start,
        port=port,
        serve=serve,
        json=json,
        state=state,
        seed=seed,
        node=node,
        market=market,
        feeder=feeder,
    )
