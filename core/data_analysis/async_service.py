"""The asynchronous service: performs the engine's effects with aiokafka on the running loop.

The public methods are here and in `data_analysis.service_base`; what lives between start and stop
is in `data_analysis.async_run`.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from data_analysis import config as default_config
from data_analysis.async_gap_reports import GapReports
from data_analysis.async_run import AsyncRun
from data_analysis.async_stations import StationTasks
from data_analysis.async_threads import CallbackThreads
from data_analysis.batches import check_batch_handler
from data_analysis.clock import Clock, SystemClock
from data_analysis.effects import Effect
from data_analysis.errors import ConfigurationError, DataAnalysisError
from data_analysis.kafka.async_consumers import AsyncKafkaConsumerClient
from data_analysis.kafka.async_producer import AsyncKafkaProducerClient
from data_analysis.options import ServiceOptions, check_callable
from data_analysis.service_base import STOPPED_EARLY, ServiceBase
from data_analysis.settings import topic_names

logger = logging.getLogger(__name__)


class AsyncDataAnalysisService(ServiceBase):
    """Consumes station topics, keeps windows, calls back per record and station, uploads results.

    Args:
        module_name: the business module whose input callbacks get and whose name the output topic
            carries; without it callbacks get `{module: input}` and nothing is uploaded.
        topics: what to consume; all configured topics by default.
        kafka_config: nested or flat; `KAFKA_CONFIG` of the configuration by default.
        data_expire_seconds: age at which a window is emptied.
        output_topic_prefix: the output topic is this and the module's name in upper case.
        result_handler: `(station_id, result)`, sync or async, after the upload.
        config: where configuration is read: a module or an object with its names.
        clock: where `time()` and `monotonic()` come from.
        window_form: "list", or "array": read-only NumPy views.
        padding: "none", "zero", "linear" or "forward".
        coalesce: one callback per poll and station instead of one per record and station.
        upload_results: False leaves results to the handlers.
        on_gap: `(GapEvent)`, sync or async.
        on_callback_error: "skip", or "retry" with `callback_retries` further tries.
        callback_retries: see `on_callback_error`.
        dead_letter_topic: where records go that cannot be used.
        warm_start: whether windows are filled, from records that were handled before, when
            partitions are assigned; nobody is called for those.
        max_pending_records: most records in work at a time.
        stop_timeout_seconds: how long `stop` waits for running callbacks.
        instance_id: client id and static group membership.
        callback_stall_seconds: a callback that holds the loop longer is named in a warning.
        batch_handler_retries: how often a batch handler that raised is called again.
        max_workers: threads for callbacks, with `run_callbacks_in="threads"`.
        run_callbacks_in: "loop", or "threads" for callbacks and result handlers that block;
            coroutine functions run on the loop.
        lag_refresh_seconds: how often Kafka is asked for what `consumer.get_lag_info` returns.

    `batch_aggregator` gathers the results of batches; its `batch_timeout` and `cleanup_interval`
    may be changed at any time.

    Raises:
        ConfigurationError: a setting is not valid.
    """

    consumer: AsyncKafkaConsumerClient
    producer: AsyncKafkaProducerClient
    _gap_reports: GapReports
    _run: AsyncRun | None

    def __init__(
        self,
        module_name: str | None = None,
        topics: list[str] | None = None,
        kafka_config: dict[str, Any] | None = None,
        data_expire_seconds: float = 600,
        output_topic_prefix: str = "MODULE-OUTPUT-",
        result_handler: Callable[..., Any] | None = None,
        *,
        config: Any = default_config,
        clock: Clock | None = None,
        window_form: str = "list",
        padding: str = "none",
        coalesce: bool = False,
        upload_results: bool = True,
        on_gap: Callable[..., Any] | None = None,
        on_callback_error: str = "skip",
        callback_retries: int = 0,
        dead_letter_topic: str | None = None,
        warm_start: bool = False,
        max_pending_records: int = 10_000,
        stop_timeout_seconds: float = 30.0,
        instance_id: str | None = None,
        callback_stall_seconds: float = 1.0,
        batch_handler_retries: int = 0,
        max_workers: int = 32,
        run_callbacks_in: str = "loop",
        lag_refresh_seconds: float = 5.0,
    ) -> None:
        options = ServiceOptions(
            module_name=module_name,
            topics=topic_names(topics),
            data_expire_seconds=data_expire_seconds,
            output_topic_prefix=output_topic_prefix,
            result_handler=result_handler,
            window_form=window_form,
            padding=padding,
            coalesce=coalesce,
            upload_results=upload_results,
            on_gap=on_gap,
            on_callback_error=on_callback_error,
            callback_retries=callback_retries,
            dead_letter_topic=dead_letter_topic,
            warm_start=warm_start,
            max_pending_records=max_pending_records,
            stop_timeout_seconds=stop_timeout_seconds,
            instance_id=instance_id,
            callback_stall_seconds=callback_stall_seconds,
            batch_handler_retries=batch_handler_retries,
            max_workers=max_workers,
            run_callbacks_in=run_callbacks_in,
            lag_refresh_seconds=lag_refresh_seconds,
        )
        clock = clock or SystemClock()
        super().__init__(options, kafka_config, config, clock, nullcontext())
        self._threads = CallbackThreads(max_workers) if run_callbacks_in == "threads" else None
        self._stations = StationTasks(
            self.engine,
            self._callbacks,
            self._perform,
            self._clock,
            callback_stall_seconds,
            self._threads,
            self._failed,
        )
        self._starting: asyncio.Task[None] | None = None
        self._stopped_early = False
        self._gap_reports = GapReports(on_gap, self.engine.counters)
        self._make_clients()

    async def start(
        self,
        callback: Callable[..., Any] | None = None,
        result_handler: Callable[..., Any] | None = None,
        batch_upload_handler: Callable[..., Any] | None = None,
    ) -> None:
        """Connect; returns when positions are known, and work goes on in the background.

        Args:
            callback: `(station_id, module_input) -> result`, sync or async; without one,
                windows are kept and nothing is called.
            result_handler: `(station_id, module_input, result)`, sync or async, after the upload.
            batch_upload_handler: `(batch_id, results_list)`, sync or async: gets the results of
                all stations of a SCHEDULE-STATION-REALTIME-DATA record at once, which then are not
                uploaded and go to no `result_handler`.

        Raises:
            KafkaConnectionError: Kafka cannot be reached.
            ConfigurationError: an argument is not valid.
            DataAnalysisError: it was started before, or stopped meanwhile.
        """
        check_batch_handler(batch_upload_handler)
        check_callable("callback", callback)
        check_callable("result_handler", result_handler)
        self._check_first_start()
        self._callbacks.full_result = result_handler
        self._call(callback, batch_upload_handler)
        self._run = AsyncRun(
            self.engine,
            self.consumer,
            self.producer,
            self._stations,
            self.options,
            self._clock,
            self._gap_reports,
            self.batch_aggregator,
        )
        self._starting = asyncio.create_task(self._start(self._run))
        try:
            await self._starting
        except asyncio.CancelledError:
            if self._stopped_early:
                self._stopped = True
                raise DataAnalysisError(STOPPED_EARLY) from None
            raise
        finally:
            self._starting = None

    async def _start(self, run: AsyncRun) -> None:
        try:
            await run.start()
        except BaseException:
            await run.abort()
            self._run = None
            self._make_clients()
            raise

    async def stop(self) -> None:
        """Stop fetching, finish what runs within a limit, upload, commit, close; twice is fine."""
        starting = self._starting
        if starting is not None and not starting.done():
            self._stopped_early = True
            starting.cancel()
            await asyncio.wait([starting])
        if self._run is not None and not self._stopped:
            self._stopped = True
            try:
                await self._run.stop()
            finally:
                self._run = None
                if self._threads is not None:
                    self._threads.close()

    async def get_all_inputs(self, station_id: str) -> dict[str, Any]:
        """Return `{module: input}` of one station as it is now."""
        return self.dispatcher.get_all_inputs(station_id)

    async def get_outputs(self, station_id: str) -> dict[str, Any]:
        """Return what `get_all_inputs` returns."""
        return await self.get_all_inputs(station_id)

    async def add_station(self, station_id: str, callback: Callable[..., Any]) -> None:
        """Make a station known and give it a callback of its own."""
        if not callable(callback):
            raise ConfigurationError(f"callback must be callable, got {callback!r}")
        self._stations.own[station_id] = callback
        self.engine.add_station(station_id, self._clock.time())

    async def remove_station(self, station_id: str) -> None:
        """Forget a station; its records are passed over until it is added again."""
        self._perform(self.engine.remove_station(station_id))
        working = self.engine.works_for(station_id)
        task = self._stations.tasks.get(station_id) if working else None
        if task is not None and task is not asyncio.current_task():
            await asyncio.wait([task], timeout=self.options.stop_timeout_seconds)
        self._stations.own.pop(station_id, None)
        self._stations.tasks.pop(station_id, None)

    def get_station_status(self) -> dict[str, dict[str, Any]]:
        """Return `{station_id: {"running": bool, "task": Task or None}}`."""
        return self._station_status("task", self._stations.tasks)

    # What the parts of a running service call.

    def _perform(self, effects: Sequence[Effect]) -> None:
        # A callback that stops its own service returns to nobody.
        if self._run is not None:
            self._run.perform(effects)

    def _make_clients(self) -> None:
        instance_id = self.options.instance_id
        self.consumer = AsyncKafkaConsumerClient(
            self.topics,
            self._kafka,
            resets=False,
            instance_id=instance_id,
            lag_refresh_seconds=self.options.lag_refresh_seconds,
        )
        self.producer = AsyncKafkaProducerClient(self._kafka, instance_id=instance_id)
