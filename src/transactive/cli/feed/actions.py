"""What the commands of feeds do, and what they find as facts."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from transactive.config.community_file import load
from transactive.core.errors import ConfigError, InputError
from transactive.core.slots import time_text
from transactive.environment.feeds.decode import MOST_BYTES, FeedSeries, decode_feed
from transactive.environment.feeds.profile import FeedProfile, load_feed_profile, shipped_feeds
from transactive.links.feeds import hear_feed
from transactive.services.feeds.taking import arrival_of, require_fresh, take_feed

TOKEN = "TRANSACTIVE_FEED_TOKEN"  # noqa: S105 - the name of a variable


def profiles() -> dict[str, Any]:
    """What each profile that ships is."""
    found = {name: load_feed_profile(name) for name in shipped_feeds()}
    return {
        name: {
            "title": one.title,
            "column": one.column,
            "grade": one.grade,
            "source": one.source,
            **({"licence": one.licence} if one.licence else {}),
            **({"needs": ", ".join(f"{word}: {what}" for word, what in one.needs.items())} if one.needs else {}),
            **({"note": one.note} if one.note else {}),
        }
        for name, one in found.items()
    }


def shown(name: str, address: str | None, words: Sequence[str], token: Path | None) -> dict[str, Any]:
    """What a feed tells, and how old it is."""
    profile = load_feed_profile(name)
    _, heard, told = _asked(profile, address, words, token)
    return _facts(profile, told, heard)


def fetched(
    community: Path, name: str, address: str | None, words: Sequence[str], token: Path | None
) -> dict[str, Any]:
    """What a feed tells, and what came of it in the community's file."""
    profile, rules = load_feed_profile(name), load(community)
    if rules.data.environment is None:
        raise ConfigError(f"{community.name}: data.environment is missing; name the CSV that feeds shall fill")
    raw, heard, told = _asked(profile, address, words, token)
    require_fresh(profile, told, heard, int(time.time()))
    file = community.parent / rules.data.environment
    taken = take_feed(file, rules.clock.length, arrival_of(Path(name).stem, raw, heard, told))
    return _facts(profile, told, heard) | {
        "rows_added": taken.added,
        "rows_until": None if taken.end is None else time_text(taken.end),
        "slots_told_beyond": taken.waiting,
    }


def _asked(
    profile: FeedProfile, address: str | None, words: Sequence[str], token: Path | None
) -> tuple[bytes, int, FeedSeries]:
    """What a feed said, when it was told [Unix s], and what that means."""
    secret = _secret(token)
    if not address and not profile.url:
        raise InputError(f"{profile.title}: its profile names no address; name the place with --from")
    where = address or _filled(profile, words, secret)
    raw, heard = hear_feed(
        where,
        "" if "{token}" in profile.url else secret,
        MOST_BYTES,
        question="" if address else profile.question,
        token_header=profile.token_header,
    )
    return raw, heard, decode_feed(profile, raw, _given(words))


def _filled(profile: FeedProfile, words: Sequence[str], secret: str) -> str:
    """The profile's address with the user's words. Raises InputError for one that is missing or not asked for."""
    given = _given(words)
    for word in given.keys() - profile.needs.keys():
        raise InputError(f"--set {word}: the feed has no such word; it has {', '.join(profile.needs) or 'none'}")
    url = profile.url
    for word, what in profile.needs.items():
        if not given.get(word):
            raise InputError(f"the feed needs {what}; give it with --set {word}=…")
        url = url.replace(f"{{{word}}}", quote(given[word], safe=":"))
    if profile.wants_token and not secret:
        raise InputError(f"{profile.title} wants a token; name the file that has it with --token")
    return url.replace("{token}", quote(secret))


def _given(words: Sequence[str]) -> dict[str, str]:
    """The user's words by their names."""
    return dict(word.partition("=")[::2] for word in words)


def _secret(token: Path | None) -> str:
    """The token in a file, or in the surroundings. Raises InputError where it cannot be read."""
    try:
        return token.read_text().strip() if token else os.environ.get(TOKEN, "")
    except OSError as error:
        raise InputError(f"--token {token}: cannot be read ({error.strerror}); correct the path") from None


def _facts(profile: FeedProfile, told: FeedSeries, heard: int) -> dict[str, Any]:
    """A feed in words and figures."""
    now = int(time.time())
    return {
        "feed": profile.title,
        "column": told.column,
        "told_from": time_text(told.starts[0]),
        "told_until": time_text(told.end),
        "step_minutes": told.step // 60,
        "values": len(told.values),
        "least": min(told.values),
        "most": max(told.values),
        "age_minutes": max(now - heard, 0) // 60,
        "stale": told.end <= now or now - heard > profile.fresh_hours * 3_600,
    }
