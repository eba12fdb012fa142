"""The asynchronous service: performs the engine's effects with aiokafka on the running loop.

The public methods are here; what lives between start and stop is in `data_analysis.async_run`.
"""

import asyncio
import copy
import logging
from collections.abc import Callable, Sequence
from typing import Any

from data_analysis import config as default_config
from data_analysis.async_gap_reports import GapReports
from data_analysis.async_run import AsyncRun
from data_analysis.async_stations import StationTasks
from data_analysis.async_threads import CallbackThreads
from data_analysis.batches import BatchResultAggregator
from data_analysis.callbacks import Callbacks
from data_analysis.clock import Clock, SystemClock
from data_analysis.dispatcher import DataDispatcher
from data_analysis.effects import Effect
from data_analysis.engine import Engine, EngineOptions
from data_analysis.errors import ConfigurationError, DataAnalysisError
from data_analysis.health import health_of
from data_analysis.kafka.async_consumers import AsyncKafkaConsumerClient
from data_analysis.kafka.async_producer import AsyncKafkaProducerClient
from data_analysis.kafka.options import KafkaOptions, read_kafka_options, warn_of_unknown
from data_analysis.offsets import OffsetManager
from data_analysis.options import ServiceOptions
from data_analysis.record_batches import BATCH_TOPIC
from data_analysis.settings import Settings

logger = logging.getLogger(__name__)


