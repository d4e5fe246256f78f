"""Readings that somebody accepted for a community, file by file, beside those that its own file names.

They stand in a folder beside the community file, named after it: for `community.toml` it is `community.accepted`. Each
is a Parquet in the form that every command reads, beside the profile by which it was read. A later one goes before an
earlier one, and all of them before the community's own file: that is how a reading is corrected.
"""

from __future__ import annotations

from pathlib import Path

ENDING = ".accepted"
READINGS, PROFILE = ".parquet", ".profile.toml"


def accepted_folder(community: Path) -> Path:
    """Where readings are that were accepted for a community file."""
    return community.with_suffix(ENDING)


def accepted_files(community: Path) -> list[Path]:
    """Readings that were accepted for a community file, in the order in which they were."""
    return sorted(accepted_folder(community).glob(f"*{READINGS}"))
