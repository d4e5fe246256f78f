"""Build the site into a folder, or write the generated references: `make docs`, `make references`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scripts.docs.references import write_references
from scripts.docs.site import build

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Do what was asked for; a broken link is one line each, and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m scripts.docs", description=__doc__)
    parser.add_argument("what", choices=["site", "references"])
    parser.add_argument("--to", type=Path, help="folder; without it build/docs, or docs/reference")
    parser.add_argument("--root", type=Path, default=ROOT, help="repository whose documents are built")
    options = parser.parse_args()
    if options.what == "references":
        write_references(options.to or ROOT / "docs" / "reference")
        return 0
    folder = options.to or ROOT / "build" / "docs"
    broken = build(options.root, folder)
    for line in broken:
        print(line, file=sys.stderr)
    if broken:
        return 1
    print(f"open {folder / 'index.html'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
