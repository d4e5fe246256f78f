"""`transactive compare`: mechanisms on a community's days, or agents in markets with induced values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from transactive.core.errors import InputError


def compare(
    community: str | None = None,
    *,
    days: int | None = None,
    start: str | None = None,
    mechanisms: str | None = None,
    carbon_prices: str | None = None,
    levies: str | None = None,
    state: Path | None = None,
    agents: Annotated[bool, Parameter(negative="")] = False,
    agent: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    size: Annotated[tuple[int, ...], Parameter(negative="")] = (5, 20, 200),
    rounds: int = 100,
    seeds: int = 5,
    profile: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Compare mechanisms on the same days: gain, prices, savings, fairness, incentives to misreport.

    With --agents instead: agents that trade with induced values, how efficient, how near the right price, and how fast
    they are again after a shock; docs/concepts/agents.md defines each figure.

    Parameters
    ----------
    community
        Community file, or demo for the fourteen homes of the demo; not with --agents.
    days
        Days to compare; without it the demo's week, or all of the community's own run.
    start
        First slot, UTC; without it where the run begins.
    mechanisms
        Names with commas between; without it all that are installed and need no network, with --agents uniform and
        continuous.
    carbon_prices
        What a tonne less is worth to every member, whole ¤ with commas between: 0,50 puts the days once without and
        once with a price of carbon that batteries and orders weigh. Then the community's own mechanism alone is
        compared, unless --mechanisms names some.
    levies
        Levies with commas between: off, shadow, floor, fixed. As with --carbon-prices.
    state
        Folder of a run whose page shall show the comparison.
    agents
        Compare agents instead of mechanisms.
    agent
        Agent to compare, again for each one more; without it all that are installed.
    size
        Buyers, and sellers, of a market of agents, again for each one more; without it 5, 20 and 200.
    rounds
        Rounds before the shock; its figures are those of the last fifty.
    seeds
        Draws of values and costs; two fifths of them beyond fifty a side.
    profile
        How to read the readings: the name of a profile that ships, or a TOML file; without it the one of the
        community file, or it is found.
    json
        Print the comparison as one JSON object on stdout, and nothing else there.
    """
    names = _listed("--mechanisms", mechanisms)
    prices, modes = _listed("--carbon-prices", carbon_prices), _listed("--levies", levies)
    if agents:
        given_options = (
            (community, "COMMUNITY"),
            (days, "--days"),
            (start, "--start"),
            (state, "--state"),
            (profile, "--profile"),
        )
        for given, option in (*given_options, (prices, "--carbon-prices"), (modes, "--levies")):
            if given is not None:
                raise InputError(f"{option} is not for --agents, whose values are drawn; leave it out")
        from transactive.cli.compare.agents import run_compare_agents

        run_compare_agents(agent, names, size, rounds, seeds, json=json)
        return
    if community is None:
        raise InputError("COMMUNITY: give a community file or demo, or --agents to compare agents")
    if agent:
        raise InputError("--agent is for --agents; give both, or leave it out")
    from transactive.cli.compare.mechanisms import run_compare

    span = days, start
    run_compare(community, span, names=names, prices=prices, levies=modes, state=state, profile=profile, json=json)


def _listed(option: str, text: str | None) -> list[str] | None:
    """What an option lists with commas between; None where it is not given. Raises InputError for an empty list."""
    found = None if text is None else [name.strip() for name in text.split(",") if name.strip()]
    if found == []:
        raise InputError(f"{option}: names none; give some with commas between, or leave it out")
    return found
