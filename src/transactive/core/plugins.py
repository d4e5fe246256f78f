"""What installed packages offer under a group of entry points: ours are found in the same way as those of others."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from transactive.core.errors import ConfigError


def names(group: str) -> tuple[str, ...]:
    """Names that a group has, sorted; nothing is imported."""
    return tuple(sorted({entry.name for entry in entry_points(group=group)}))


def find(group: str, name: str, what: str) -> EntryPoint:
    """The one offer called `name`; `what` says in words or as a key what it is for.

    Raises ConfigError naming the known ones, or all offers of the same name.
    """
    found = tuple(entry_points(group=group, name=name))
    if not found:
        raise ConfigError(f"{what} {name!r} is not installed; known: {', '.join(names(group)) or 'none'}")
    if len({entry.value for entry in found}) > 1:
        offers = ", ".join(sorted(entry.value for entry in found))
        raise ConfigError(f"{what} {name!r} is offered more than once ({offers}); uninstall all but one")
    return found[0]
