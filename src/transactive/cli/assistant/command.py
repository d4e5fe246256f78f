"""`transactive mcp`: serve an assistant over the Model Context Protocol. What it needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path


def mcp(*, url: str = "http://127.0.0.1:8080", token_file: Path) -> None:
    """Let an assistant ask a community that is served: Model Context Protocol, on standard input and output.

    It reads what its token may see, and proposes drafts that a member accepts on its own page; it never acts. Make its
    token with `transactive token create --assistant --days 30 …`.

    Parameters
    ----------
    url
        Where the page is served.
    token_file
        File with the token, one line; nobody else should be able to read it.
    """
    from transactive.core.errors import InputError
    from transactive.protocols.assistant.server import serve

    try:
        token = token_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{token_file}: cannot be read ({error}); write the token there that was printed") from None
    serve(url, token)
