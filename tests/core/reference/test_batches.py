"""What the reference says of batches, shown with the asynchronous service in virtual time."""

from typing import Any

import pytest

from data_analysis import BatchCollector
from tests.core.batch_world import HOURLY, SIX, SIX_ID, BatchWorld, Results, in_batch_world
from tests.core.reference.statements import states
from tests.core.world import DATA, OUTPUT

CHAPTER = "BatchResultAggregator 与批次上传"


@states(
    "用于将同一批消息里多个场站的模型输出聚合成一次上传",
    "batches.BatchResultAggregator",
    "record_batches.RecordBatches",
)
def test_the_outputs_of_several_stations_of_one_message_are_one_upload() -> None:
    async def story(batches: BatchWorld) -> None:
        service = await batches.service()
        await batches.push("ABD")
        await batches.finished(service, 1)
        assert [["A", "B", "D"]] == [sorted(stations) for _, stations in batches.stations()]
        await service.stop()
        assert {0: (0, 0)} == await batches.world.broker.log_ranges(OUTPUT)

    in_batch_world(story)


@states(
    "启用方式：调用 `AsyncDataAnalysisService.start(..., batch_upload_handler=my_handler)`",
    "async_service.AsyncDataAnalysisService.start",
)
def test_a_handler_given_to_start_enables_batches() -> None:
    async def story(batches: BatchWorld) -> None:
        service = batches.world.service(config=batches.config)
        assert None is service._batch_upload_handler
        await service.start(batches.callback, batch_upload_handler=batches.upload)
        assert batches.upload == service._batch_upload_handler
        await batches.push("AB")
        await batches.finished(service, 1)
        assert 1 == len(batches.uploads)
        await service.stop()

    in_batch_world(story)


@states(
    "服务会从 `SCHEDULE-STATION-REALTIME-DATA` 的最新 `sendTime` 构造 `batch_id`"
    "（格式示例：`SCHEDULE-STATION-REALTIME-DATA_1699999200`）",
    "record_batches.newest_send_time",
)
def test_the_id_is_made_of_the_newest_send_time() -> None:
    async def story(batches: BatchWorld) -> None:
        service = await batches.service()
        times = {"A": "2023-11-15 05:00:00", "B": SIX, "D": "2023-11-15 04:00:00"}
        items = [{"stationId": station, "sendTime": time} for station, time in times.items()]
        await batches.push_raw({"realTimeData": items})
        await batches.finished(service, 1)
        assert ["SCHEDULE-STATION-REALTIME-DATA_1699999200"] == [
            batch_id for _, batch_id, _ in batches.uploads
        ]
        await service.stop()

    in_batch_world(story)


@states(
    "当 `_batch_upload_handler` 存在且批次包含多个场站时……并记录本批所有场站 ID；"
    "为每个 `batch_id` 创建 `BatchCollector`，跟踪 `expected_stations`、到齐进度",
    "batches.BatchCollector",
    "record_batches.RecordBatches.open",
)
def test_a_collector_knows_the_stations_of_its_batch_and_how_many_have_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(batches: BatchWorld) -> None:
        opened: list[BatchCollector] = []
        service = await batches.service()
        really_open = service.batch_aggregator.open

        def open_and_note(*given: Any, **more: Any) -> BatchCollector:
            opened.append(really_open(*given, **more))
            return opened[-1]

        monkeypatch.setattr(service.batch_aggregator, "open", open_and_note)
        batches.delays = {"A": 3.0, "B": 2.0, "C": 1.0, "D": 1.0}
        await batches.push("ABCD")
        await batches.world.until(lambda: service.engine.counters.callbacks_run == 3)
        (collector,) = opened
        assert (SIX_ID, ("A", "B", "C", "D")) == (collector.batch_id, collector.expected_stations)
        assert (0.75, False) == (collector.progress, collector.complete)
        assert ["C", "D", "B"] == list(collector.arrived)
        await batches.finished(service, 1)
        assert (1.0, True) == (collector.progress, collector.complete)
        await service.stop()

    in_batch_world(story)


@states(
    "全部结果到齐……触发 `_batch_upload_handler(batch_id, results_list)`",
    "batches.BatchResultAggregator.answer",
)
def test_the_last_result_calls_the_handler() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 1.0, "B": 3.0}
        service = await batches.service()
        await batches.push("AB")
        await batches.finished(service, 1)
        assert [3] == [at for at, _, _ in batches.uploads]
        await service.stop()

    in_batch_world(story)


@states(
    "`batch_timeout`（默认 5 秒）……或超时都会触发 `_batch_upload_handler(batch_id, results_list)`",
    "batches.BatchResultAggregator.expire",
    "async_batches.BatchTasks",
)
def test_a_timeout_calls_the_handler_after_five_seconds() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 20.0}
        service = await batches.service()
        assert 5.0 == service.batch_aggregator.batch_timeout
        await batches.push("AB")
        await batches.finished(service, 1)
        assert [5] == [at for at, _, _ in batches.uploads]
        assert [(SIX_ID, ["B"])] == batches.stations()
        await service.stop()
        assert 1 == len(batches.uploads)

    in_batch_world(story)


@states(
    "`results_list` 仅包含返回非 `None` 的场站结果",
    "batches.BatchCollector.take",
)
def test_the_list_has_no_station_that_returned_none() -> None:
    async def story(batches: BatchWorld) -> None:
        service = await batches.service()
        await batches.push("AC")
        await batches.finished(service, 1)
        assert [(SIX_ID, ["A"])] == batches.stations()
        await service.stop()

    in_batch_world(story)


