"""A service's counters as Prometheus metrics, read when somebody scrapes.

Needs the extra `serve`. What is counted is in `data_analysis.observe`; how metrics are served is in
`data_analysis.commands.probes`. Names follow Prometheus' rules: base units, `_total` for counters.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any, Protocol

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from data_analysis.dispatcher import DataDispatcher
from data_analysis.durations import BOUNDS_SECONDS, Durations
from data_analysis.engine import Engine
from data_analysis.handover import MILLISECONDS

PREFIX = "data_analysis"

OUTCOMES = {
    "callbacks": ("callbacks_run", "callback_errors"),
    "commits": ("commits", "commit_errors"),
    "uploads": ("results_uploaded", "results_lost", "results_unserialisable", "uploads_retried"),
    "batches": (
        "batches_opened",
        "batches_completed",
        "batches_timed_out",
        "batches_dropped",
        "batch_handler_errors",
        "batch_results_late",
    ),
    "points": ("points_appended", "points_inserted", "points_too_late", "points_duplicate"),
}
"""Counters that are one metric with a label `outcome`; those that a version lacks are left out."""


class Observed(Protocol):
    """What is read of a service, synchronous or asynchronous."""

    engine: Engine
    dispatcher: DataDispatcher
    consumer: Any

    def health(self) -> dict[str, Any]:
        """Whether it lives and is ready, and its counters."""


class ServiceMetrics:
    """A collector for a `prometheus_client` registry.

    Args:
        service: the service to tell of.
        time: epoch seconds, for ages.
    """

    def __init__(self, service: Observed, time: Callable[[], float]) -> None:
        self._service = service
        self._time = time

    def collect(self) -> Iterator[Metric]:
        """Every metric as it is now."""
        health = self._service.health()
        counters = health["counters"]
        yield _gauge("up", "1 while records are read and worked on.", float(health["ready"]))
        yield _gauge("stations", "Known stations.", float(health["station_count"]))
        yield _gauge("records_in_flight", "Records in work.", float(health["in_flight"]))
        yield from _counters(counters)
        yield self._ages()
        yield self._lags()
        yield _durations(self._service.engine.callback_durations)

    def _ages(self) -> Metric:
        family = GaugeMetricFamily(
            f"{PREFIX}_newest_point_age_seconds",
            "Time since the newest record of a topic, by the record's own time.",
            labels=["topic"],
        )
        now = self._time()
        for topic, newest_ms in dict(self._service.engine.newest_ms).items():
            family.add_metric([topic], now - newest_ms / MILLISECONDS)
        return family

    def _lags(self) -> Metric:
        family = GaugeMetricFamily(
            f"{PREFIX}_consumer_lag_records",
            "Records behind the committed offset.",
            labels=["topic", "partition"],
        )
        for topic, partitions in self._service.consumer.get_lag_info().items():
            for partition, found in partitions.items():
                family.add_metric([topic, str(partition)], found["lag"])
        return family


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", says, value=value)


def _counters(counters: Mapping[str, Any]) -> Iterator[Metric]:
    for what, names in OUTCOMES.items():
        yield _labelled(
            what, "outcome", {name: counters[name] for name in names if name in counters}
        )
    yield _labelled("records_refused", "reason", counters["records_refused"])
    told = {name for names in OUTCOMES.values() for name in names}
    for name, value in counters.items():
        if name not in told and not isinstance(value, dict):
            says = f"{name.replace('_', ' ').capitalize()} since the start."
            yield CounterMetricFamily(f"{PREFIX}_{name}", says, value=value)


def _labelled(what: str, label: str, values: Mapping[str, int]) -> Metric:
    says = f"{what.replace('_', ' ').capitalize()} by {label} since the start."
    family = CounterMetricFamily(f"{PREFIX}_{what}", says, labels=[label])
    for name, value in values.items():
        family.add_metric([name], value)
    return family


def _durations(durations: Durations) -> Metric:
    bounds: Iterable[str] = [*map(str, BOUNDS_SECONDS), "+Inf"]
    buckets = list(zip(bounds, map(float, accumulate(durations.counts)), strict=True))
    return HistogramMetricFamily(
        f"{PREFIX}_callback_seconds",
        "Time a callback took, until its result was there.",
        buckets=buckets,
        sum_value=durations.sum_seconds,
    )
