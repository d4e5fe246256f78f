"""`transactive feed …`: prices, carbon intensity and weather as they are told. Commands import what they need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]
Words = Annotated[list[str] | None, Parameter(name="--set", negative="")]
feed = App(name="feed", help="Day-ahead prices, carbon intensity and weather, from a file, over HTTP or MQTT.")


@feed.command(name="list")
def list_feeds(*, json: Flag = False) -> None:
    """List the profiles of feeds that ship, each with its source and what it was proved with.

    Parameters
    ----------
    json
        Print one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.feed.actions import profiles

    report(profiles(), json=json)


@feed.command
def show(
    profile: str,
    *,
    address: Annotated[str | None, Parameter(name="--from")] = None,
    words: Words = None,
    token: Path | None = None,
    json: Flag = False,
) -> None:
    """Ask a feed, and say what it tells and how old that is; nothing is kept.

    Example: transactive feed show awattar-at

    Parameters
    ----------
    profile
        Name of a profile that ships, or a TOML file.
    address
        Where it is told, in place of the profile's address: a file, https://HOST/PATH, or mqtt://BROKER/TOPIC.
    words
        A word of the profile's address, such as zone=AT; once for each.
    token
        File with the token that the feed wants; otherwise TRANSACTIVE_FEED_TOKEN.
    json
        Print one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.feed.actions import shown

    report(shown(profile, address, words or [], token), json=json)


@feed.command
def fetch(
    community: Path,
    profile: str,
    *,
    address: Annotated[str | None, Parameter(name="--from")] = None,
    words: Words = None,
    token: Path | None = None,
    json: Flag = False,
) -> None:
    """Take what a feed tells into the file that `data.environment` of a community names.

    It is written into a journal beside that file before it counts. A slot gets its row once every column of the file
    is told for it, and rows that are there never change. What is stale is refused with its age.

    Example: transactive feed fetch c/community.toml energy-charts-price --set zone=AT

    Parameters
    ----------
    community
        Community file.
    profile
        Name of a profile that ships, or a TOML file.
    address
        Where it is told, in place of the profile's address: a file, https://HOST/PATH, or mqtt://BROKER/TOPIC.
    words
        A word of the profile's address, such as zone=AT; once for each.
    token
        File with the token that the feed wants; otherwise TRANSACTIVE_FEED_TOKEN.
    json
        Print one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.feed.actions import fetched

    report(fetched(community, profile, address, words or [], token), json=json)
