"""Agents by name: ours and those of others, through one group of entry points.

A package offers one in its pyproject.toml, an `Agent` as a function without arguments that gives it, or a `Together`::

    [project.entry-points."transactive.agents"]
    zip = "transactive.trading.agents.zip:Zip"
"""

from __future__ import annotations

from typing import cast

from transactive.core import installed
from transactive.core.errors import ConfigError
from transactive.trading.agents.protocol import Agent, AnyAgent, Together

GROUP = "transactive.agents"
DEFAULT = "curves"


def names() -> tuple[str, ...]:
    """Names of the installed agents, sorted; nothing is imported."""
    return installed.names(GROUP)


def load(name: str) -> AnyAgent:
    """Import the agent called `name`. Raises ConfigError naming the known ones."""
    offer = installed.find(GROUP, name, "trading.agent")
    made = offer.load()
    if isinstance(made, Together):
        return made
    agent = made()
    if not all(callable(getattr(agent, part, None)) for part in ("begin", "orders", "learn")):
        raise ConfigError(f"trading.agent {name!r}: {offer.value} does not give begin, orders and learn")
    return cast("Agent", agent)
