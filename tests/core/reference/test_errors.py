"""What the reference says of exceptions."""

import pytest

import data_analysis
from data_analysis import DataAnalysisError, DispatcherError, KafkaConnectionError
from data_analysis import errors as every_error
from data_analysis.kafka.errors import mapped
from tests.core.reference.statements import states
from tests.core.world import small_config

CHAPTER = "异常类"


@states("DataAnalysisError：基础异常类，所有模块异常的基类", "errors.DataAnalysisError")
def test_every_exception_has_one_base() -> None:
    found = [each for each in vars(every_error).values() if isinstance(each, type)]
    assert len(found) > 3
    assert all(issubclass(each, DataAnalysisError) for each in found)


@states("KafkaConnectionError：Kafka连接失败时抛出", "kafka.errors.mapped")
def test_what_the_client_raises_becomes_a_connection_error() -> None:
    with (
        pytest.raises(KafkaConnectionError, match=r"connecting failed: refused"),
        mapped("connecting"),
    ):
        raise ConnectionRefusedError("refused")


@states("DispatcherError：数据分发相关异常", "dispatcher.DataDispatcher")
def test_the_dispatcher_raises_its_own() -> None:
    with pytest.raises(DispatcherError, match="unknown topic 'T'"):
        data_analysis.DataDispatcher(config=small_config()).get_topic_window("A", "T")