@states("系统会自动注入 `station_id` 字段", "batches.BatchCollector.results")
def test_each_result_gets_its_station_id() -> None:
    async def story(batches: BatchWorld) -> None:
        service = await batches.service(callback=lambda station_id, given: {"power": 1.0})
        await batches.push("AB")
        await batches.finished(service, 1)
        expected = [{"power": 1.0, "station_id": station} for station in "AB"]
        assert expected == sorted(batches.uploads[0][2], key=lambda each: each["station_id"])
        await service.stop()

    in_batch_world(story)


@states(
    "若某场站回调返回 `None` 或报错，它不会出现在列表中",
    "record_batches.RecordBatches.answer",
    "engine.Engine.failed",
)
def test_a_station_that_has_no_result_or_fails_is_not_in_the_list() -> None:
    async def story(batches: BatchWorld) -> None:
        service = await batches.service()
        await batches.push("ACX")
        await batches.push("CX")
        await batches.finished(service, 2)
        assert [(SIX_ID, ["A"]), (SIX_ID, [])] == batches.stations()
        await service.stop()

    in_batch_world(story)


@pytest.mark.parametrize("kind", ["sync", "async"])
@states("`batch_upload_handler` 可为同步或异步函数", "async_batches.BatchTasks.run")
def test_the_handler_may_be_a_function_or_a_coroutine_function(kind: str) -> None:
    async def story(batches: BatchWorld) -> None:
        async def upload(batch_id: str, results: Results) -> None:
            batches.upload(batch_id, results)

        handler = upload if kind == "async" else batches.upload
        service = await batches.service(batch_upload_handler=handler)
        await batches.push("AB")
        await batches.finished(service, 1)
        assert [["A", "B"]] == [sorted(stations) for _, stations in batches.stations()]
        await service.stop()

    in_batch_world(story)


@pytest.mark.parametrize("topic", [DATA, HOURLY], ids=["another topic", "no sendTime"])
@states(
    "无法解析批次（例如其他 topic 或缺少 `sendTime`）时自动回退到旧逻辑，仅调用 `result_handler`",
    "record_batches.RecordBatches.id_of",
)
def test_without_a_batch_only_the_result_handler_is_called(topic: str) -> None:
    async def story(batches: BatchWorld) -> None:
        handed: list[str] = []
        service = await batches.service(result_handler=lambda *given: handed.append(given[0]))
        if topic == DATA:
            await batches.world.send("A", 1.0)
            await batches.world.send("B", 1.0)
        else:
            await batches.push("AB", None)
        await batches.world.until(lambda: len(handed) == 2)
        await service.stop()
        assert (["A", "B"], []) == (sorted(handed), batches.uploads)

    in_batch_world(story)


@states(
    "未提供 `_batch_upload_handler` 时行为与 v1.1 相同",
    "record_batches.RecordBatches.id_of",
)
def test_without_a_handler_each_result_is_uploaded_and_handed_over() -> None:
    async def story(batches: BatchWorld) -> None:
        handed: list[str] = []
        service = await batches.service(
            batch_upload_handler=None, result_handler=lambda *given: handed.append(given[0])
        )
        await batches.push("AB")
        await batches.finished(service, 1)
        await service.stop()
        assert ["A", "B"] == sorted(handed)
        assert {0: (0, 2)} == await batches.world.broker.log_ranges(OUTPUT)

    in_batch_world(story)


@states(
    "可在运行中调整 `service.batch_aggregator.batch_timeout`",
    "batches.BatchResultAggregator.batch_timeout",
)
def test_the_timeout_can_be_adjusted_while_the_service_runs() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 20.0}
        service = await batches.service()
        service.batch_aggregator.batch_timeout = 2.0
        await batches.push("AB")
        await batches.finished(service, 1)
        assert [2] == [at for at, _, _ in batches.uploads]
        await service.stop()

    in_batch_world(story)


@states(
    "可在运行中调整 ... `cleanup_interval`",
    "batches.BatchResultAggregator.cleanup_interval",
)
def test_the_interval_of_cleanups_can_be_adjusted_while_the_service_runs() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 5000.0}
        service = await batches.service(stop_timeout_seconds=1.0)
        aggregator = service.batch_aggregator
        assert 60.0 == aggregator.cleanup_interval
        await batches.push("AB")
        await batches.finished(service, 1)
        ended = aggregator.clock.monotonic()
        aggregator.cleanup_interval = 400.0
        due = aggregator.next_due()
        assert due is not None
        assert 400 == round(due - ended)
        await batches.world.until(lambda: aggregator.next_due() is None, within_s=500.0)
        assert 400 == round(aggregator.clock.monotonic() - ended)
        await service.stop()

    in_batch_world(story)


@states(
    "通过 `BatchResultAggregator.cleanup_expired()` 主动清理长时间未完成批次",
    "batches.BatchResultAggregator.cleanup_expired",
)
def test_a_cleanup_gives_up_batches_that_have_been_incomplete_for_long() -> None:
    async def story(batches: BatchWorld) -> None:
        batches.delays = {"A": 5000.0}
        service = await batches.service(stop_timeout_seconds=1.0)
        service.batch_aggregator.batch_timeout = 1000.0
        await batches.push("AB")
        await batches.world.until(lambda: service.engine.counters.callbacks_run == 1)
        assert 0 == service.batch_aggregator.cleanup_expired()
        assert 1 == service.batch_aggregator.cleanup_expired(max_age_seconds=0.0)
        await batches.finished(service, 1)
        assert [(SIX_ID, ["B"])] == batches.stations()
        await service.stop()

    in_batch_world(story)
