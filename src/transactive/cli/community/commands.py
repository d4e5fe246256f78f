"""`transactive init`, `check` and `config schema`: their options and help."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

config = App(name="config", help="Community files.")


def init(folder: Path, *, preset: str | None = None) -> None:
    """Write a commented example of a community, with readings, that runs as it is.

    Parameters
    ----------
    folder
        Where community.toml, readings.csv and credits.toml are written; no file is replaced.
    preset
        A law's model of sharing in place of a market, such as at-eeg-dynamic; docs/concepts/sharing.md lists them.
    """
    from transactive.cli.community.actions import write_example

    write_example(folder, preset)


def check(community: Path, *, profile: str | None = None) -> None:
    """Validate a community file and its data without running anything.

    Parameters
    ----------
    community
        Community file.
    profile
        How to read the readings: the name of a profile that ships, or a TOML file; without it the one of the
        community file, or it is found.
    """
    from transactive.cli.community.actions import check_community

    check_community(community, profile)


@config.command
def schema() -> None:
    """Print the JSON Schema of a community file, for editors."""
    from transactive.cli.community.actions import print_schema

    print_schema()
