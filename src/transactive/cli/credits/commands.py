"""`transactive credits …`: the register of carbon credits of a run, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from transactive.cli.credits.trade_commands import buy, retire, sell, take_back
from transactive.cli.report import report

credits_app = App(name="credits", help="Carbon credits: projects, batches, listings, retirement.")

credits_app.command(sell)
credits_app.command(take_back)
credits_app.command(buy)
credits_app.command(retire)


Flag = Annotated[bool, Parameter(negative="")]
By = Annotated[str, Parameter(name="--as")]


@credits_app.command
def register(
    project: str,
    *,
    state: Path,
    kind: Literal["removal", "avoidance"],
    methodology: str,
    jurisdiction: str,
    auditor: str,
    by: By = "operator",
    json: Flag = False,
) -> None:
    """Enter a project with its auditor, once; nothing is issued before the auditor approves it.

    Example: transactive credits register oak --state DIR --kind removal --methodology X --jurisdiction DE --auditor ann

    Parameters
    ----------
    project
        Id of the project.
    state
        State folder of a run.
    kind
        Whether it removes carbon or avoids emissions.
    methodology
        Methodology of the project.
    jurisdiction
        Where it is.
    auditor
        Who may approve it, issue for it and state reversals.
    by
        Who registers.
    json
        Print one JSON object on stdout.
    """
    from transactive.carbon.credits import steps as do
    from transactive.carbon.credits.register import Project
    from transactive.cli.credits.actions import run_step

    made = Project(id=project, kind=kind, methodology=methodology, jurisdiction=jurisdiction, auditor=auditor)
    run_step(state, lambda _: do.RegisterProject(by=by, project=made), {"registered": project}, json=json)


@credits_app.command
def approve(project: str, *, state: Path, by: By, json: Flag = False) -> None:
    """Approve a project as its auditor, so that it may issue.

    Parameters
    ----------
    project
        Id of the project.
    state
        State folder of a run.
    by
        The project's auditor.
    json
        Print one JSON object on stdout.
    """
    from transactive.carbon.credits import steps as do
    from transactive.cli.credits.actions import run_step

    run_step(state, lambda _: do.Approve(by=by, project=project), {"approved": project}, json=json)


@credits_app.command
def issue(
    project: str, kg: int, *, state: Path, serial: str, vintage: int, owner: str, by: By, json: Flag = False
) -> None:
    """Issue a batch of audited credits under a serial, which is used once and for ever; a fifth goes to the buffer.

    Parameters
    ----------
    project
        Id of an approved project.
    kg
        Whole kg of CO2e.
    state
        State folder of a run.
    serial
        Serial of the standard that the credits come from.
    vintage
        Year in which the carbon was removed or avoided.
    owner
        Whose credits they are.
    by
        The project's auditor.
    json
        Print one JSON object on stdout.
    """
    from transactive.carbon.credits import steps as do
    from transactive.cli.credits.actions import run_step

    step = do.IssueBatch(by=by, project=project, vintage=vintage, serial=serial, kg=kg, owner=owner)
    run_step(state, lambda _: step, {"issued": serial, "kg": kg, "owner": owner}, json=json)


@credits_app.command
def reverse(serial: str, kg: int, *, state: Path, by: By, json: Flag = False) -> None:
    """State that what a batch removed or avoided did not last: the buffer answers for it, its own part first.

    Parameters
    ----------
    serial
        Of the batch.
    kg
        Amount in whole kg of CO2e.
    state
        State folder of a run.
    by
        The project's auditor.
    json
        Print one JSON object on stdout.
    """
    from transactive.carbon.credits import steps as do
    from transactive.cli.credits.actions import run_step

    run_step(
        state,
        lambda market: do.Reverse(by=by, batch=market.register.number_of(serial), kg=kg),
        {"reversed": {"serial": serial, "kg": kg}},
        json=json,
    )


@credits_app.command
def show(*, state: Path, json: Flag = False) -> None:
    """Show projects, batches and their holders, what is for sale, and every receipt.

    Parameters
    ----------
    state
        State folder of a run.
    json
        Print one JSON object on stdout.
    """
    from transactive.services.credits import credits_in, facts_of

    report(facts_of(credits_in(state)), json=json)


@credits_app.command
def publish(*, state: Path, node: str | None = None, json: Flag = False) -> None:
    """Repeat the register's steps on the contract carbon_credits, each signed by its own key, and compare both.

    What is there already is not sent again. Keys are the run's demo keys, which embedded and development chains take.
    Example: transactive credits publish --state DIR --node http://127.0.0.1:8545

    Parameters
    ----------
    state
        State folder of a run.
    node
        Development node, or embedded:FILE; without it a chain of its own in the folder.
    json
        Print one JSON object on stdout.
    """
    from transactive.services.credit_publication import publish as put_on_chain

    report(put_on_chain(state, node), json=json)


@credits_app.command
def export(*, state: Path, output: Annotated[Path, Parameter(alias="-o")]) -> None:
    """Write the register to a file: everything as JSON, or the receipts alone as CSV.

    Parameters
    ----------
    state
        State folder of a run.
    output
        File whose name ends in .json or .csv.
    """
    from transactive.cli.credits.actions import write_register

    write_register(state, output)
