"""What both services are: an engine of one checked configuration, and what they say of themselves.

Nothing is connected, waited for or called back here. How records, callbacks and answers of Kafka
travel is the shells' part: `data_analysis.service` with threads, `data_analysis.async_service` on
an event loop.
"""

import copy
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from data_analysis.batches import BatchResultAggregator
from data_analysis.callbacks import Callbacks
from data_analysis.clock import Clock, SystemClock
from data_analysis.config_source import ConfigSource
from data_analysis.dispatcher import DataDispatcher
from data_analysis.empty_polls import EmptyPoll
from data_analysis.engine import Engine
from data_analysis.engine_options import EngineOptions
from data_analysis.errors import ConfigurationError, DataAnalysisError
from data_analysis.failure import Failure
from data_analysis.gap_log import GapLog
from data_analysis.health import health_of
from data_analysis.kafka.options import checked_shape, read_kafka_options, warn_of_unknown
from data_analysis.offsets import OffsetManager
from data_analysis.options import ServiceOptions
from data_analysis.record_batches import BATCH_TOPIC
from data_analysis.settings import Settings, check_module

logger = logging.getLogger(__name__)

STOPPED_EARLY = "the service was stopped while it started; make a new one"


class Run(Protocol):
    """What lives between start and stop, as far as it is asked how it fares."""

    failure: Failure

    @property
    def polling(self) -> bool: ...
    @property
    def positions_known(self) -> bool: ...
    def trouble(self) -> list[str]: ...
    def explain_empty_polls(self) -> dict[str, EmptyPoll]: ...
    def resubscribe(self, topics: Sequence[str]) -> None: ...


class Client(Protocol):
    """A Kafka client, as far as it is asked how it fares."""

    @property
    def alive(self) -> bool: ...


class Consumer(Client, Protocol):
    """A consumer client; `per_topic` is whether each topic has one of its own."""

    per_topic: bool


