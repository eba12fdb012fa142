"""The library: records in, module inputs to callbacks, results out.

Public names are imported when they are first asked for: `import data_analysis` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_analysis.async_service import AsyncDataAnalysisService
    from data_analysis.batches import BatchCollector, BatchResultAggregator
    from data_analysis.dispatcher import DataDispatcher
    from data_analysis.errors import (
        BatchError,
        ConfigurationError,
        DataAnalysisError,
        DispatcherError,
        KafkaConnectionError,
    )
    from data_analysis.gaps import GapCause, GapEvent
    from data_analysis.kafka.async_consumers import AsyncKafkaConsumerClient
    from data_analysis.kafka.async_producer import AsyncKafkaProducerClient
    from data_analysis.kafka.consumer import KafkaConsumerClient
    from data_analysis.kafka.producer import KafkaProducerClient
    from data_analysis.offsets import OffsetManager
    from data_analysis.service import DataAnalysisService
    from data_analysis.types import (
        AcdcHost,
        CarOrder,
        CarPrice,
        DataQuality,
        DcdcHost,
        ElectricityPriceInput,
        EvaluationModelInput,
        LoadPredictionInput,
        OperationOptimizationInput,
        PvPredictionInput,
        SohModelInput,
        StationGuidanceInput,
        StorageUnit,
        ThermalManagementInput,
    )

__all__ = [
    "AcdcHost",
    "AsyncDataAnalysisService",
    "AsyncKafkaConsumerClient",
    "AsyncKafkaProducerClient",
    "BatchCollector",
    "BatchError",
    "BatchResultAggregator",
    "CarOrder",
    "CarPrice",
    "ConfigurationError",
    "DataAnalysisError",
    "DataAnalysisService",
    "DataDispatcher",
    "DataQuality",
    "DcdcHost",
    "DispatcherError",
    "ElectricityPriceInput",
    "EvaluationModelInput",
    "GapCause",
    "GapEvent",
    "KafkaConnectionError",
    "KafkaConsumerClient",
    "KafkaProducerClient",
    "LoadPredictionInput",
    "OffsetManager",
    "OperationOptimizationInput",
    "PvPredictionInput",
    "SohModelInput",
    "StationGuidanceInput",
    "StorageUnit",
    "ThermalManagementInput",
]

_TYPES = (
    "AcdcHost",
    "CarOrder",
    "CarPrice",
    "DataQuality",
    "DcdcHost",
    "ElectricityPriceInput",
    "EvaluationModelInput",
    "LoadPredictionInput",
    "OperationOptimizationInput",
    "PvPredictionInput",
    "SohModelInput",
    "StationGuidanceInput",
    "StorageUnit",
    "ThermalManagementInput",
)

_HOMES = {
    "AsyncDataAnalysisService": "data_analysis.async_service",
    "AsyncKafkaConsumerClient": "data_analysis.kafka.async_consumers",
    "AsyncKafkaProducerClient": "data_analysis.kafka.async_producer",
    "BatchCollector": "data_analysis.batches",
    "BatchResultAggregator": "data_analysis.batches",
    "DataAnalysisService": "data_analysis.service",
    "DataDispatcher": "data_analysis.dispatcher",
    "GapCause": "data_analysis.gaps",
    "GapEvent": "data_analysis.gaps",
    "KafkaConsumerClient": "data_analysis.kafka.consumer",
    "KafkaProducerClient": "data_analysis.kafka.producer",
    "OffsetManager": "data_analysis.offsets",
    **dict.fromkeys(_TYPES, "data_analysis.types"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'data_analysis' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "data_analysis.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
