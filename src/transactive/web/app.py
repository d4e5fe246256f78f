"""The application: routes, gate, templates, files, headers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment
from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig

from transactive.chain.governance.place import is_governed
from transactive.core.slots import time_text
from transactive.services.governing.standing import Decisions
from transactive.services.papers.jobs import PaperJobs
from transactive.texts.page_terms import TERMS
from transactive.web.accounts.passkeys import PasskeyChallenges
from transactive.web.accounts.rates import Rates
from transactive.web.api.item_routes import step_on_page
from transactive.web.api.routes import api_router
from transactive.web.assets import STATIC_FILES, template_environment
from transactive.web.assistants.routes import HANDLERS as DRAFTS
from transactive.web.authentication import EVERYONE, STATIC, House, for_scopes, gate
from transactive.web.battery.routes import battery
from transactive.web.change_feed import ChangeFeed
from transactive.web.charts.icons import icon
from transactive.web.deciding.routes import ROUTES as DECIDING
from transactive.web.entry import BrowserEntry, ask, enter
from transactive.web.explorer.routes import ROUTES as EXPLORER
from transactive.web.findings.routes import ROUTES as FINDINGS
from transactive.web.forecasts.routes import HANDLERS as FORECASTS
from transactive.web.help.routes import explained
from transactive.web.history.routes import history
from transactive.web.languages.choosing import Languages
from transactive.web.languages.said import said
from transactive.web.notices.routes import ROUTES as NOTICES
from transactive.web.pages.acts.drafts import answer_draft
from transactive.web.pages.acts.routes import act_on_page
from transactive.web.pages.navigation import pages_of
from transactive.web.pages.parts.times import local_filter
from transactive.web.pages.readings.routes import answer as answer_readings
from transactive.web.pages.readings.routes import answer_about_held, bring, readings
from transactive.web.pages.routes import bills, carbon, community, compare, grid, member_view, models, slot_view
from transactive.web.pages.verify_routes import verify, verify_file
from transactive.web.papers.routes import ROUTES as PAPERS
from transactive.web.people.account_routes import ROUTES
from transactive.web.people.language_routes import choose_language
from transactive.web.people.passkey_routes import ROUTES as PASSKEYS
from transactive.web.predictions.routes import prediction_list, predictions
from transactive.web.privacy.routes import ROUTES as PRIVACY
from transactive.web.privacy.routes import looks
from transactive.web.privacy.saying import ROUTES as SAYING
from transactive.web.problems import answer
from transactive.web.request_checks import RequestChecks, bound_recursion, known_queries
from transactive.web.rules.rehearsing import Rehearsals
from transactive.web.rules.routes import ROUTES as RULES
from transactive.web.run_context import RunContext
from transactive.web.watching.routes import metrics

if TYPE_CHECKING:
    from litestar.types import Message, Scope

API_TEXT = (
    "A local energy market, slot by slot: energy in Wh, prices in µ¤/kWh, carbon in mg as whole numbers, money in n¤ as"
    " text, times in UTC. Send a token as a bearer; only what `demo` made is open on its machine. Errors are RFC 9457"
    " problems whose type is urn:transactive:error: and the error's code."
)
SMALL = 1_000
"""Bytes up to which an answer is sent as it is."""
EVENTS = "/api/v1/events"
"""A stream: each event is sent at once, which compression would hold back."""
A_YEAR = 31_536_000
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def build_app(
    folder: Path,
    feed: ChangeFeed,
    *,
    local: bool,
    entry: BrowserEntry | None = None,
    port: int = 0,
    node: str | None = None,
) -> Litestar:
    """Page and API of the run in `folder`.

    local: served on this machine only. entry: who lets browsers in by a link; without it and on this machine no token
    is needed. port: where it is served. node: URL of the chain on which members decide, where it is another than noted.
    """
    bound_recursion()
    run_context, house, rates = RunContext(feed), House(folder, local, entry, port), Rates()
    paper_jobs, passkey_challenges = PaperJobs(folder), PasskeyChallenges()
    decisions, rehearsals = Decisions(folder, node), Rehearsals(folder)
    return Litestar(
        route_handlers=[
            *(community, member_view, slot_view, carbon, bills, grid, models, compare, verify, verify_file, ask, enter),
            *(*ROUTES, *PASSKEYS, *EXPLORER, *PAPERS, *FINDINGS, *PRIVACY, *NOTICES, *DECIDING, *RULES, explained),
            *SAYING,
            *(readings, bring, answer_about_held, answer_readings),
            *(metrics, act_on_page, answer_draft, step_on_page, choose_language),
            *(predictions, api_router(prediction_list, history, battery, looks, *DRAFTS, *FORECASTS)),
            _files(),
        ],
        dependencies={
            "run_context": Provide(lambda: run_context, sync_to_thread=False),
            "entry": Provide(lambda: entry or BrowserEntry(), sync_to_thread=False),
            "house": Provide(lambda: house, sync_to_thread=False),
            "rates": Provide(lambda: rates, sync_to_thread=False),
            "port": Provide(lambda: port, sync_to_thread=False),
            "passkey_challenges": Provide(lambda: passkey_challenges, sync_to_thread=False),
            "decisions": Provide(lambda: decisions, sync_to_thread=False),
            "rehearsals": Provide(lambda: rehearsals, sync_to_thread=False),
            "paper_jobs": Provide(lambda: paper_jobs, sync_to_thread=False),
        },
        middleware=[RequestChecks(), gate(house), Languages()],
        guards=[for_scopes, known_queries],
        exception_handlers={Exception: answer},
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(_templates(folder))),
        state=State({"run_context": run_context, "decisions": decisions}),
        lifespan=[feed.beating],
        before_send=[_protect],
        compression_config=CompressionConfig("gzip", minimum_size=SMALL, exclude=EVENTS, gzip_compress_level=6),
        openapi_config=OpenAPIConfig(
            title="TransActive",
            version="1",
            description=API_TEXT,
            use_handler_docstrings=True,
            openapi_router=Router("/api/v1/schema", route_handlers=[], opt=EVERYONE, include_in_schema=False),
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        logging_config=None,
    )


def _files() -> Router:
    for_long = CacheControlHeader(max_age=A_YEAR, public=True, immutable=True)
    return create_static_files_router(
        STATIC, [STATIC_FILES], name="static", include_in_schema=False, cache_control=for_long
    )


def _version() -> str:
    """A name for the static files as they are, part of their addresses: browsers keep them until one changes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in STATIC_FILES.rglob("*") if path.is_file()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _templates(folder: Path) -> Environment:
    environment = template_environment()
    environment.globals.update(icon=icon, time_text=time_text)
    environment.globals.update(pages_of=lambda viewer, run: pages_of(viewer, run, governed=is_governed(folder)))
    environment.filters.update(local=local_filter, said=said)
    environment.globals.update(version=_version(), terms=TERMS)
    return environment


async def _protect(message: Message, scope: Scope) -> None:
    """Add to every answer what keeps the browser from asking any other host, or being framed by one.

    What is about somebody stays in no cache, so that it is not there for the next one at a browser that signed out.
    """
    if message["type"] != "http.response.start":
        return
    added, known = dict(HEADERS), {name.lower() for name, _ in message["headers"]}
    if not scope["path"].startswith(STATIC) and b"cache-control" not in known:
        added["cache-control"] = "no-store"
    message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in added.items())]
