"""The blocking service: performs the engine's effects with kafka-python and threads.

The public methods are here and in `data_analysis.service_base`, and may be called from any thread;
what lives between start and stop is in `data_analysis.sync_run`.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from data_analysis import config as default_config
from data_analysis.batches import check_batch_handler
from data_analysis.clock import Clock
from data_analysis.effects import Effect
from data_analysis.errors import ConfigurationError, DataAnalysisError, KafkaConnectionError
from data_analysis.kafka.consumer import KafkaConsumerClient
from data_analysis.kafka.producer import KafkaProducerClient
from data_analysis.options import ServiceOptions, check_plain
from data_analysis.service_base import STOPPED_EARLY, ServiceBase
from data_analysis.settings import topic_names
from data_analysis.sync_gap_reports import GapReports
from data_analysis.sync_run import SyncRun
from data_analysis.sync_stations import StationThreads


class DataAnalysisService(ServiceBase):
    """Consumes station topics, keeps windows, calls back per record and station, uploads results.

    Callbacks and handlers are plain functions. They run in a pool of threads: those of one station
    one after another, those of different stations side by side.

    Args:
        module_name: the business module whose input callbacks get and whose name the output topic
            carries; without it callbacks get `{module: input}` and nothing is uploaded.
        topics: what to consume; all configured topics by default.
        kafka_config: nested or flat; `KAFKA_CONFIG` of the configuration by default.
        data_expire_seconds: age at which a window is emptied.
        output_topic_prefix: the output topic is this and the module's name in upper case.
        result_handler: `(station_id, result)`, after the upload.
        config: where configuration is read: a module or an object with its names.
        clock: where `time()` and `monotonic()` come from.
        window_form: "list", or "array": read-only NumPy views.
        padding: "none", "zero", "linear" or "forward".
        coalesce: one callback per poll and station instead of one per record and station.
        upload_results: False leaves results to the handlers.
        on_gap: `(GapEvent)`, in a thread of its own.
        on_callback_error: "skip", or "retry" with `callback_retries` further tries.
        callback_retries: see `on_callback_error`.
        dead_letter_topic: where records go that cannot be used.
        warm_start: whether windows are filled, from records that were handled before, when
            partitions are assigned; nobody is called for those.
        max_workers: callbacks that run at a time.
        max_pending_records: most records in work at a time.
        stop_timeout_seconds: how long `stop` waits for running callbacks.
        instance_id: client id and static group membership.
        batch_handler_retries: how often a batch handler that raised is called again.
        lag_refresh_seconds: how often Kafka is asked for what `consumer.get_lag_info` returns.

    `batch_aggregator` gathers the results of batches; its `batch_timeout` and `cleanup_interval`
    may be changed at any time.

    Raises:
        ConfigurationError: a setting is not valid.
    """

    consumer: KafkaConsumerClient
    producer: KafkaProducerClient
    _gap_reports: GapReports
    _run: SyncRun | None

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
        max_workers: int = 32,
        max_pending_records: int = 10_000,
        stop_timeout_seconds: float = 30.0,
        instance_id: str | None = None,
        batch_handler_retries: int = 0,
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
            max_workers=max_workers,
            max_pending_records=max_pending_records,
            stop_timeout_seconds=stop_timeout_seconds,
            instance_id=instance_id,
            batch_handler_retries=batch_handler_retries,
            lag_refresh_seconds=lag_refresh_seconds,
        )
        check_plain("result_handler", result_handler)
        check_plain("on_gap", on_gap)
        self._lock = threading.RLock()
        super().__init__(options, kafka_config, config, clock, self._lock)
        self._own_callbacks: dict[str, Callable[..., Any]] = {}
        self._ended = threading.Event()
        self._make_parts()

    def start(
        self,
        callback: Callable[..., Any] | None = None,
        background: bool = True,
        *,
        batch_upload_handler: Callable[..., Any] | None = None,
    ) -> None:
        """Connect; returns when positions are known, and work goes on in other threads.

        Args:
            callback: `(station_id, module_input) -> result`; without one, windows are kept and
                nothing is called.
            background: False blocks until `stop`, or until Ctrl-C, which stops the service.
            batch_upload_handler: `(batch_id, results_list)`: gets the results of all stations of a
                SCHEDULE-STATION-REALTIME-DATA record at once, which then are not uploaded and go to
                no `result_handler`.

        Raises:
            KafkaConnectionError: Kafka cannot be reached.
            ConfigurationError: an argument is not valid, a coroutine function above all.
            DataAnalysisError: it was started before, or stopped meanwhile; in the foreground also:
                something inside has failed, which ends the service.
        """
        check_batch_handler(batch_upload_handler)
        check_plain("callback", callback)
        check_plain("batch_upload_handler", batch_upload_handler)
        with self._lock:
            self._check_first_start()
            self._call(callback, batch_upload_handler)
            run = self._run = self._make_run()
        try:
            run.start()
        except BaseException as error:
            run.abort()
            with self._lock:
                self._run = None
                self._make_parts()
                stopped = self._stopped
            if stopped and isinstance(error, KafkaConnectionError):
                raise DataAnalysisError(STOPPED_EARLY) from error
            raise
        if not background:
            try:
                self._ended.wait()
            finally:
                self.stop()
            if run.failure.text is not None:
                raise DataAnalysisError(run.failure.text)

    def stop(self) -> None:
        """Stop fetching, finish what runs within a limit, upload, commit, close; twice is fine."""
        with self._lock:
            run = self._run
            if run is None or self._stopped:
                return
            self._stopped = True
        try:
            run.stop()
        finally:
            with self._lock:
                self._run = None
            self._ended.set()

    def get_all_inputs(self, station_id: str) -> dict[str, Any]:
        """Return `{module: input}` of one station as it is now."""
        dispatcher = self.dispatcher
        with self._lock:
            inputs = dispatcher.inputs(None)
            views = dispatcher.views(station_id, None, self._clock.time())
        return inputs.assemble(station_id, views, dispatcher.window_form)

    def get_outputs(self, station_id: str) -> dict[str, Any]:
        """Return what `get_all_inputs` returns."""
        return self.get_all_inputs(station_id)

    def add_station(self, station_id: str, callback: Callable[..., Any]) -> None:
        """Make a station known and give it a callback of its own."""
        if not callable(callback):
            raise ConfigurationError(f"callback must be callable, got {callback!r}")
        check_plain("callback", callback)
        with self._lock:
            self._own_callbacks[station_id] = callback
            self.engine.add_station(station_id, self._clock.time())

    def remove_station(self, station_id: str) -> None:
        """Forget a station; its records are passed over until it is added again."""
        with self._lock:
            self._perform(self.engine.remove_station(station_id))
        self._stations.wait_for([station_id], self.options.stop_timeout_seconds)
        with self._lock:
            self._own_callbacks.pop(station_id, None)
            self._stations.forget(station_id)

    def get_station_status(self) -> dict[str, dict[str, Any]]:
        """Return `{station_id: {"running": bool, "future": Future or None}}`."""
        with self._lock:
            return self._station_status("future", self._stations.futures())

    # The parts of a running service, and what they call.

    def _make_parts(self) -> None:
        """Make the clients and pools of one run, none of which is in use yet."""
        self._gap_reports = GapReports(self.options.on_gap, self.engine.counters)
        self._stations = StationThreads(
            self.engine,
            self._lock,
            self._callbacks,
            self._own_callbacks,
            self._perform,
            self._clock,
            self.options.max_workers,
            self._failed,
        )
        self._make_clients()

    def _make_clients(self) -> None:
        instance_id = self.options.instance_id
        self.consumer = KafkaConsumerClient(
            self.topics,
            self._kafka,
            resets=False,
            instance_id=instance_id,
            connect=False,
            lag_refresh_seconds=self.options.lag_refresh_seconds,
        )
        self.producer = KafkaProducerClient(
            self._kafka_config, instance_id=instance_id, connect=False
        )

    def _make_run(self) -> SyncRun:
        return SyncRun(
            self.engine,
            self._lock,
            self.consumer,
            self.producer,
            self._stations,
            self.options,
            self._clock,
            self._gap_reports,
            self.batch_aggregator,
            self._ended.set,
        )

    def _perform(self, effects: Sequence[Effect]) -> None:
        # A callback that stops its own service returns to nobody.
        if self._run is not None:
            self._run.perform(effects)
