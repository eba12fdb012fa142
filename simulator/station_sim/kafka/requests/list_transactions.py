"""ListTransactions: all transactional ids, or those that fit filters.

Speaks versions 0 to 2: by state and producer id, by how long a transaction has lasted from 1 on, by
a regular expression for the id from 2 on, which RE2 reads, as in Apache Kafka.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kafka.protocol.admin import ListTransactionsRequest, ListTransactionsResponse

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.requests.context import RequestContext
from station_sim.kafka.transaction import Transaction
from station_sim.kafka.transaction_states import TransactionState

if TYPE_CHECKING:
    from station_sim.kafka.cluster import Cluster

REQUEST = ListTransactionsRequest
RESPONSE = ListTransactionsResponse

_ANY_DURATION_MS = -1
_KNOWN_STATES = {state.value for state in TransactionState} | {"Dead", "PrepareEpochFence"}
"""All that Kafka knows; in the last two an id is never seen."""


def handle(cluster: "Cluster", request: Any, context: RequestContext) -> Any:
    """A line for each id that fits."""
    try:
        is_meant = _whole_match(request.transactional_id_pattern)
    except ValueError:
        return RESPONSE(error_code=ErrorCode.INVALID_REGULAR_EXPRESSION)
    now_ms = cluster.now_ms()
    return RESPONSE(
        error_code=ErrorCode.NONE,
        unknown_state_filters=[name for name in request.state_filters if name not in _KNOWN_STATES],
        transaction_states=[
            RESPONSE.TransactionState(
                transactional_id=known.transactional_id,
                producer_id=known.producer_id,
                transaction_state=known.state.value,
            )
            for known in cluster.transactions
            if _fits(known, request, now_ms) and is_meant(known.transactional_id)
        ],
    )


def _whole_match(pattern: str | None) -> Callable[[str], bool]:
    """Whether a whole id fits a pattern; without one all do. Raises ValueError for a bad one."""
    if not pattern:
        return lambda _: True
    import re2  # asked for seldom

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"invalid regular expression {pattern!r}") from error
    return lambda transactional_id: compiled.fullmatch(transactional_id) is not None


def _fits(known: Transaction, request: Any, now_ms: int) -> bool:
    if request.producer_id_filters and known.producer_id not in request.producer_id_filters:
        return False
    if request.state_filters and known.state.value not in request.state_filters:
        return False
    duration_ms = request.duration_filter
    if duration_ms <= _ANY_DURATION_MS:
        return True
    return bool(now_ms - known.started_at_ms > duration_ms)
