"""Route of the page that explains the words of all pages."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.response import Template

from transactive.web.authentication import EVERYONE
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer


@get("/help", opt=EVERYONE, sync_to_thread=True, include_in_schema=False)
def explained(request: Request[Viewer, Any, Any], run_context: NamedDependency[RunContext]) -> Template:
    """Each word in a sentence, with the document that tells more; also before a run has begun."""
    return Template("help.html", context={"viewer": request.user, "run": run_context.reader.run()})
