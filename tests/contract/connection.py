"""One plain connection to a broker, on which requests are sent and answers decoded, version by
version.

No client logic: no retries, no metadata, no version negotiation. The codec is kafka-python's
generated classes.
"""

import asyncio
import struct
from typing import Any

from kafka.protocol.api_header import ResponseClassRegistry

ANSWER_TIMEOUT_S = 20.0  # longer than any wait that a case asks of the broker


class Connection:
    """Frames in, frames out. Answers come in the order of the requests, as Kafka promises."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._last_correlation_id = 0

    @classmethod
    async def open(cls, bootstrap: str) -> "Connection":
        """Connect to `host:port`."""
        host, _, port = bootstrap.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        return cls(reader, writer)

    async def ask(self, request: Any, version: int) -> Any:
        """Send `request` at `version`; return its decoded answer, or None where none is due
        (acks=0).
        """
        correlation_id = self.send(request, version)
        if not request.expect_response():
            return None
        return await self.answer(request, version, correlation_id)

    def send(self, request: Any, version: int) -> int:
        """Send without waiting; return the correlation id that the answer will carry."""
        self._last_correlation_id += 1
        request.API_VERSION = version
        request.with_header(correlation_id=self._last_correlation_id, client_id="contract")
        self.send_bytes(bytes(request.encode(header=True, framed=True)))
        return self._last_correlation_id

    def send_bytes(self, frame: bytes) -> None:
        """Send bytes as they are, length prefix included."""
        self._writer.write(frame)

    async def answer(self, request: Any, version: int, correlation_id: int) -> Any:
        """Read the next answer, which must be that of `request`."""
        frame = await self.frame()
        response_class = ResponseClassRegistry.get_response_class(request.header)
        response = response_class.decode(frame, version=version, header=True)
        assert correlation_id == response.header.correlation_id
        return response

    async def frame(self) -> bytes:
        """Read one frame without its length; raises `IncompleteReadError` when the broker hangs
        up.
        """
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            (length,) = struct.unpack(">i", await self._reader.readexactly(4))
            return await self._reader.readexactly(length)

    async def hung_up(self) -> bool:
        """Wait for the broker's next move; True if it is to close the connection unanswered."""
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            try:
                return await self._reader.read(1) == b""
            except ConnectionError:
                return True

    async def close(self) -> None:
        """Close, and wait until closed."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return  # the broker was first
