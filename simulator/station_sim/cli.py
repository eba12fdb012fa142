"""The command `station-lab`: finds subcommands, and turns errors into one line and an exit code.

Subcommands come from the entry points of group `station_lab.commands`; each is imported when it is
called, so that help is quick and a missing extra hurts its own command only. The room's own,
`broker`, is known without looking for them, for tests start it very often. What a subcommand does
lives in the room that it belongs to.

Exit codes: what the subcommand returns or exits with; 2 for foreseeable trouble; 130 for Ctrl-C.
"""

import errno
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from station_sim.errors import LabError
from station_sim.kafka.command import broker

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PROGRAM = "station-lab"
COMMANDS_GROUP = "station_lab.commands"

EXIT_TROUBLE = 2
EXIT_INTERRUPTED = 130

SHORT_HELP = {
    "broker": "Run the simulated Kafka as a server.",
    "check-config": "Check a configuration and say what a service would do with it.",
    "lag": "Show how far a service's groups are behind.",
    "load": "Put load on a service with Apache Kafka, and measure it.",
    "replay": "Send recorded records again.",
    "run": "Live through stories, and check what the service did.",
    "serve": "Run a callback as a service, with health and metrics.",
    "simulate": "Tell what a charging network says, to files or to Kafka.",
    "validate": "Hold a simulated network to published figures.",
    "verify-group-ids": "Show which group reads which topic, and what each has committed.",
}
"""What `--help` says of each subcommand, without importing it."""

EXTRAS = {
    "sim": (
        "cramjam",
        "faker",
        "h11",
        "holidays",
        "jinja2",
        "msgspec",
        "pandas",
        "plotly",
        "pvlib",
        "pyarrow",
        "re2",
        "rich",
        "simpy",
    ),
    "kafka": ("docker", "testcontainers"),
    "load": ("gevent", "hdrh", "locust"),
    "serve": ("prometheus_client",),
}
"""Which extra of the distribution brings a module."""


class LazyGroup(click.Group):
    """A group whose commands are entry points, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All subcommands, in alphabetical order."""
        return sorted(_entry_points())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand, imported; raises `LabError` when it needs an extra that is not there."""
        if cmd_name == broker.name:
            return broker
        found = _entry_points().get(cmd_name)
        return _load(found) if found else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest command suggested for one that does not exist."""
        if args and args[0] != broker.name:
            known = self.list_commands(ctx)
            if args[0] not in known:
                raise click.UsageError(_unknown_command(args[0], known), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, but output that nobody reads is trouble; click's own 1 says "violated"."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _forget_output()
            raise click.exceptions.Exit(EXIT_TROUBLE) from None
        except ModuleNotFoundError as error:
            # A command imports what it needs when it runs.
            raise _missing_extra(ctx.invoked_subcommand, error) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of subcommands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, SHORT_HELP.get(name, "")) for name in _entry_points()])


@click.group(PROGRAM, cls=LazyGroup, invoke_without_command=True)
@click.option("-v", "--verbose", is_flag=True, help="Show the log of the lab and of its clients.")
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM)
@click.pass_context
def station_lab(ctx: click.Context, verbose: bool) -> None:
    """Kafka services for charging stations, and the world to test them in before production."""
    if verbose:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    else:
        logging.getLogger().addHandler(logging.NullHandler())
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    interrupt_on_sigterm()
    open_closed_output()
    sys.exit(run(arguments))


def verify_group_id_fix() -> NoReturn:
    """Run `station-lab verify-group-ids` under the name that the reference gives it."""
    main(["verify-group-ids", *sys.argv[1:]])


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        result = station_lab.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        return _complain(_usage_line(error))
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _forget_output()
            return _complain(f"output cannot be written: {error.strerror}; make room")
        if not _is_foreseeable(error):
            raise
        return _complain(str(error))
    return result if isinstance(result, int) else 0


def interrupt_on_sigterm() -> None:
    """Let SIGTERM end a command as Ctrl-C does: in order, with nothing left running."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: object) -> None:
    # Shells have what scripts put in the background ignore Ctrl-C; it is to end all the same.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def open_closed_output() -> None:
    """Let what is written to a stream that is closed (`2>&-`) go nowhere, instead of failing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # as long as the process


def _forget_output() -> None:
    """Flushing the rest at exit must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _entry_points() -> "dict[str, EntryPoint]":
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=COMMANDS_GROUP), key=lambda each: each.name)
    return {each.name: each for each in found}


def _load(found: "EntryPoint") -> click.Command:
    try:
        command: Any = found.load()
    except ModuleNotFoundError as error:
        raise _missing_extra(found.name, error) from error
    assert isinstance(command, click.Command), f"{found.value} is not a command"
    return command


def _missing_extra(command: str | None, error: ModuleNotFoundError) -> Exception:
    """What to tell of a module that is not there: how to have it, or the error if it is a bug."""
    missing = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if missing in modules:
            return LabError(
                f"{PROGRAM} {command} needs the '{extra}' extra: pip install '{PROGRAM}[{extra}]'"
            )
    return error


def _unknown_command(name: str, known: Sequence[str]) -> str:
    import difflib

    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    suggestion = f"did you mean '{nearest[0]}'?" if nearest else f"there are {', '.join(known)}"
    return f"unknown command '{name}'; {suggestion}"


def _usage_line(error: click.ClickException) -> str:
    message = error.format_message()
    ctx = getattr(error, "ctx", None)
    return f"{message.rstrip('.')} (see {ctx.command_path} --help)" if ctx else message


def _is_foreseeable(error: Exception) -> bool:
    if isinstance(error, LabError):
        return True
    # Whoever raised the library's error has imported it; importing it here would cost every start.
    errors = sys.modules.get("data_analysis.errors")
    return errors is not None and isinstance(error, errors.DataAnalysisError)


def _complain(text: str) -> int:
    line = " ".join(text.split())
    if not line.startswith(PROGRAM):
        line = f"{PROGRAM}: {line}"
    click.echo(line, err=True)
    return EXIT_TROUBLE


if __name__ == "__main__":
    main()
