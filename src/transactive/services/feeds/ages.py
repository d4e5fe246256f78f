"""How old what feeds told a community is, in words."""

from __future__ import annotations

from pathlib import Path

from transactive.config.community_file import load
from transactive.core.errors import InputError, StateError
from transactive.core.slots import HOUR, time_text
from transactive.services.feeds.taking import FeedAge, feed_ages


def ages_of(community: Path) -> list[FeedAge]:
    """How old each column is that feeds fill, none where no feed ever told any.

    Raises InputError for a community file that cannot be read, StateError if the file of prices is not what its journal
    says.
    """
    file = load(community).data.environment
    return [] if file is None else feed_ages(community.parent / file)


def age_words(age: FeedAge, now: int) -> str:
    """Until when a column is told, and how long ago; now [Unix s]."""
    stale = "" if age.told_until > now else "; stale, as nothing is told beyond now"
    hours = max(now - age.heard, 0) / HOUR
    return f"{age.feed} told it until {time_text(age.told_until)}, {hours:.1f} h ago{stale}"


def lines_of_ages(community: Path, now: int) -> list[str]:
    """A line for each column that feeds fill, or why nobody can say; now [Unix s]."""
    try:
        return [f"{age.column}: {age_words(age, now)}" for age in ages_of(community)]
    except (InputError, StateError) as error:
        return [str(error)]
