"""The blocking service: performs the engine's effects with kafka-python and threads.

The public methods are here, and may be called from any thread; what lives between start and stop is
in `data_analysis.sync_run`.
"""

import copy
import inspect
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from data_analysis import config as default_config
from data_analysis.callbacks import Callbacks
from data_analysis.clock import Clock, SystemClock
from data_analysis.dispatcher import DataDispatcher
from data_analysis.effects import Effect
from data_analysis.engine import Engine, EngineOptions
from data_analysis.errors import ConfigurationError, DataAnalysisError
from data_analysis.health import health_of
from data_analysis.kafka.consumer import KafkaConsumerClient
from data_analysis.kafka.options import read_kafka_options
from data_analysis.kafka.producer import KafkaProducerClient
from data_analysis.kafka.sync_rebalances import Rebalances
from data_analysis.offsets import OffsetManager
from data_analysis.options import ServiceOptions
from data_analysis.settings import Settings
from data_analysis.sync_gap_reports import GapReports
from data_analysis.sync_run import SyncRun
from data_analysis.sync_stations import StationThreads

logger = logging.getLogger(__name__)


class DataAnalysisService:
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
        max_workers: callbacks that run at a time.
        max_pending_records: most records in work at a time.
        stop_timeout_seconds: how long `stop` waits for running callbacks.
        instance_id: client id and static group membership.

    Raises:
        ConfigurationError: a setting is not valid.
    """

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
        max_workers: int = 32,
        max_pending_records: int = 10_000,
        stop_timeout_seconds: float = 30.0,
        instance_id: str | None = None,
    ) -> None:
        self.options = ServiceOptions(
            module_name=module_name,
            output_topic_prefix=output_topic_prefix,
            window_form=window_form,
            padding=padding,
            coalesce=coalesce,
            upload_results=upload_results,
            on_gap=on_gap,
            on_callback_error=on_callback_error,
            callback_retries=callback_retries,
            dead_letter_topic=dead_letter_topic,
            max_pending_records=max_pending_records,
            stop_timeout_seconds=stop_timeout_seconds,
            instance_id=instance_id,
            callback_stall_seconds=1.0,
            batch_handler_retries=0,
            lag_refresh_seconds=5.0,
            max_workers=max_workers,
            run_callbacks_in="threads",
        )
        _check_plain("result_handler", result_handler)
        _check_plain("on_gap", on_gap)
        self._config = config
        self._clock = clock or SystemClock()
        self._topics = None if topics is None else list(topics)
        self._kafka_given = kafka_config
        self._kafka_config = copy.deepcopy(self._read_kafka_config())
        self.dispatcher = DataDispatcher(
            data_expire_seconds,
            config=config,
            clock=self._clock,
            window_form=window_form,
            padding=padding,
            output_topic_prefix=output_topic_prefix,
        )
        settings = self.dispatcher.settings
        self._check(settings)
        self.engine = Engine(
            self.dispatcher,
            OffsetManager.of(settings.offsets, self._clock),
            EngineOptions(
                module_name=module_name,
                output_topic=self.options.output_topic,
                coalesce=coalesce,
                callback_tries=self.options.callback_tries,
                dead_letter_topic=dead_letter_topic,
            ),
        )
        self._lock = threading.RLock()
        self._callbacks = Callbacks(result=result_handler)
        self._own_callbacks: dict[str, Callable[..., Any]] = {}
        self._run: SyncRun | None = None
        self._stopped = False
        self._ended = threading.Event()
        self._make_parts()

    @property
    def _global_data_cache(self) -> dict[str, Any]:
        """The newest data for all stations, by topic, under the reference's name."""
        return {topic: payload for topic, (payload, _) in self.dispatcher.global_data.items()}

    def start(self, callback: Callable[..., Any] | None = None, background: bool = True) -> None:
        """Connect; returns when positions are known, and work goes on in other threads.

        Args:
            callback: `(station_id, module_input) -> result`; without one, windows are kept and
                nothing is called.
            background: False blocks until `stop`, or until Ctrl-C, which stops the service.

        Raises:
            KafkaConnectionError: Kafka cannot be reached.
            ConfigurationError: the callback is a coroutine function.
        """
        _check_plain("callback", callback)
        with self._lock:
            if self._run is not None or self._stopped:
                raise DataAnalysisError("a service starts once; make a new one")
            self._callbacks.every = callback
            handles = self._callbacks.result is not None
            self.engine.call(all_stations=callback is not None, handlers=handles)
            run = self._run = self._make_run()
        self._say_at_start(callback)
        try:
            run.start()
        except BaseException:
            run.abort()
            with self._lock:
                self._run = None
                self._make_parts()
            raise
        if not background:
            try:
                self._ended.wait()
            finally:
                self.stop()

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
        _check_plain("callback", callback)
        with self._lock:
            self._own_callbacks[station_id] = callback
            self.engine.add_station(station_id, self._clock.time())

    def remove_station(self, station_id: str) -> None:
        """Forget a station; its records are passed over until it is added again."""
        with self._lock:
            self.engine.remove_station(station_id)
        self._stations.wait_for([station_id], self.options.stop_timeout_seconds)
        with self._lock:
            self._own_callbacks.pop(station_id, None)
            self._stations.futures.pop(station_id, None)

    def reload_config(self) -> None:
        """Read the configuration again: topics, windows, modules, dependencies.

        Raises:
            ConfigurationError: it is not valid, or Kafka's settings have changed; nothing has
                changed then.
        """
        settings = self.dispatcher.load_settings(self._config)
        self._check(settings)
        if self._read_kafka_config() != self._kafka_config:
            raise ConfigurationError(
                "KAFKA_CONFIG has changed, which a reload cannot apply; restart the service"
            )
        with self._lock:
            before = self.topics
            self.engine.configure(settings)
            if self._run is not None and self.topics != before:
                self._run.resubscribe(self.topics)

    @property
    def topics(self) -> list[str]:
        """What is consumed, in configuration order."""
        if self._topics is not None:
            return self._topics
        return self.dispatcher.settings.consumed(self.options.module_name)

    def get_station_status(self) -> dict[str, dict[str, Any]]:
        """Return `{station_id: {"running": bool, "future": Future or None}}`."""
        with self._lock:
            futures = self._stations.futures
            return {
                station_id: {"running": self._run is not None, "future": futures.get(station_id)}
                for station_id in self.dispatcher.station_ids()
            }

    def get_service_status(self) -> dict[str, Any]:
        """Return whether polling and the clients are alive, and how many stations are known."""
        with self._lock:
            return {
                "main_thread_alive": self._run is not None and self._run.polling,
                "consumer_alive": self.consumer.alive,
                "producer_alive": self.producer.alive,
                "station_count": len(self.dispatcher.station_ids()),
            }

    def health(self) -> dict[str, Any]:
        """Return what an operator asks first; see `data_analysis.health` for the keys."""
        with self._lock:
            running = self._run
            return health_of(
                self.engine,
                self.get_service_status(),
                [] if running is None else running.trouble(),
                self._gap_reports.newest,
                running=running is not None,
                positions_known=running is not None and running.positions_known,
            )

    # The parts of a running service, and what they call.

    def _make_parts(self) -> None:
        """Make the clients and pools of one run, none of which is in use yet."""
        instance_id = self.options.instance_id
        self._gap_reports = GapReports(self.options.on_gap, self.engine.counters)
        self._stations = StationThreads(
            self.engine,
            self._lock,
            self._callbacks,
            self._own_callbacks,
            self._perform,
            self._clock,
            self.options.max_workers,
        )
        self.consumer = KafkaConsumerClient(
            self.topics,
            self._kafka_config,
            listener=Rebalances(
                lambda partitions: self._told(lambda run: run.revoked(partitions)),
                lambda partitions: self._told(lambda run: run.lost(partitions)),
                lambda partitions: self._told(lambda run: run.assigned(partitions)),
                self._wake,
            ),
            resets=False,
            instance_id=instance_id,
            connect=False,
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
        )

    def _told(self, tell: Callable[[SyncRun], None]) -> None:
        run = self._run
        if run is not None:
            tell(run)

    def _wake(self) -> None:
        self.consumer.wake()

    def _perform(self, effects: Sequence[Effect]) -> None:
        # A callback that stops its own service returns to nobody.
        if self._run is not None:
            self._run.perform(effects)

    def _read_kafka_config(self) -> dict[str, Any]:
        if self._kafka_given is not None:
            return self._kafka_given
        found = getattr(self._config, "KAFKA_CONFIG", None)
        if found is None:
            raise ConfigurationError("KAFKA_CONFIG is missing; define it or pass kafka_config")
        return dict(found)

    def _check(self, settings: Settings) -> None:
        module = self.options.module_name
        if module is not None and module not in settings.modules:
            raise ConfigurationError(
                f"module_name must be one of {', '.join(settings.modules)}, got {module!r};"
                " name it in TOPIC_DETAIL or MODULE_DEPENDENCIES"
            )
        topics = settings.consumed(module) if self._topics is None else self._topics
        if not topics:
            raise ConfigurationError("topics must not be empty, got []; name at least one")
        for topic in topics:
            if topic not in settings.topics:
                raise ConfigurationError(
                    f"topics must be of TOPIC_DETAIL ({', '.join(settings.topics)}), got {topic!r};"
                    " add it there"
                )

    def _say_at_start(self, callback: Callable[..., Any] | None) -> None:
        kafka = read_kafka_options(self._kafka_config)
        if kafka.unknown:
            logger.warning("Kafka settings without effect: %s", ", ".join(kafka.unknown))
        if kafka.enable_auto_commit:
            logger.info("enable_auto_commit: offsets are committed when their work is done")
        if kafka.multi_consumer_mode:
            logger.warning("multi_consumer_mode has no effect here: one consumer reads all topics")
        if callback is not None and self.options.module_name is None:
            logger.info("no module_name: results go to the handlers and are not uploaded")


def _check_plain(name: str, function: Callable[..., Any] | None) -> None:
    if function is not None and inspect.iscoroutinefunction(function):
        raise ConfigurationError(
            f"{name} must be a plain function in the blocking service, got the coroutine function"
            f" {function.__name__!r}; use AsyncDataAnalysisService"
        )
