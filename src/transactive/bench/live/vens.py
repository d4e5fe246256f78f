"""A thousand VENs that poll a VTN, each over a connection and with a token of its own, from a process beside it.

They ask for the prices of three days: first each at a moment of its own, again and again, then all at the same moment.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.errors import RuleBroken
from transactive.core.slots import DAY
from transactive.protocols.openadr.clients import COMMUNITY, FILE, ClientBook, Doorkeeper, VtnClient
from transactive.protocols.openadr.objects import ObjectKind, VenOfLogic
from transactive.protocols.openadr.published import price_events, programs_of, publish
from transactive.protocols.openadr.server import Served, VtnServer, allow_files
from transactive.protocols.openadr.vtn import Vtn
from transactive.store.folder import write_private
from transactive.store.protocols.openadr import ObjectBook
from transactive.store.read.advice import ClearedPrice

VENS, ROUNDS, EVERY_SECONDS = 1_000, 5, 10
"""VENs, how often each polls, and after how long again [s]."""
SLOT, DAYS = 3_600, 3
SECRET, KEY = "bench", "ab" * 32
SHARE = 99
"""Percent of polls whose slowest answer is told."""


@bench("openadr", summary="a thousand VENs that poll a VTN over connections of their own")
def openadr(_: BenchTimer) -> Iterator[Row]:
    """Measure once: about a minute."""
    with TemporaryDirectory() as place:
        tokens = _filled(Path(place))
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        server = context.Process(target=_serve, args=(Path(place), there), daemon=True)
        server.start()
        allow_files(VENS + 200)
        try:
            spread, at_once = asyncio.run(_polled(here.recv(), tokens))
        finally:
            here.send("end")
            server.join()
    for name, times in (("spread over 10 s", spread), ("all at once", at_once)):
        yield Row(name=f"{VENS:,} VENs, {name}: {SHARE} % of polls within", value=_slowest(times), unit="s")
        yield Row(name=f"{VENS:,} VENs, {name}: half of polls within", value=median(times), unit="s")


def _filled(folder: Path) -> list[str]:
    """Fill a folder with clients, their VENs and prices; tokens of the clients."""
    secret = hashlib.sha256(SECRET.encode()).hexdigest()
    clients = tuple(VtnClient(f"ven-{k}", "ven", secret) for k in range(VENS))
    write_private(folder / FILE, msgspec.json.encode(ClientBook(KEY, clients)))
    door, now = Doorkeeper(folder), int(time.time())
    first = now - now % DAY
    prices = [
        ClearedPrice(first + k * SLOT, 150_000 + k, 1_000, 280_000, 80_000, 30_000, 350) for k in range(DAYS * 24)
    ]
    with closing(ObjectBook(folder)) as book:
        vtn = Vtn(book, door, lambda _: None)
        publish(vtn, programs_of("EUR") | price_events(prices, SLOT))
        for client in clients:
            ven = VenOfLogic(client_id=client.id, ven_name=client.id, targets=(client.id,))
            vtn.create(COMMUNITY, ObjectKind.VEN, msgspec.json.encode(ven))
    return [_token(door, client.id, now) for client in clients]


def _token(door: Doorkeeper, name: str, now: int) -> str:
    given = door.token(name, SECRET, now)
    if given is None:
        raise RuleBroken("a client that was let in has a token")
    return given[0]


def _serve(folder: Path, to: Connection) -> None:
    """Serve the VTN of a folder until something is said."""
    server = VtnServer(folder, Served(port=0))
    server.start()
    to.send(server.port)
    to.recv()
    server.stop()


async def _polled(port: int, tokens: list[str]) -> tuple[list[float], list[float]]:
    """How long polls took [s]: spread over time, and all at once."""
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in tokens]
    go = asyncio.Event()
    spread: list[float] = []
    at_once: list[float] = []

    async def ven(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for round_ in range(ROUNDS):
            await asyncio.sleep(EVERY_SECONDS * (number / len(tokens) if round_ == 0 else 1))
            spread.append(await _poll(reader, writer, tokens[number]))
        await go.wait()
        at_once.append(await _poll(reader, writer, tokens[number]))
        writer.close()

    all_vens = [asyncio.create_task(ven(number, *line)) for number, line in enumerate(lines)]
    while len(spread) < ROUNDS * len(tokens) and not any(one.done() for one in all_vens):
        await asyncio.sleep(1)
    go.set()
    await asyncio.gather(*all_vens)
    return spread, at_once


async def _poll(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> float:
    """How long it takes to ask for prices and have all of them [s]. Raises RuleBroken for another answer."""
    began = time.perf_counter()
    asked = f"GET /events?programID=community-prices HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n"
    writer.write(asked.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    body = await reader.readexactly(int(fields[b"content-length"]))
    if not head.startswith(b"HTTP/1.1 200") or body.count(b"EXPORT_PRICE") != DAYS * 24:
        raise RuleBroken(f"a VTN tells its prices, and said {head[:60]!r}")
    return time.perf_counter() - began


def _slowest(times: list[float]) -> float:
    """The time within which so many polls are answered [s]."""
    return float(np.percentile(times, SHARE))
