"""Hours of work, part after part, and a report of the last time of each: `make soak`, or `python -m tests.soak`."""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.soak.parts import BUILD, ROOT, Part, parts

HEAD = """# Soak

Hours of work that no test of every day has time for: `make soak`. Each part ends with one line, which stands here with
the day, the Python and the commit of its last time. `make soak ARGS="--only PART --minutes N"` does one part again and
leaves the rows of the others; a part that is out of time says how far it came.

| part | what | result | last time |
|---|---|---|---|
"""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a part ended. result: its last line; on: commit and Python."""

    name: str
    code: int
    result: str
    day: str
    on: str
    seconds: int


def arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0, help="of each campaign, at most (default: 120)")
    parser.add_argument("--only", action="append", metavar="PART", help="this part; may be repeated")
    parser.add_argument("--tests", default="", help="what other Pythons run, as ARGS of make test (default: all of it)")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "soak.md", help="default: docs/soak.md")
    return parser.parse_args()


def commit() -> str:
    """Short name of what is checked out, with a mark if something differs from it."""
    asked = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "no commit"


def done(part: Part) -> Ended:
    """Run a part; all that it prints is shown, and its last line kept."""
    sys.stderr.write(f"{part.name}: {part.typed}\n")
    began, last, on = time.monotonic(), "", f"{commit()}, Python {platform.python_version()}"
    with subprocess.Popen(part.command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            last = line.strip() or last
    code, seconds = process.returncode, int(time.monotonic() - began)
    day = datetime.now(UTC).date().isoformat()
    return Ended(name=part.name, code=code, result=last.strip("= "), day=day, on=on, seconds=seconds)


def report(all_parts: list[Part], folder: Path) -> str:
    """The report: a row for each part that was ever run."""
    rows = []
    for part in all_parts:
        with suppress(FileNotFoundError):
            ended = msgspec.json.decode((folder / f"{part.name}.json").read_bytes(), type=Ended)
            failed = f"**failed with code {ended.code}**: " if ended.code else ""
            said = f"{failed}{ended.result}".replace("|", "\\|")
            rows.append(f"| `{part.name}` | {part.what}: `{part.typed}` | {said} | {ended.day}, {ended.on} |")
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    """Run the parts, write each result when it is there, and fail if one failed."""
    given = arguments()
    all_parts, code = parts(given.minutes, given.tests), 0
    unknown = set(given.only or ()) - {part.name for part in all_parts}
    if unknown:
        known = ", ".join(part.name for part in all_parts)
        sys.stderr.write(f"--only: there is no part {', '.join(sorted(unknown))} here; parts are {known}\n")
        return 2
    BUILD.mkdir(parents=True, exist_ok=True)
    for part in all_parts:
        if not given.only or part.name in given.only:
            ended = done(part)
            code |= ended.code != 0
            (BUILD / f"{part.name}.json").write_bytes(msgspec.json.encode(ended))
            given.report.write_text(report(all_parts, BUILD), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
