"""One load run: a broker, topics, the service and the senders in processes of their own, a report.

Which options a user has is in `command.py`; what is printed is in `report.py`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from station_load.child import Child
from station_load.plan import INPUT_TOPIC, OUTPUT_TOPIC, LoadPlan
from station_load.progress import RunProgress
from station_load.report import Account, Report, make_report
from station_load.results import ResultReader
from station_load.service import ServiceSetup
from station_load.thresholds import Threshold
from station_sim.brokers import KINDS, Broker, TopicSpec, open_broker
from station_sim.errors import LabError
from station_sim.named_object import split_name

DEFAULT_SERVICE = "data_analysis:AsyncDataAnalysisService"
DEFAULT_CALLBACK = "station_load.service:mean_of_last_hour"

READY_WITHIN_S = 60.0
"""How long the service may take to start, its group's first rebalance included."""

SENDING_GRACE_S = 60.0
"""How much longer than its schedule the sending process may take in all."""

TICK_S = 0.1
BROKER_CHECK_EVERY_S = 1.0


@dataclass(frozen=True)
class Target:
    """What the load is put on: a kind of broker or an address, a service and a model.

    `service` and `callback` are `pkg.mod:name`s, found in the service's process.
    """

    broker: str = "docker"
    service: str = DEFAULT_SERVICE
    callback: str = DEFAULT_CALLBACK
    allow_remote: bool = False
    use_existing_topics: bool = False

    def __post_init__(self) -> None:
        split_name(self.service, option="--service", what="factory")
        split_name(self.callback, option="--callback", what="function")

    @property
    def broker_options(self) -> dict[str, Any]:
        """The options of `open_broker`; only a broker that is not ours has the two of safety."""
        if self.broker in KINDS:
            return {}
        return {
            "allow_remote": self.allow_remote,
            "use_existing_topics": self.use_existing_topics,
        }


async def run_load(
    plan: LoadPlan, target: Target, thresholds: Sequence[Threshold], progress: RunProgress
) -> Report:
    """Run a plan; a cancellation while records are sent ends the run with what was found so far.

    Raises `LabError` when the run cannot be had: no broker, no service, no answer.
    """
    if target.broker == "virtual":
        raise LabError("load needs real time; choose --broker docker, jvm, embedded or host:port")
    run = time.time_ns() // 1_000_000
    async with (
        open_broker(target.broker, **target.broker_options) as broker,
        _topics(broker, plan) as fresh,
        ResultReader(broker.bootstrap, OUTPUT_TOPIC, plan.partitions, run=run) as reader,
        _service(broker, target, run, fresh) as service,
    ):
        watch = Watch(plan, broker, service, reader, progress)
        order = {"bootstrap": broker.bootstrap, "run": run, "plan": plan.as_json()}
        async with Child("the sending process", "station_load.sending", order) as sender:
            interrupted = False
            try:
                account = await watch.send(sender)
                await watch.drain(account)
            except asyncio.CancelledError:
                _forget_cancellation()
                interrupted = True
                account = await _account_so_far(sender)
        if not account.sent and not interrupted:
            raise LabError(f"Kafka acknowledged no record: {account.error}")
        return make_report(
            plan,
            reader.tally,
            account,
            broker=target.broker,
            thresholds=thresholds,
            interrupted=interrupted,
            hints=_hints(service, reader),
        )


class Watch:
    """Waits for the senders and for results, and sees that everything else lives meanwhile."""

    def __init__(
        self,
        plan: LoadPlan,
        broker: Broker,
        service: Child,
        reader: ResultReader,
        progress: RunProgress,
    ) -> None:
        self._plan = plan
        self._broker = broker
        self._service = service
        self._reader = reader
        self._progress = progress
        self._broker_checked_s = 0.0

    async def send(self, sender: Child) -> Account:
        """Returns the senders' account when they have sent everything."""
        self._progress.says("sending")
        began_s = time.monotonic()
        while (final := sender.answer("account")) is None:
            elapsed_s = time.monotonic() - began_s
            if elapsed_s > self._plan.duration_s + SENDING_GRACE_S:
                raise LabError("the sending process did not end; lower --rate or --stations")
            sent = (sender.answer("progress") or {"sent": 0})["sent"]
            self._show(elapsed_s, sent)
            await sender.check_alive()
            await self._tick()
        return Account.from_json(final)

    async def drain(self, account: Account) -> None:
        """Returns when every acknowledged record has a result, or when time for that is over."""
        self._progress.says("draining")
        deadline_s = time.monotonic() + self._plan.drain_s
        while self._reader.tally.missing(account.acknowledged) and time.monotonic() < deadline_s:
            self._show(self._plan.duration_s, account.sent)
            await self._tick()

    def _show(self, elapsed_s: float, sent: int) -> None:
        processed = self._reader.tally.processed
        self._progress.shows(elapsed_s=elapsed_s, sent=sent, processed=processed)

    async def _tick(self) -> None:
        await self._service.check_alive()
        self._reader.check_alive()
        if time.monotonic() - self._broker_checked_s > BROKER_CHECK_EVERY_S:
            await asyncio.to_thread(self._broker.check_alive)
            self._broker_checked_s = time.monotonic()
        await asyncio.sleep(TICK_S)


@asynccontextmanager
async def _topics(broker: Broker, plan: LoadPlan) -> AsyncIterator[bool]:
    """Topics for the run; yields whether the input is new. What was made is deleted afterwards."""
    names = (INPUT_TOPIC, OUTPUT_TOPIC)
    existing = set(await broker.topic_names())
    await broker.make_topics(*(TopicSpec(name, partitions=plan.partitions) for name in names))
    try:
        yield INPUT_TOPIC not in existing
    finally:
        if broker.kind not in KINDS:  # a broker of ours goes away with its topics
            await broker.delete_topics(*(name for name in names if name not in existing))


@asynccontextmanager
async def _service(broker: Broker, target: Target, run: int, fresh: bool) -> AsyncIterator[Child]:
    setup = ServiceSetup(
        bootstrap=broker.bootstrap,
        group_id=f"station-lab-load-{run}",
        auto_offset_reset="earliest" if fresh else "latest",
    )
    order = {"service": target.service, "callback": target.callback, "setup": asdict(setup)}
    async with Child("the service", "station_load.service_process", order) as service:
        await service.expect("ready", within_s=READY_WITHIN_S)
        yield service


def _hints(service: Child, reader: ResultReader) -> list[str]:
    hints = []
    if reader.unreadable:
        hints.append(f"{reader.unreadable} results carried no trace of their record")
    if service.last_words:
        hints.append(f"the service's last words: {service.last_words}")
    return hints


async def _account_so_far(sender: Child) -> Account:
    await sender.stop()
    final = sender.answer("account")
    return Account.from_json(final) if final else Account.empty()


def _forget_cancellation() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
