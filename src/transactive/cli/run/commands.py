"""`transactive run` and `serve`: their options and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Flag = Annotated[bool, Parameter(negative="")]


def run(
    community: Path,
    *,
    state: Path | None = None,
    json: Flag = False,
    page: Annotated[bool, Parameter(negative="--no-page")] = True,
    stay: Flag = False,
    port: int = 8080,
    seed: str = "transactive",
    compiled: Flag = False,
    node: str | None = None,
    deployment: Path | None = None,
    final_blocks: int = 32,
    token: str | None = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    discard_chain: Flag = False,
    accept_corrections: str | None = None,
    profile: str | None = None,
) -> None:
    """Run a community's recorded data; after an interruption, or with more readings, the same command goes on.

    A reading that was settled and is another one now is settled again, as a difference in the next slot.

    Parameters
    ----------
    community
        Community file, as `init` writes it.
    state
        Folder for database and chain; without it a folder beside the community file.
    json
        Print the summary as one JSON object on stdout, and nothing else there.
    page
        Serve the page while the run goes on.
    stay
        Keep serving the page after the run, until Ctrl-C.
    port
        Where the page is served; the next free port if it is busy.
    seed
        Seed of the demo keys that sign, without --keys.
    compiled
        Use compiled code on all processors. It takes seconds to start, so it pays from a few hundred homes on. Needs
        the extra `compiled`; the result is the same.
    node
        Settle on a node elsewhere: http(s)://, ws(s):// or ipc:PATH; without it on a chain in the state folder.
    deployment
        File that `chain deploy` wrote; without it the run deploys its own contracts.
    final_blocks
        Blocks on top of one after which what members decided in it counts.
    token
        Address of an ERC-20 of nine decimals to settle in; the on-ramp needs to hold what is staked and paid in.
    keys
        Folder of your own keys, as `keys new` makes it; needed on every chain but a development one.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    discard_chain
        Begin anew although the chain in the state folder has committed slots that the database does not have: that
        chain is deleted, with all that it proves.
    accept_corrections
        Your word for readings that correct more than 1 % of the settled ones: the 16 digits that `run` told with them.
    profile
        How to read the readings: the name of a profile that ships, or a TOML file; without it the one of the
        community file, or it is found.
    """
    from transactive.cli.run.actions import run_community

    run_community(
        community,
        state=state,
        json=json,
        page=page,
        stay=stay,
        port=port,
        seed=seed,
        compiled=compiled,
        node=node,
        deployment=deployment,
        final_blocks=final_blocks,
        token=token,
        keys=keys,
        password_file=password_file,
        discard_chain=discard_chain,
        accept_corrections=accept_corrections,
        profile=profile,
    )


def serve(
    *,
    state: Path,
    port: int = 8080,
    host: str = "127.0.0.1",
    node: str | None = None,
    deployment: Path | None = None,
) -> None:
    """Serve the page and the API over the state of a run.

    Parameters
    ----------
    state
        Folder of the run.
    port
        Where they are served; the next free port if it is busy.
    host
        Address to listen on; any but this machine's own needs a token first.
        At this machine a printed link lets your browser in.
    node
        Chain on which members decide, if it is not the one that the run noted.
    deployment
        Its contracts with a governor, to show how members decide.
    """
    from transactive.cli.run.serve import serve_state

    serve_state(state, port, host, node, deployment)