class ServiceBase:
    """The part of a service that neither waits nor awaits.

    Args:
        options: what the service was asked for.
        kafka_config: nested or flat; `KAFKA_CONFIG` of the configuration for None.
        config: where configuration is read.
        clock: the system's for None.
        guard: held by whoever touches the engine; it may be entered again by who holds it.
    """

    consumer: Consumer
    producer: Client
    _gap_reports: GapLog
    _run: Run | None

    def __init__(
        self,
        options: ServiceOptions,
        kafka_config: dict[str, Any] | None,
        config: Any,
        clock: Clock | None,
        guard: AbstractContextManager[Any],
    ) -> None:
        self.options = options
        self._source = ConfigSource(config)
        self._clock = clock or SystemClock()
        self._guard = guard
        self._kafka_given = kafka_config
        self._kafka_config = copy.deepcopy(self._read_kafka_config(config))
        self._kafka = read_kafka_options(self._kafka_config)
        self.dispatcher = DataDispatcher(
            options.data_expire_seconds,
            config=config,
            clock=self._clock,
            window_form=options.window_form,
            padding=options.padding,
            output_topic_prefix=options.output_topic_prefix,
        )
        settings = self.dispatcher.settings
        self._check(settings)
        self._check_shares(self.topics)
        self.batch_aggregator = BatchResultAggregator(None, clock=self._clock)
        self.batch_aggregator.guard = guard
        self.engine = Engine(
            self.dispatcher,
            OffsetManager.of(settings.offsets, self._clock),
            EngineOptions(
                module_name=options.module_name,
                output_topic=options.output_topic,
                coalesce=options.coalesce,
                callback_tries=options.callback_tries,
                dead_letter_topic=options.dead_letter_topic,
                warm_start=options.warm_start,
                batch_handler_tries=options.batch_handler_tries,
            ),
            self.batch_aggregator,
        )
        self._callbacks = Callbacks(result=options.result_handler)
        self._run = None
        self._stopped = False

    @property
    def _global_data_cache(self) -> dict[str, Any]:
        """The newest data for all stations, by topic, under the reference's name."""
        return {topic: payload for topic, (payload, _) in self.dispatcher.global_data.items()}

    @property
    def _batch_upload_handler(self) -> Callable[..., Any] | None:
        """What `start` was given, under the reference's name."""
        return self.batch_aggregator.batch_upload_handler

    @property
    def topics(self) -> list[str]:
        """What is consumed, in configuration order."""
        return self._consumed(self.dispatcher.settings)

    def reload_config(self) -> None:
        """Read the configuration again: topics, windows, modules, dependencies.

        Where it is a module whose file has been edited, that file is read; the module then says
        what it says.

        Raises:
            ConfigurationError: it is not valid, its file cannot be run, or Kafka's settings have
                changed; nothing has changed then.
        """
        config = self._source.read()
        settings = self.dispatcher.load_settings(config)
        self._check(settings)
        if self._read_kafka_config(config) != self._kafka_config:
            raise ConfigurationError(
                "KAFKA_CONFIG has changed, which a reload cannot apply; restart the service"
            )
        with self._guard:
            before = self.topics
            self._check_mode(settings)
            self.engine.configure(settings)
            self._source.accept(config)
            if self.topics == before:
                return
            if self._run is None:
                self._make_clients()
            else:
                self._run.resubscribe(self.topics)

    def get_service_status(self) -> dict[str, Any]:
        """Return whether polling and the clients are alive, and how many stations are known."""
        with self._guard:
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
        with self._guard:
            found = {} if self._run is None else self._run.explain_empty_polls()
        return {
            topic: {"cause": str(each.cause), "text": each.text} for topic, each in found.items()
        }

    def health(self) -> dict[str, Any]:
        """Return what an operator asks first; see `data_analysis.health` for the keys."""
        with self._guard:
            running = self._run
            return health_of(
                self.engine,
                self.get_service_status(),
                [] if running is None else running.trouble(),
                self._gap_reports.newest,
                running=running is not None,
                positions_known=running is not None and running.positions_known,
            )

    # What the shells use, and what each has of its own.

    def _make_clients(self) -> None:
        """Make clients of these topics, which are not connected yet."""
        raise NotImplementedError

    def _station_status(self, works: str, known: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Return every station with what works for it, which is called so."""
        running = self._run is not None
        return {
            station_id: {"running": running, works: known.get(station_id)}
            for station_id in self.dispatcher.station_ids()
        }

    def _failed(self, what: str, error: BaseException) -> None:
        run = self._run
        if run is not None:
            run.failure.declare(what, error)

    def _check_first_start(self) -> None:
        if self._run is not None or self._stopped:
            raise DataAnalysisError("a service starts once; make a new one")

    def _call(
        self,
        callback: Callable[..., Any] | None,
        batch_upload_handler: Callable[..., Any] | None,
    ) -> None:
        """Have the engine ask for this callback and the handlers; say what is worth a line."""
        self._callbacks.every = callback
        self.batch_aggregator.batch_upload_handler = batch_upload_handler
        handles = self._callbacks.result or self._callbacks.full_result
        self.engine.call(all_stations=callback is not None, handlers=handles is not None)
        warn_of_unknown(self._kafka)
        if self._kafka.enable_auto_commit:
            logger.info("enable_auto_commit: offsets are committed when their work is done")
        if callback is not None and self.options.module_name is None:
            logger.info("no module_name: results go to the handlers and are not uploaded")
        if batch_upload_handler is not None and BATCH_TOPIC not in self.topics:
            logger.warning("batch_upload_handler is never called: %s is not consumed", BATCH_TOPIC)

    def _read_kafka_config(self, config: Any) -> dict[str, Any]:
        if self._kafka_given is not None:
            return self._kafka_given
        found = getattr(config, "KAFKA_CONFIG", None)
        if found is None:
            raise ConfigurationError("KAFKA_CONFIG is missing; define it or pass kafka_config")
        return dict(checked_shape(found))

    def _consumed(self, settings: Settings) -> list[str]:
        if self.options.topics is not None:
            return list(self.options.topics)
        return settings.consumed(self.options.module_name)

    def _check(self, settings: Settings) -> None:
        check_module(settings, self.options.module_name)
        topics = self._consumed(settings)
        if not topics:
            raise ConfigurationError("topics must not be empty, got []; name at least one")
        for topic in topics:
            if topic not in settings.topics:
                raise ConfigurationError(
                    f"topics must be of TOPIC_DETAIL ({', '.join(settings.topics)}), got {topic!r};"
                    " add it there"
                )

    def _check_shares(self, topics: Sequence[str]) -> None:
        most = self.options.max_pending_records
        if self._kafka.one_per_topic(topics) and most < len(topics):
            raise ConfigurationError(
                f"max_pending_records must be >= {len(topics)}, one for each topic, with"
                f" multi_consumer_mode, got {most}; raise it"
            )

    def _check_mode(self, settings: Settings) -> None:
        """Refuse topics that would change the group ids of a running service."""
        topics = self._consumed(settings)
        if self._kafka.one_per_topic(topics) != self.consumer.per_topic:
            raise ConfigurationError(
                f"topics go from {len(self.topics)} to {len(topics)}, which changes"
                " the group ids of multi_consumer_mode; restart the service"
            )
        self._check_shares(topics)
