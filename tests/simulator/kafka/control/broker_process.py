"""A broker with a control in a process of its own, asked as curl would ask it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

WITHIN_S = 30


class Asked:
    """One process: where it listens, and a question to its control."""

    def __init__(self, bootstrap: str, control: str) -> None:
        self.bootstrap = bootstrap
        self.control = control

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """(status, what was told); a body that is no bytes is sent as JSON."""
        address = urlsplit(self.control)
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=WITHIN_S
        )
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@contextmanager
def controlled(*options: str) -> Iterator[Asked]:
    """A broker on free ports with a control, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "station_sim.kafka", "--port", "0", "--control", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        bootstrap = process.stdout.readline().removeprefix("listening on ").strip()
        control = process.stdout.readline().removeprefix("control on ").strip()
        yield Asked(bootstrap, control)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
