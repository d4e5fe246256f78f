"""Who may call what: every route by every scope and method, asked of the running application, and the table of it.

`python -m tests.integration.test_role_matrix` writes the table in docs/concepts/security.md anew.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.integration.test_api import ELSEWHERE, bearer, scoped_token
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed
from transactive.web.viewers import SCOPES

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "security.md"
BEGIN, END = "<!-- role matrix: begin -->\n", "<!-- role matrix: end -->\n"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOBODY = "no token"
CLOSED, ABSENT = (401, 403), (404, 405)


@contextmanager
def served(folder: Path) -> Iterator[tuple[TestClient[Litestar], dict[str, dict[str, str]]]]:
    """The application as other machines reach it, and the headers of each role."""
    headers: dict[str, dict[str, str]] = {
        scope: bearer(scoped_token(folder, scope, "a", acts=True)) for scope in SCOPES
    }
    with closing(Store(folder)) as store:
        app = build_app(folder, ChangeFeed(Reader(store)), local=False)
        with TestClient(app, base_url=ELSEWHERE, raise_server_exceptions=False) as client:
            yield client, {NOBODY: {}, **headers}


def routes(client: TestClient[Litestar]) -> list[tuple[str, str]]:
    """Method and path of everything that the application answers."""
    found = set()
    for route in client.app.routes:
        for method in getattr(route, "methods", ()):
            if method in METHODS:
                found.add((str(route.path_format), method))
    return sorted(found)


def asked(path: str) -> str:
    """A path with something in place of its parameters."""
    filled = re.sub(r"\{file_path[^}]*\}", "base.css", path)
    return re.sub(r"\{[^}]*\}", "1", filled)


def table(client: TestClient[Litestar], roles: dict[str, dict[str, str]]) -> str:
    """Which role gets past the gate of which route, as Markdown."""
    lines = [f"| route | {' | '.join(roles)} |", f"|---|{'---|' * len(roles)}"]
    for path, method in routes(client):
        if path.endswith("/events"):  # an endless answer; the gate is the same code
            continue
        marks = []
        for headers in roles.values():
            answer = client.request(method, asked(path), headers=headers, follow_redirects=False)
            assert answer.status_code < 500, (method, path)
            marks.append("" if answer.status_code in CLOSED else "yes")
        lines.append(f"| `{method} {path}` | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def roles(sample_state, tmp_path_factory):
    folder = tmp_path_factory.mktemp("roles")
    (folder / "market.sqlite").write_bytes((sample_state / "market.sqlite").read_bytes())
    with served(folder) as made:
        yield made


def test_the_table_in_the_documents_is_what_the_application_does(roles):
    written = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert written == table(*roles)


def test_a_method_that_a_route_does_not_have_is_open_to_nobody(roles):
    client, headers = roles
    known = set(routes(client))
    for path in {path for path, _ in known if not path.endswith("/events")}:
        for method in METHODS:
            if (path, method) not in known:
                for header in headers.values():
                    assert client.request(method, asked(path), headers=header).status_code in (*CLOSED, *ABSENT)


def test_nobody_without_a_token_sees_more_than_files_and_the_door(roles):
    client, headers = roles
    opened = {
        path
        for path, method in routes(client)
        if not path.endswith("/events")
        and client.request(method, asked(path), headers=headers[NOBODY]).status_code < 400
    }
    assert all(path.startswith(("/static", "/enter", "/sign-in", "/join")) for path in opened)


def main() -> None:
    """Write the table anew."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        call("run", write_community(Path(folder)), "--no-page", "--json", "--state", state)
        with served(state) as made:
            before, _, rest = PAGE.read_text().partition(BEGIN)
            PAGE.write_text(before + BEGIN + table(*made) + END + rest.partition(END)[2])
    sys.stdout.write(f"{PAGE.name} written\n")


if __name__ == "__main__":
    main()