class AsyncDataAnalysisService:
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
        max_pending_records: int = 10_000,
        stop_timeout_seconds: float = 30.0,
        instance_id: str | None = None,
        callback_stall_seconds: float = 1.0,
        batch_handler_retries: int = 0,
        max_workers: int = 32,
        run_callbacks_in: str = "loop",
        lag_refresh_seconds: float = 5.0,
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
            callback_stall_seconds=callback_stall_seconds,
            batch_handler_retries=batch_handler_retries,
            max_workers=max_workers,
            run_callbacks_in=run_callbacks_in,
            lag_refresh_seconds=lag_refresh_seconds,
        )
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
        self.batch_aggregator = BatchResultAggregator(None, clock=self._clock)
        self.engine = Engine(
            self.dispatcher,
            OffsetManager.of(settings.offsets, self._clock),
            EngineOptions(
                module_name=module_name,
                output_topic=self.options.output_topic,
                coalesce=coalesce,
                callback_tries=self.options.callback_tries,
                dead_letter_topic=dead_letter_topic,
                batch_handler_tries=self.options.batch_handler_tries,
            ),
            self.batch_aggregator,
        )
        self._callbacks = Callbacks(result=result_handler)
        self._threads = CallbackThreads(max_workers) if run_callbacks_in == "threads" else None
        self._stations = StationTasks(
            self.engine,
            self._callbacks,
            self._perform,
            self._clock,
            callback_stall_seconds,
            self._threads,
        )
        self._gap_reports = GapReports(on_gap, self.engine.counters)
        self._run: AsyncRun | None = None
        self._stopped = False
        self._make_clients()

    @property
    def _global_data_cache(self) -> dict[str, Any]:
        """The newest data for all stations, by topic, under the reference's name."""
        return {topic: payload for topic, (payload, _) in self.dispatcher.global_data.items()}

    @property
    def _batch_upload_handler(self) -> Callable[..., Any] | None:
        """What `start` was given, under the reference's name."""
        return self.batch_aggregator.batch_upload_handler

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
        """
        if batch_upload_handler is not None and not callable(batch_upload_handler):
            raise ConfigurationError(
                f"batch_upload_handler must be callable, got {batch_upload_handler!r};"
                " give a function of (batch_id, results_list)"
            )
        if self._run is not None or self._stopped:
            raise DataAnalysisError("a service starts once; make a new one")
        self._callbacks.every = callback
        self._callbacks.full_result = result_handler
        self.batch_aggregator.batch_upload_handler = batch_upload_handler
        handlers = self._callbacks.result is not None or result_handler is not None
        self.engine.call(all_stations=callback is not None, handlers=handlers)
        self._say_at_start(callback)
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
        try:
            await self._run.start()
        except BaseException:
            await self._run.abort()
            self._run = None
            self._make_clients()
            raise

    async def stop(self) -> None:
        """Stop fetching, finish what runs within a limit, upload, commit, close; twice is fine."""
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
        task = self._stations.tasks.get(station_id)
        if task is not None and task is not asyncio.current_task():
            await asyncio.wait([task], timeout=self.options.stop_timeout_seconds)
        self._stations.own.pop(station_id, None)
        self._stations.tasks.pop(station_id, None)

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
        before = self.topics
        self._check_mode(settings)
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
        """Return `{station_id: {"running": bool, "task": Task or None}}`."""
        tasks = self._stations.tasks
        return {
            station_id: {"running": self._run is not None, "task": tasks.get(station_id)}
            for station_id in self.dispatcher.station_ids()
        }

    def get_service_status(self) -> dict[str, Any]:
        """Return whether polling and the clients are alive, and how many stations are known."""
        return {
            "main_thread_alive": self._run is not None and self._run.polling,
            "consumer_alive": self.consumer.alive,
            "producer_alive": self.producer.alive,
            "station_count": len(self.dispatcher.station_ids()),
        }

    def explain_empty_polls(self) -> dict[str, dict[str, str]]:
        """Return `{topic: {"cause": word, "text": line}}`: why nothing comes, where nothing does.

        The words are those of `data_analysis.empty_polls.EmptyPollCause`; {} unless it runs.
        """
        found = {} if self._run is None else self._run.explain_empty_polls()
        return {
            topic: {"cause": str(each.cause), "text": each.text} for topic, each in found.items()
        }

    def health(self) -> dict[str, Any]:
        """Return what an operator asks first; see `data_analysis.health` for the keys."""
        running = self._run
        return health_of(
            self.engine,
            self.get_service_status(),
            [] if running is None else running.trouble(),
            self._gap_reports.newest,
            running=running is not None,
            positions_known=running is not None and running.positions_known,
        )

    # What the parts of a running service call.

    def _perform(self, effects: Sequence[Effect]) -> None:
        # A callback that stops its own service returns to nobody.
        if self._run is not None:
            self._run.perform(effects)

    def _make_clients(self) -> None:
        instance_id = self.options.instance_id
        kafka = self._kafka = read_kafka_options(self._kafka_config)
        self._check_shares(kafka, self.topics)
        self.consumer = AsyncKafkaConsumerClient(
            self.topics,
            kafka,
            resets=False,
            instance_id=instance_id,
            lag_refresh_seconds=self.options.lag_refresh_seconds,
        )
        self.producer = AsyncKafkaProducerClient(kafka, instance_id=instance_id)

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

    def _check_shares(self, kafka: KafkaOptions, topics: Sequence[str]) -> None:
        most = self.options.max_pending_records
        if kafka.one_per_topic(topics) and most < len(topics):
            raise ConfigurationError(
                f"max_pending_records must be >= {len(topics)}, one for each topic, with"
                f" multi_consumer_mode, got {most}; raise it"
            )

    def _check_mode(self, settings: Settings) -> None:
        """Refuse topics that would change the group ids of a running service."""
        topics = list(settings.topics) if self._topics is None else self._topics
        if self._kafka.one_per_topic(topics) != self.consumer.per_topic:
            raise ConfigurationError(
                f"TOPIC_DETAIL goes from {len(self.topics)} to {len(topics)} topics, which changes"
                " the group ids of multi_consumer_mode; restart the service"
            )
        self._check_shares(self._kafka, topics)

    def _say_at_start(self, callback: Callable[..., Any] | None) -> None:
        kafka = self._kafka
        warn_of_unknown(kafka)
        if kafka.enable_auto_commit:
            logger.info("enable_auto_commit: offsets are committed when their work is done")
        if callback is not None and self.options.module_name is None:
            logger.info("no module_name: results go to the handlers and are not uploaded")
        if self._batch_upload_handler is not None and BATCH_TOPIC not in self.topics:
            logger.warning("batch_upload_handler is never called: %s is not consumed", BATCH_TOPIC)
