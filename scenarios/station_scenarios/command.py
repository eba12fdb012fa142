"""`station-lab run`: live through stories, and check what the service did.

Options and their checks live here; everything else is imported when the command runs, so that its
help is quick.
"""

import re
import shlex
from typing import TYPE_CHECKING, Any

import click

from station_sim.errors import LabError
from station_sim.finite_range import FiniteRange

if TYPE_CHECKING:
    from station_scenarios.outcome import Outcome
    from station_scenarios.runner import Request

EXIT_INTERRUPTED = 130
OWN_BROKERS = ("virtual", "embedded", "jvm", "docker")


@click.command("run")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--broker",
    default="virtual",
    show_default=True,
    metavar="B",
    help="virtual, embedded, jvm, docker or host:port.",
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="[default: 0]")
@click.option("--seeds", metavar="A..B", help="Run every seed from A to B instead.")
@click.option(
    "--service",
    "service_path",
    metavar="PKG.MOD:FACTORY",
    help="The service under test; default: data_analysis' asynchronous one.",
)
@click.option(
    "--stations",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stations, instead of the scenario's own number.",
)
@click.option(
    "--duration",
    "duration_h",
    metavar="H",
    type=FiniteRange(min=0, min_open=True),
    help="Story hours, instead of the scenario's own.",
)
@click.option(
    "--producers",
    type=click.Choice(["gateway", "per-station"]),
    default="gateway",
    show_default=True,
    help="One connection for all stations, or one for each.",
)
@click.option("--allow-remote", is_flag=True, help="Permit a broker that is not on this machine.")
@click.option("--use-existing-topics", is_flag=True, help="Permit topics that exist already.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
@click.option("--list", "only_list", is_flag=True, help="List the scenarios and end.")
def run(names: tuple[str, ...], **options: Any) -> int:
    """Live through the stories NAME (default: all), and check what the service did.

    Exit code: 0 all held, 1 an invariant was violated, 2 something could not run, 130 Ctrl-C.
    """
    if options.pop("only_list"):
        _list_scenarios()
        return 0
    as_json = options.pop("as_json")
    requests = _requests(names, **options)
    return _run_all(requests, as_json=as_json)


def _list_scenarios() -> None:
    from station_scenarios.stories import SCENARIOS

    width = max(map(len, SCENARIOS))
    for scenario in SCENARIOS.values():
        click.echo(f"{scenario.name:<{width}}  {scenario.summary}")


def _requests(
    names: tuple[str, ...],
    *,
    broker: str,
    seed: int | None,
    seeds: str | None,
    service_path: str | None,
    stations: int | None,
    duration_h: float | None,
    producers: Any,
    allow_remote: bool,
    use_existing_topics: bool,
) -> "list[Request]":
    """One request for each scenario and seed; everything that can be wrong is found here."""
    from station_scenarios.opening import Options
    from station_scenarios.runner import Request
    from station_scenarios.service import DEFAULT_SERVICE, load_factory

    scenarios = _scenarios(names)
    factory = load_factory(service_path or DEFAULT_SERVICE)
    remote = {"allow_remote": allow_remote, "use_existing_topics": use_existing_topics}
    changed = _changed_options(
        broker=broker,
        service=service_path,
        stations=stations,
        duration=duration_h,
        producers=None if producers == "gateway" else producers,
        **remote,
    )
    return [
        Request(
            scenario=scenario,
            broker=broker,
            seed=each,
            factory=factory,
            options=Options(stations, duration_h, producers),
            broker_options={} if broker in OWN_BROKERS else remote,
            replay=f"station-lab run {scenario.name} --seed {each}{changed}",
        )
        for each in _seeds(seed, seeds)
        for scenario in scenarios
    ]


def _scenarios(names: tuple[str, ...]) -> list[Any]:
    import difflib

    from station_scenarios.stories import SCENARIOS

    for name in names:
        if name not in SCENARIOS:
            near = difflib.get_close_matches(name, SCENARIOS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(SCENARIOS)}"
            raise LabError(f"unknown scenario {name!r}; {hint}")
    return [SCENARIOS[name] for name in names or SCENARIOS]


def _seeds(seed: int | None, seeds: str | None) -> range:
    if seeds is None:
        first = seed or 0
        return range(first, first + 1)
    if seed is not None:
        raise LabError(f"--seed {seed} and --seeds {seeds} exclude each other; give one of them")
    match = re.fullmatch(r"(\d+)\.\.(\d+)", seeds)
    if match is None or int(match[1]) > int(match[2]):
        raise LabError(f"--seeds wants A..B with A <= B, got {seeds!r}")
    return range(int(match[1]), int(match[2]) + 1)


def _changed_options(**options: Any) -> str:
    """The options of the replay command that are not the defaults."""
    words = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value not in (None, False) and (name, value) != ("broker", "virtual"):
            words.append(f"{flag} {shlex.quote(str(value))}")
    return "".join(f" {word}" for word in words)


def _run_all(requests: "list[Request]", *, as_json: bool) -> int:
    from station_scenarios.outcome import exit_code
    from station_scenarios.report import print_findings, print_json, print_table
    from station_scenarios.runner import could_not_run

    outcomes: list[Outcome] = []
    try:
        for request in requests:
            try:
                outcome = _run_one(request, with_bar=not as_json)
            except LabError as error:
                if as_json:
                    print_json(could_not_run(request, error))
                raise
            outcomes.append(outcome)
            if as_json:
                print_json(outcome)
            if outcome.interrupted:
                break
    finally:
        if outcomes and not as_json:
            print_table(outcomes)
        for outcome in outcomes:
            print_findings(outcome, to_stderr=as_json)
    return EXIT_INTERRUPTED if outcomes[-1].interrupted else exit_code(outcomes)


def _run_one(request: "Request", *, with_bar: bool) -> "Outcome":
    from dataclasses import replace

    from station_scenarios.progress import progress_bar
    from station_scenarios.runner import run_scenario

    title = f"{request.scenario.name} on {request.broker}, seed {request.seed}"
    with progress_bar(title, wanted=with_bar) as told:
        return run_scenario(replace(request, progress=told))
