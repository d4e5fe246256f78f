"""The pages in the bar at the top, in one order for everybody who may see them."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.store.read.runs import Run
from transactive.texts.language import N_
from transactive.web.viewers import INSIDE, Scope, Viewer


@dataclass(frozen=True, slots=True)
class Page:
    """One page: where it is, its name, its icon, and who may see it."""

    path: str
    name: str
    icon: str
    scopes: tuple[Scope, ...] = INSIDE


PAGES = (
    Page("/", N_("Community"), "people", ("member", "operator", "auditor")),
    Page("/member", N_("Member"), "home", ("member", "operator", "auditor")),
    Page("/carbon", N_("Carbon"), "leaf", ("member", "operator", "auditor")),
    Page("/deciding", N_("Decisions"), "check", ("member", "operator", "auditor")),
    Page("/bills", N_("Bills"), "file", ("member", "operator")),
    Page("/rules", N_("Rules"), "sliders", ("operator",)),
    Page("/readings", N_("Readings"), "tray", ("operator",)),
    Page("/grid", N_("Grid"), "grid", ("operator", "grid", "auditor")),
    Page("/models", N_("Models"), "curve", ("operator", "auditor")),
    Page("/compare", N_("Compare"), "scale", ("operator", "auditor")),
    Page("/verify", N_("Verify"), "shield"),
)


def pages_of(viewer: Viewer | None, run: Run | None = None, *, governed: bool = False) -> list[Page]:
    """Pages that a viewer may see and that have something to show; all where it is not known who looks at what.

    Lines are left out where the community names no network, unless they are all that the viewer came for; decisions
    where members do not govern; where they do, drafts of rules are behind them.
    """
    unlined = run is not None and run.site is None and viewer is not None and viewer.sees_members
    without = {"/rules" if governed else "/deciding", *(["/grid"] if unlined else [])}
    return [page for page in PAGES if page.path not in without and (viewer is None or viewer.scope in page.scopes)]
