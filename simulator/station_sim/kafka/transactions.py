"""The transaction coordinator: producers by transactional id, their transactions, who is fenced.

Decisions are those of TransactionCoordinator in Apache Kafka 4.1 with transactions of the second
kind switched on, as a new cluster has them. Here a transaction ends within the request that ends
it: the coordinator's answers for one that is still ending are given only if a broker went down in
between. What one transactional id is, is in `transaction.py`; which EndTxn is in order, in
`transaction_ends.py`; when open ones time out, in `transaction_timer.py`. Markers and offsets are
written by `Participants`, which the cluster gives.

All changes go through `_put` and `_forget`, and are written down before they are made. Once it is
written down how a transaction ends, it ends so: what cannot be written then is tried again.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple, Protocol

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.group_timers import Deadline, RunningLoop, Scheduler
from station_sim.kafka.storage.journal import Journal, NoJournal
from station_sim.kafka.transaction import (
    NO_EPOCH,
    NO_PRODUCER,
    NO_PRODUCER_ID,
    Producer,
    TopicPartition,
    Transaction,
)
from station_sim.kafka.transaction_ends import Ending, judge_end
from station_sim.kafka.transaction_states import AT_REST, PREPARED, TransactionState
from station_sim.kafka.transaction_timer import TransactionTimer

RETRY_MS = 500
"""After which ends that could not be written down are tried again."""

_KIND = "transaction"


class TransactionSettings(Protocol):
    """The broker settings that the coordinator obeys, under Kafka's names."""

    @property
    def transaction_max_timeout_ms(self) -> int:
        """The longest time a client may ask for."""

    @property
    def transactional_id_expiration_ms(self) -> int:
        """How long an id without open transaction is remembered."""

    @property
    def transaction_abort_timed_out_transaction_cleanup_interval_ms(self) -> int:
        """How often open transactions are looked at."""

    @property
    def transaction_remove_expired_transaction_cleanup_interval_ms(self) -> int:
        """How often ids at rest are looked at."""


class ProducerSource(Protocol):
    """Who gives out producer ids."""

    def take(self) -> int:
        """A fresh producer id."""


class Participants(Protocol):
    """What takes part in transactions: partitions of topics, and the offsets of groups."""

    def end(
        self, partitions: Iterable[TopicPartition], producer: Producer, *, commit: bool
    ) -> None:
        """Write that the producer's transaction is over; partitions that are gone are left out."""


class Answer(NamedTuple):
    """An error code, and the producer to go on with where there is one."""

    error: ErrorCode
    producer: Producer = NO_PRODUCER


