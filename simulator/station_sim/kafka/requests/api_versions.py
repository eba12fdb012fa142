"""ApiVersions: which requests in which versions this broker speaks.

Speaks versions 0 to 4. A newer version is answered with version 0, error 35 and the row of
ApiVersions alone, from which clients learn how to ask again. Of Kafka's features it names
`transaction.version` alone, at the level (2, KIP-890) at which clients may leave out
AddPartitionsToTxn, where it speaks the versions that this takes.
"""

import re
from typing import TYPE_CHECKING, Any

from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster
    from station_sim.kafka.requests.registry import Kind

REQUEST = ApiVersionsRequest
RESPONSE = ApiVersionsResponse

TRANSACTION_VERSION = 2
FEATURES_EPOCH = 0
NO_FEATURES_EPOCH = -1
"""Nothing of the features ever changes."""

_FIRST_VERSION_WITH_SOFTWARE = 3
_SOFTWARE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")
_FIRST_VERSION_WITH_LEVEL_0 = 4
"""Older clients cannot read that a feature may be switched off, as level 0."""

_END_TXN, _FIRST_END_TXN_OF_SECOND_KIND = 26, 5

_SUPPORTED = RESPONSE.SupportedFeatureKey(
    name="transaction.version", min_version=0, max_version=TRANSACTION_VERSION
)
_FINALIZED = RESPONSE.FinalizedFeatureKey(
    name="transaction.version",
    max_version_level=TRANSACTION_VERSION,
    min_version_level=TRANSACTION_VERSION,
)


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """The table; `request` is None when its version is not known."""
    if request is None:
        own = _row(cluster.kinds[REQUEST.API_KEY])
        return RESPONSE(error_code=ErrorCode.UNSUPPORTED_VERSION, api_keys=[own])
    if context.version >= _FIRST_VERSION_WITH_SOFTWARE and not _names_software(request):
        return RESPONSE(
            error_code=ErrorCode.INVALID_REQUEST, finalized_features_epoch=NO_FEATURES_EPOCH
        )
    named = context.version >= _FIRST_VERSION_WITH_LEVEL_0
    has_second_kind = _has_second_kind(cluster)
    return RESPONSE(
        error_code=ErrorCode.NONE,
        api_keys=list(map(_row, cluster.kinds.values())),
        supported_features=[_SUPPORTED] if named and has_second_kind else [],
        finalized_features_epoch=FEATURES_EPOCH if has_second_kind else NO_FEATURES_EPOCH,
        finalized_features=[_FINALIZED] if has_second_kind else [],
    )


def _row(kind: "Kind") -> Any:
    low, high = kind.advertised
    return RESPONSE.ApiVersion(api_key=kind.api_key, min_version=low, max_version=high)


def _names_software(request: Any) -> bool:
    texts = (request.client_software_name, request.client_software_version)
    return all(map(_SOFTWARE.fullmatch, texts))


def _has_second_kind(cluster: "Cluster") -> bool:
    kind = cluster.kinds.get(_END_TXN)
    return kind is not None and kind.advertised[1] >= _FIRST_END_TXN_OF_SECOND_KIND
