"""Metrics and health over HTTP: `/metrics` for Prometheus, `/live` and `/ready` for who restarts.

A thread serves them, so that a loop that is held by a callback still answers; what they tell is
read from the service at that moment.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from data_analysis.errors import ConfigurationError
from data_analysis.metrics import Observed, ServiceMetrics

StartResponse = Callable[..., Any]


class _Quiet(WSGIRequestHandler):
    """Writes no line for each scrape."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Say nothing."""


@contextmanager
def serve_probes(service: Observed, host: str, port: int) -> Iterator[int]:
    """Serve while the block runs; gives the port (0 takes a free one).

    Raises:
        ConfigurationError: the address cannot be had.
    """
    try:
        server = make_server(host, port, probes_of(service), handler_class=_Quiet)
    except OSError as error:
        raise ConfigurationError(
            f"metrics cannot be served at {host}:{port}: {error.strerror};"
            " choose another host or port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def probes_of(service: Observed) -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application of a service."""
    registry = CollectorRegistry()
    registry.register(ServiceMetrics(service, time.time))
    metrics = make_wsgi_app(registry)

    def probes(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path in ("/", "/metrics"):
            shown: Iterable[bytes] = metrics(environ, start_response)
            return shown
        if path in ("/live", "/ready"):
            return _probe(service.health(), path[1:], start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"there are /metrics, /live and /ready\n"]

    return probes


def _probe(health: dict[str, Any], key: str, start_response: StartResponse) -> Iterable[bytes]:
    status = "200 OK" if health[key] else "503 Service Unavailable"
    start_response(status, [("Content-Type", "application/json")])
    shown = {name: health[name] for name in ("status", "live", "ready", "reason")}
    return [json.dumps(shown).encode() + b"\n"]