class Transactions:
    """All transactional ids of a cluster."""

    def __init__(
        self,
        settings: TransactionSettings,
        *,
        now_ms: Callable[[], int],
        producer_ids: ProducerSource,
        participants: Participants,
        scheduler: Scheduler | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal or NoJournal()
        self._settings = settings
        self._now_ms = now_ms
        self._producer_ids = producer_ids
        self._participants = participants
        self._transactions: dict[str, Transaction] = {}
        self._open: dict[str, None] = {}
        self._timer = TransactionTimer(
            self.abort_timed_out,
            now_ms=now_ms,
            interval_ms=settings.transaction_abort_timed_out_transaction_cleanup_interval_ms,
            scheduler=scheduler,
        )
        self._retry = Deadline(scheduler or RunningLoop(), self._finish_prepared)
        self._looked_for_expired_ms = now_ms()
        for _key, kept in self._journal.values(_KIND, Transaction):
            self._hold(kept)

    def __iter__(self) -> Iterator[Transaction]:
        self._forget_expired()
        return iter(tuple(self._transactions.values()))

    def get(self, transactional_id: str) -> Transaction | None:
        """What is known of an id."""
        self._forget_expired()
        return self._transactions.get(transactional_id)

    def clear(self) -> None:
        """Forget all ids, as a cluster that is new; what is open in logs stays as it is."""
        for transactional_id in tuple(self._transactions):
            self._forget(transactional_id)
        self._open.clear()
        self._timer.clear()

    # Requests

    def initialise(
        self, transactional_id: str, timeout_ms: int, expected: Producer | None = None
    ) -> Answer:
        """Give a client that starts its producer, and fence the one before it.

        `expected` is the producer of a client that goes on after an error. An open transaction is
        aborted, and the client has to ask again.
        """
        if not transactional_id:
            return Answer(ErrorCode.INVALID_REQUEST)
        if not 0 < timeout_ms <= self._settings.transaction_max_timeout_ms:
            return Answer(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
        known = self.get(transactional_id) or self._new(transactional_id, timeout_ms)
        if expected is not None and not _may_go_on(known, expected):
            return Answer(ErrorCode.PRODUCER_FENCED)
        if known.state in PREPARED:
            return Answer(ErrorCode.CONCURRENT_TRANSACTIONS)
        if known.state is TransactionState.ONGOING:
            self._fence(known)
            return Answer(ErrorCode.CONCURRENT_TRANSACTIONS)
        return self._initialise(known, timeout_ms, expected)

    def add(
        self, transactional_id: str, producer: Producer, partitions: Iterable[TopicPartition]
    ) -> ErrorCode:
        """Have partitions take part in the producer's transaction, and open it if need be."""
        known = self.get(transactional_id)
        error = _check(transactional_id, known, producer)
        if error or known is None:
            return error
        added = [partition for partition in partitions if partition not in known.partitions]
        if added or known.state is not TransactionState.ONGOING:
            self._put(known.with_partitions(added, self._now_ms()))
            self._watch(transactional_id)
        return ErrorCode.NONE

    def verify(
        self, transactional_id: str, producer: Producer, partition: TopicPartition
    ) -> ErrorCode:
        """Tell whether a partition takes part in the producer's transaction."""
        known = self.get(transactional_id)
        error = _check(transactional_id, known, producer)
        if error or known is None:
            return error
        return ErrorCode.NONE if partition in known.partitions else ErrorCode.TRANSACTION_ABORTABLE

    def end(self, transactional_id: str, producer: Producer, *, commit: bool, bump: bool) -> Answer:
        """Commit or abort; with `bump` (EndTxn 5 and later) the client goes on at a new epoch."""
        known = self.get(transactional_id)
        if not transactional_id:
            return Answer(ErrorCode.INVALID_REQUEST)
        if known is None:
            return Answer(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
        judged = judge_end(known, producer, commit=commit, bump=bump)
        if isinstance(judged, ErrorCode):
            return Answer(judged)
        if judged is Ending.ENDED_BEFORE:
            return Answer(ErrorCode.NONE, known.producer if bump else NO_PRODUCER)
        rotates = bump and known.producer.is_exhausted
        ended = self._end(
            known,
            commit=commit,
            bump=bump,
            next_producer_id=self._producer_ids.take() if rotates else NO_PRODUCER_ID,
        )
        return Answer(ErrorCode.NONE, ended.producer if bump else NO_PRODUCER)

    # The broker's own life

    def open(self) -> None:
        """Begin with the broker, or go on: what was being ended is ended now."""
        self._timer.start()
        self._finish_prepared()
        for transactional_id in self._open:
            self._watch(transactional_id)

    def close(self) -> None:
        """Stop with the broker; what is known is kept."""
        self._timer.stop()
        self._retry.clear()

    def abort_timed_out(self) -> None:
        """Abort what has been open for too long, and fence the clients."""
        now_ms = self._now_ms()
        for transactional_id in tuple(self._open):
            known = self._transactions[transactional_id]
            if known.times_out_at_ms <= now_ms:
                with suppress(RefusalError):  # what cannot be written down is done at a later look
                    self._fence(known)
        for transactional_id in self._open:
            self._watch(transactional_id)

    # Changes

    def _new(self, transactional_id: str, timeout_ms: int) -> Transaction:
        made = Transaction(transactional_id, self._producer_ids.take(), timeout_ms, self._now_ms())
        self._put(made)
        return made

    def _initialise(self, known: Transaction, timeout_ms: int, expected: Producer | None) -> Answer:
        last_epoch = NO_EPOCH if expected is None else known.epoch
        if known.producer.is_exhausted and (expected is None or expected.epoch == known.epoch):
            producer = Producer(self._producer_ids.take(), 0)
        elif expected is None or expected.epoch == known.epoch or known.epoch == NO_EPOCH:
            producer = Producer(known.producer_id, known.epoch + 1)
        elif expected.epoch == known.last_epoch:  # asked again: the answer was lost
            producer, last_epoch = known.producer, known.last_epoch
        else:
            return Answer(ErrorCode.PRODUCER_FENCED)
        self._put(known.initialised(producer, last_epoch, timeout_ms, self._now_ms()))
        return Answer(ErrorCode.NONE, producer)

    def _fence(self, known: Transaction) -> None:
        """Abort at an epoch that no client has."""
        self._end(known, commit=False, bump=True)

    def _end(
        self,
        known: Transaction,
        *,
        commit: bool,
        bump: bool,
        next_producer_id: int = NO_PRODUCER_ID,
    ) -> Transaction:
        prepared = known.prepared(
            commit=commit, now_ms=self._now_ms(), bump=bump, next_producer_id=next_producer_id
        )
        self._put(prepared)
        return self._finish(prepared)

    def _finish(self, prepared: Transaction) -> Transaction:
        """What it is when it has ended, be it now or when all can be written down."""
        completed = prepared.completed(self._now_ms())
        try:
            self._participants.end(prepared.partitions, prepared.producer, commit=prepared.commits)
            self._put(completed)
        except RefusalError:
            self._retry.set(RETRY_MS)
        return completed

    def _finish_prepared(self) -> None:
        for transaction in tuple(self._transactions.values()):
            if transaction.state in PREPARED:
                self._finish(transaction)

    def _put(self, transaction: Transaction) -> None:
        self._journal.put(_KIND, (transaction.transactional_id,), transaction)
        self._hold(transaction)

    def _hold(self, transaction: Transaction) -> None:
        transactional_id = transaction.transactional_id
        self._transactions[transactional_id] = transaction
        if transaction.state is TransactionState.ONGOING:
            self._open[transactional_id] = None
        elif transactional_id in self._open:
            del self._open[transactional_id]
            if not self._open:
                self._timer.clear()

    def _forget(self, transactional_id: str) -> None:
        with suppress(RefusalError):  # after a restart it is forgotten again
            self._journal.drop(_KIND, (transactional_id,))
        del self._transactions[transactional_id]

    def _watch(self, transactional_id: str) -> None:
        self._timer.watch(self._transactions[transactional_id].times_out_at_ms)

    def _forget_expired(self) -> None:
        """Forget ids long at rest when somebody asks, as at the last of Kafka's regular looks."""
        interval_ms = self._settings.transaction_remove_expired_transaction_cleanup_interval_ms
        looks = (self._now_ms() - self._looked_for_expired_ms) // interval_ms
        if looks < 1:
            return
        self._looked_for_expired_ms += looks * interval_ms
        kept_since_ms = self._looked_for_expired_ms - self._settings.transactional_id_expiration_ms
        for transactional_id, known in tuple(self._transactions.items()):
            if known.state in AT_REST and known.updated_at_ms <= kept_since_ms:
                self._forget(transactional_id)


def _may_go_on(known: Transaction, expected: Producer) -> bool:
    """Whether a client that names its producer may go on, as far as ids tell."""
    if known.epoch == NO_EPOCH or expected.producer_id == known.producer_id:
        return True
    return expected.producer_id == known.previous_producer_id and expected.is_exhausted


def _check(transactional_id: str, known: Transaction | None, producer: Producer) -> ErrorCode:
    if not transactional_id:
        return ErrorCode.INVALID_REQUEST
    if known is None or known.producer_id != producer.producer_id:
        return ErrorCode.INVALID_PRODUCER_ID_MAPPING
    if known.epoch != producer.epoch:
        return ErrorCode.PRODUCER_FENCED
    if known.state in PREPARED:
        return ErrorCode.CONCURRENT_TRANSACTIONS
    return ErrorCode.NONE
