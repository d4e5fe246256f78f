"""Print the API's OpenAPI description: `python -m transactive.web.openapi`."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path

from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed


def description() -> str:
    """OpenAPI 3.1 of the API as JSON, keys sorted; it is the same for every run."""
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
        app = build_app(Path(folder), ChangeFeed(Reader(store)), local=True)
        return json.dumps(app.openapi_schema.to_schema(), indent=1, sort_keys=True, ensure_ascii=False)


if __name__ == "__main__":
    print(description())
