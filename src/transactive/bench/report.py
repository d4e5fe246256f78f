"""What a run of benches found: rows of figures, the machine they were measured on, and whether the targets hold."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import msgspec
from rich.box import SIMPLE
from rich.table import Table


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure.

    value: in `unit`; None when a target names a figure that no bench measured. reference: the work that was measured in
    turn with it, reference_value in the same unit. ratio: median of the pairwise ratios value / reference.
    target, holds: None without a target.
    """

    name: str
    value: float | None
    unit: str | None
    reference: str | None = None
    reference_value: float | None = None
    ratio: float | None = None
    target: str | None = None
    holds: bool | None = None


class BenchRows(msgspec.Struct, frozen=True):
    """All figures of one bench."""

    bench: str
    rows: tuple[Row, ...]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures depend on; nothing that names the machine or its owner."""

    python: str
    implementation: str
    machine: str
    system: str
    cpus: int
    numpy: str


class BenchReport(msgspec.Struct, frozen=True):
    """Figures of one run."""

    machine: Machine
    benches: tuple[BenchRows, ...]

    @property
    def holds(self) -> bool:
        """Whether no target is missed."""
        return all(row.holds is not False for result in self.benches for row in result.rows)

    @property
    def exit_code(self) -> int:
        """1 when a target is missed, else 0."""
        return 0 if self.holds else 1

    def to_json(self) -> str:
        """Write the report as JSON, for machines."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()


def this_machine() -> Machine:
    """Describe the machine that runs this process."""
    return Machine(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        machine=platform.machine(),
        system=platform.system(),
        cpus=os.cpu_count() or 1,
        numpy=version("numpy"),
    )


def render_table(report: BenchReport) -> Table:
    """Lay the report out as a table, for people."""
    on = report.machine
    title = f"{on.implementation} {on.python}, numpy {on.numpy}, {on.system} {on.machine}, {on.cpus} CPUs"
    table = Table(title=title, title_justify="left", box=SIMPLE)
    table.add_column("", no_wrap=True)  # the verdict stands first, where no narrow terminal can cut it off
    table.add_column("figure", min_width=28)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("against the reference")
    table.add_column("target")
    for result in report.benches:
        table.add_row("", f"[bold]{result.bench}[/bold]")
        for row in result.rows:
            table.add_row(
                _VERDICTS[row.holds],
                row.name,
                _with_unit(row.value, row.unit),
                "" if row.ratio is None else f"{_digits(row.ratio)} x {row.reference}",
                row.target or "",
            )
        table.add_section()
    return table


_VERDICTS = {None: "", True: "[green]holds[/green]", False: "[bold red]missed[/bold red]"}


def _with_unit(value: float | None, unit: str | None) -> str:
    """Value for people, with its unit."""
    return "not measured" if value is None else f"{_digits(value)} {unit or ''}".rstrip()


def _digits(value: float) -> str:
    """Three significant digits, never in powers of ten."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
