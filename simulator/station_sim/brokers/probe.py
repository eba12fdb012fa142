"""The plainest question to a Kafka: which versions it speaks.

It tells a broker from an open port, such as the one that Docker's proxy opens before Kafka
listens; the real clients log an error at each refusal.
"""

import asyncio
import struct

from station_sim.brokers.retrying import NotYetError

API_VERSIONS = 18
CORRELATION_ID = 1
NO_CLIENT_ID = -1

_HEADER = struct.pack(">hhih", API_VERSIONS, 0, CORRELATION_ID, NO_CLIENT_ID)
_REQUEST = struct.pack(">i", len(_HEADER)) + _HEADER


async def probe(bootstrap: str) -> None:
    """Returns when Kafka at `host:port` has answered; raises `OSError` or `NotYetError`."""
    host, _, port = bootstrap.rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        writer.write(_REQUEST)
        _size, correlation_id = struct.unpack(">ii", await reader.readexactly(8))
    except asyncio.IncompleteReadError:
        raise NotYetError("it closed the connection without an answer") from None
    finally:
        writer.close()
    if correlation_id != CORRELATION_ID:
        raise NotYetError("what listens there is no Kafka")
