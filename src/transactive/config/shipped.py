"""Communities and data that ship with the program."""

from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
DEMO = DATA / "demo" / "community.toml"
FEEDER = DATA / "feeder" / "community.toml"
EXAMPLE = DATA / "example" / "community.toml"
