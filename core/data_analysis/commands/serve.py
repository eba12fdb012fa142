"""`station-lab serve module:callback`: a callback as a service, with health and metrics.

Options and their checks live here; everything else is imported when the command runs, so that its
help is quick.
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

EXIT_INTERRUPTED = 130


@click.command("serve")
@click.argument("callback", metavar="MODULE:CALLBACK")
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration (.py or .toml) with the names of data_analysis.config.",
)
@click.option("--module", "module_name", help="The business module that the callback is.")
@click.option("--group-id", help="Consumer group, instead of the configuration's.")
@click.option("--bootstrap", metavar="HOST:PORT,...", help="Kafka, instead of the configuration's.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Serve /metrics, /live and /ready there; 0 takes a free port.",
)
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address for them.")
@click.option("--instance-id", help="Client id and static membership of this member.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Run a callback that blocks in so many threads; without, it runs on the event loop.",
)
@click.option("--warm-start", is_flag=True, help="Fill windows from what was handled before.")
@click.option(
    "--window-form",
    default="list",
    show_default=True,
    type=click.Choice(["list", "array"]),
    help="How windows are given; array: read-only NumPy views, never padded.",
)
@click.option("--coalesce", is_flag=True, help="Call once per poll and station, not per record.")
@click.option("--log-level", default="info", type=click.Choice(["debug", "info", "warning"]))
def serve(callback: str, **given: Any) -> int:
    """Run MODULE:CALLBACK for every record and station until SIGTERM or Ctrl-C.

    At its end, running callbacks finish, results are uploaded and offsets committed. SIGHUP reads
    the configuration file again. Exit code: 0 after SIGTERM, 130 after Ctrl-C, 2 if it could not
    start or has ended by itself.
    """
    import asyncio
    import logging
    import signal

    from data_analysis.commands.repeats import OncePerMinute
    from data_analysis.commands.serving import Order, serve_until_told

    logging.basicConfig(
        level=given.pop("log_level").upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(OncePerMinute("aiokafka"))
    order = Order(callback=load_callback(callback), **given)
    ended_by = asyncio.run(serve_until_told(order))
    return EXIT_INTERRUPTED if ended_by == signal.SIGINT else 0


def load_callback(path: str) -> Callable[..., Any]:
    """Return what `pkg.mod:name` names, also from the current directory.

    Raises:
        ConfigurationError: there is no such thing, or it cannot be called.
    """
    from data_analysis.errors import ConfigurationError

    module_name, _, name = path.partition(":")
    if not module_name or not name:
        raise ConfigurationError(
            f"the callback must be given as pkg.mod:name, got {path!r}; write it so"
        )
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever the user's module does when imported
        what = f"{type(error).__name__}: {error}"
        raise ConfigurationError(
            f"{module_name} cannot be imported: {what}; {_remedy(error, module_name, here)}"
        ) from error
    try:
        found = pkgutil.resolve_name(path)
    except AttributeError as error:
        place = getattr(module, "__file__", None) or module_name
        raise ConfigurationError(f"{path} is not there: {error}; define it in {place}") from error
    if not callable(found):
        raise ConfigurationError(
            f"{path} must be callable, got {found!r:.80}; name a function or a coroutine function"
        )
    return found  # type: ignore[no-any-return]  # resolve_name gives anything


def _remedy(error: BaseException, module_name: str, here: str) -> str:
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return f"mend {module_name}"
    if module_name == error.name or module_name.startswith(f"{error.name}."):
        return f"is it installed, or in {here}?"
    return f"install {error.name}, or mend {module_name}"
