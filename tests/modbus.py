"""A Modbus device that is not ours: pymodbus as a server, on a port of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.waiting import until


@contextmanager
def modbus_server(first: int, words: list[int]) -> Iterator[int]:
    """Serve words from an address on; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    loop = asyncio.new_event_loop()
    server: list[ModbusTcpServer] = []

    async def serve():
        data = SimData(first, values=words, datatype=DataType.REGISTERS)
        server.append(ModbusTcpServer(SimDevice(1, simdata=[data]), address=("127.0.0.1", port)))
        await server[0].serve_forever()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()

    def answers():
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", port)) == 0

    until(answers, "a Modbus device on its port")
    yield port
    asyncio.run_coroutine_threadsafe(server[0].shutdown(), loop).result()
    thread.join()
    loop.close()
