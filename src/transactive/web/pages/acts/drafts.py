"""The member's word on what an assistant proposed: the route of its form."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Literal

from litestar import post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from msgspec import Meta

from transactive.core.errors import InputError, StateError
from transactive.store.live.acts import act_with_key
from transactive.web.api.act_routes import done_by
from transactive.web.assistants.drafts import answering, settle_draft, waiting_draft
from transactive.web.authentication import MEMBERS
from transactive.web.pages.routes import PageRequest, member_template
from transactive.web.problems import AccessDenied
from transactive.web.run_context import RunContext


@dataclass
class DraftAnswer:
    """The form. number: of the draft."""

    number: Annotated[int, Meta(ge=1, le=2**53)]
    answer: Literal["accepted", "declined"]


@post("/member/drafts", opt=MEMBERS, sync_to_thread=True, include_in_schema=False)
def answer_draft(
    request: PageRequest,
    run_context: NamedDependency[RunContext],
    data: Annotated[DraftAnswer, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template | Redirect:
    """Accept or decline a draft for one's own home: only who signed in at a browser does, never a token.

    What is accepted becomes the member's own act, signed as any other. Raises AccessDenied.
    """
    viewer = request.user
    if not viewer.account or viewer.member is None:
        raise AccessDenied(detail="A draft is answered by who signed in at this page; a token cannot.")
    folder, now = run_context.reader.store.path.parent, int(time.time())
    try:
        with answering(folder):
            draft = waiting_draft(folder, viewer.member, data.number, now)
            key = f"draft-{draft.made}-{draft.number}"
            index = run_context.member(run_context.run(), viewer.member)
            done = act_with_key(run_context.reader.store, index, key)  # before a kill that kept it from being noted
            late = done is not None and data.answer == "declined"
            if done is None and data.answer == "accepted":
                done = done_by(viewer, run_context, draft.asked, key)
            settle_draft(folder, draft, "accepted" if done else "declined", now, done.number if done else 0)
    except (InputError, StateError) as error:
        return member_template(request, run_context, failed=str(error))
    if late and done is not None:
        said = f"draft {draft.number}: was accepted before, as act no. {done.number}; undo it there"
        return member_template(request, run_context, failed=said)
    return Redirect("/member#h-acts" if data.answer == "accepted" else "/member#h-drafts", status_code=303)
