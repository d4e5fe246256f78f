"""The pages in the bar at the top, in one order for everybody who may see them."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.store.read.runs import Run
from transactive.web.viewers import INSIDE, Scope, Viewer


@dataclass(frozen=True, slots=True)
class Page:
    """One page: where it is, its name, its icon, and who may see it."""

    path: str
    name: str
    icon: str
    scopes: tuple[Scope, ...] = INSIDE


PAGES = (
    Page("/", "Community", "people", ("member", "operator", "auditor")),
    Page("/member", "Member", "home", ("member", "operator", "auditor")),
    Page("/carbon", "Carbon", "leaf", ("member", "operator", "auditor")),
    Page("/deciding", "Decisions", "check", ("member", "operator", "auditor")),
    Page("/bills", "Bills", "file", ("member", "operator")),
    Page("/rules", "Rules", "sliders", ("operator",)),
    Page("/readings", "Readings", "tray", ("operator",)),
    Page("/grid", "Grid", "grid", ("operator", "grid", "auditor")),
    Page("/models", "Models", "curve", ("operator", "auditor")),
    Page("/compare", "Compare", "scale", ("operator", "auditor")),
    Page("/verify", "Verify", "shield"),
)


def pages_of(viewer: Viewer | None, run: Run | None = None, *, governed: bool = False) -> list[Page]:
    """Pages that a viewer may see and that have something to show; all where it is not known who looks at what.

    Lines are left out where the community names no network, unless they are all that the viewer came for; decisions
    where members do not govern; where they do, drafts of rules are behind them.
    """
    unlined = run is not None and run.site is None and viewer is not None and viewer.sees_members
    without = {"/rules" if governed else "/deciding", *(["/grid"] if unlined else [])}
    return [page for page in PAGES if page.path not in without and (viewer is None or viewer.scope in page.scopes)]
