"""Runs one scenario on one broker with one seed, to an outcome.

Virtual brokers in virtual time, all others on the standard loop. What is printed is `report.py`'s.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from station_scenarios.opening import Options, open_stage
from station_scenarios.outcome import Outcome, Verdict
from station_scenarios.scenario import Scenario
from station_scenarios.service import ServiceFactory
from station_scenarios.stage import Stage
from station_sim.brokers import open_broker
from station_sim.clock import run_virtual
from station_sim.errors import LabError
from station_sim.world.profile import Profile

log = logging.getLogger(__name__)

VIRTUAL = "virtual"
INTERRUPTED = "interrupted by Ctrl-C; this is what was found so far"


def _silently(now_s: float, duration_s: float) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Request:
    """What to run; `broker_options` go to `open_broker`, `progress` is told story seconds."""

    scenario: Scenario
    broker: str
    seed: int
    factory: ServiceFactory
    options: Options = field(default_factory=Options)
    broker_options: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[float, float], None] = _silently
    replay: str = ""


class _Run:
    """One run; keeps its stage, so that an interrupted one can be told of."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.stage: Stage | None = None

    async def live(self) -> None:
        """The story from the first topic made to the last commit judged."""
        request = self.request
        async with (
            open_broker(request.broker, **request.broker_options) as broker,
            open_stage(
                request.scenario,
                broker,
                seed=request.seed,
                options=request.options,
                factory=request.factory,
                progress=request.progress,
            ) as stage,
        ):
            self.stage = stage
            await request.scenario.tell(stage)
            await stage.heal()
            await stage.stop_service()
            await stage.judge()

    def in_its_time(self) -> None:
        """Live in the time of the broker."""
        if self.request.broker == VIRTUAL:
            epoch_s = Profile(stations=1).epoch_s
            run_virtual(self.live, seed=self.request.seed, epoch_s=epoch_s)
        else:
            asyncio.run(self.live())


def run_scenario(request: Request) -> Outcome:
    """Run to an outcome; also Ctrl-C and errors of the service or the story become one.

    Raises `LabError` when the broker or the stage cannot be had: the next run could not either.
    """
    run = _Run(request)
    error: str | None = None
    began_s = time.perf_counter()
    try:
        run.in_its_time()
    except KeyboardInterrupt:
        error = INTERRUPTED
    except SystemExit as trouble:
        error = f"the service ended the program: SystemExit: {trouble.code}"
    except LabError as trouble:
        if run.stage is None:
            raise
        error = str(trouble)
    except Exception as trouble:
        log.info("%s failed", request.scenario.name, exc_info=trouble)
        error = _one_line(trouble)
    return _outcome(run, error, time.perf_counter() - began_s)


def could_not_run(request: Request, error: LabError) -> Outcome:
    """The outcome of a run whose broker or stage could not be had."""
    return _outcome(_Run(request), str(error), 0.0)


def _outcome(run: _Run, error: str | None, wall_s: float) -> Outcome:
    request, stage = run.request, run.stage
    violations = stage.checker.violations.listed if stage else []
    verdict = Verdict.ERROR if error else Verdict.VIOLATED if violations else Verdict.HELD
    return Outcome(
        scenario=request.scenario.name,
        broker=request.broker,
        seed=request.seed,
        verdict=verdict,
        digest=stage.observables.digest() if stage and stage.broker.is_virtual else None,
        violations=violations,
        counts=stage.counts() if stage else {},
        story_s=stage.driver.now_s if stage else 0.0,
        wall_s=wall_s,
        error=error,
        interrupted=error is INTERRUPTED,
        replay=request.replay,
    )


def _one_line(error: BaseException) -> str:
    """What went wrong and where, in one line."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    file = where.filename.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{type(error).__name__}: {text} ({file}:{where.lineno} in {where.name})"
