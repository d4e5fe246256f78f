"""`transactive models …`: the registry of trained models. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

models = App(name="models", help="Trained forecast models: test, promote, monitor, roll back.")

Flag = Annotated[bool, Parameter(negative="")]
Folder = Annotated[Path, Parameter(name=["--state", "--models"])]


@models.command(name="list")
def list_models(*, folder: Folder, json: Flag = False) -> None:
    """List the models of a registry, and the active model of each target.

    Parameters
    ----------
    folder
        Folder of a run, or one that `models train` has filled.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.models.actions import show_list

    show_list(folder, json=json)


@models.command
def show(number: int, *, folder: Folder, json: Flag = False) -> None:
    """Show one model, and check its file against the recorded hash.

    Parameters
    ----------
    number
        Of the model, as `models list` prints it.
    folder
        Folder of the registry.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.models.actions import show_model

    show_model(folder, number, json=json)


@models.command
def train(
    community: str,
    *,
    folder: Folder,
    target: str = "consumption",
    forecaster: str = "regression",
    until: str | None = None,
    json: Flag = False,
) -> None:
    """Train a model as a candidate, tested on the last four weeks, which it has not seen.

    Example: transactive models train demo --models my-models

    Parameters
    ----------
    community
        Community file, or demo, whose readings are learnt from.
    folder
        Folder of the registry; a new one is made.
    target
        What to forecast: consumption, generation, community, price or orders.
    forecaster
        Recipe to train: regression, boosted or any other that is installed.
    until
        Time that readings are known to, like 2017-06-05T00:00Z; without it as far as the run of the folder has come.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.models.actions import train_model

    train_model(folder, community, target, forecaster, until, json=json)


@models.command(name="test")
def try_model(
    number: int, community: str, *, folder: Folder, days: int = 28, until: str | None = None, json: Flag = False
) -> None:
    """Test a model against the active one on days that neither has seen.

    Parameters
    ----------
    number
        Of the model.
    community
        Community file, or demo, whose readings test it.
    folder
        Folder of the registry.
    days
        How many days.
    until
        Where they end; without it at the end of the readings.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.models.actions import try_model as run_test

    run_test(folder, community, number, days, until, json=json)


@models.command
def promote(number: int, *, folder: Folder, force: Flag = False, json: Flag = False) -> None:
    """Make a model the active one, if it has won its test; `models rollback` undoes it.

    Parameters
    ----------
    number
        Of the model.
    folder
        Folder of the registry; no run may be going on in it.
    force
        Promote even without a won test.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.models.actions import promote_model

    promote_model(folder, number, force=force, json=json)


@models.command
def monitor(*, folder: Folder, target: str | None = None, json: Flag = False) -> None:
    """Show how the forecasts of each target perform: coverage, residuals, alarms, events.

    Parameters
    ----------
    folder
        Folder of the registry.
    target
        One target only.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.models.actions import show_monitors

    show_monitors(folder, target, json=json)


@models.command
def rollback(target: str, *, folder: Folder, json: Flag = False) -> None:
    """Return to the previous model, or to empirical quantiles; `models promote` undoes it.

    Parameters
    ----------
    target
        Whose model.
    folder
        Folder of the registry; no run may be going on in it.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.models.actions import roll_back

    roll_back(folder, target, json=json)
