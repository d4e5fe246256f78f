"""The route of the forms with which a home acts."""

from __future__ import annotations

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from transactive.core.errors import InputError, StateError
from transactive.web.api.act_routes import done_by
from transactive.web.authentication import MEMBERS
from transactive.web.pages.acts.forms import ActForm, asked_in
from transactive.web.pages.routes import PageRequest, member_template
from transactive.web.run_context import RunContext


@post("/member/acts", opt=MEMBERS, sync_to_thread=True, include_in_schema=False)
def act_on_page(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    data: Annotated[ActForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Do what a form asks for one's own home, and show the page anew; or say on it what was wrong."""
    try:
        asked = asked_in(data, run_context.run().community.currency)
        done_by(request.user, run_context, asked, data.key)
    except (InputError, StateError) as error:
        return member_template(request, run_context, failed=str(error))
    return Redirect("/member#h-acts", status_code=303)
