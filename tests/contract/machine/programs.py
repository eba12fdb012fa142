"""Random programs: what is drawn how often. Each has a subject, so that it gets anywhere.

Versions are those that the simulated Kafka and the codec speak; where drawn from a list, the first
is what failures are made simple with.
"""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from station_sim.kafka.requests.registry import KINDS_BY_NAME
from tests.contract.machine.duel import Program
from tests.contract.machine.memory import TRANSACTIONAL
from tests.contract.machine.steps import groups, logs, offsets, topics, transactions
from tests.contract.machine.steps.step import Step

STRETCHES = 3
STEPS_OF_A_STRETCH = 8
"""Lists are mostly short; several of them make a long program that can be made short."""

Steps = st.SearchStrategy[Step]


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The usual value three times in four."""
    return st.sampled_from((usual,) * (3 * len(others)) + others)


@cache
def versions(kind: str) -> st.SearchStrategy[int]:
    """Every version of a kind, the newest first."""
    known = KINDS_BY_NAME[kind]
    low, high = known.request.valid_versions
    return st.sampled_from(range(min(high, known.versions[1]), max(low, known.versions[0]) - 1, -1))


def step(step_class: type[Step], **fields: st.SearchStrategy[Any]) -> Steps:
    """A step at any version."""
    return st.builds(step_class, version=versions(step_class.kind), **fields)


TOPIC = mostly(0, 1, 2)
PARTITION = mostly(0, 1, 2)
WHERE = st.tuples(TOPIC, PARTITION)
OFFSET = st.sampled_from((0, 1, 2, 3, 5, 8, 100, -1))
ISOLATION = st.sampled_from((0, 1))
YES, NO = mostly(True, False), mostly(False, True)
GROUP = mostly(0, 1)
MEMBER = st.sampled_from((0, 1, 2))
SHIFT = mostly(0, 1, -1)
METADATA = st.sampled_from(("", "word", "x" * 4096, "x" * 4097))
ANY_PRODUCER = st.sampled_from((0, 1, *TRANSACTIONAL))
TRANSACTIONAL_PRODUCER = st.sampled_from((*TRANSACTIONAL, TRANSACTIONAL[0]))

SETTINGS = st.sampled_from(
    (
        ("max.message.bytes", "200"),
        ("message.timestamp.type", "LogAppendTime"),
        ("message.timestamp.before.max.ms", "3600000"),
        ("min.insync.replicas", "2"),
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "delete,compact"),
        ("max.message.bytes", "-5"),
        ("max.message.bytes", "many"),
        ("no.such.setting", "1"),
        ("message.timestamp.type", "Never"),
        ("cleanup.policy", "delete,burn"),
        ("segment.bytes", "1048576"),
    )
)
KEPT = ("retention.ms", "-1")
"""Records of programs are old: without this they go when somebody looks."""


def with_kept(config: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Settings of a topic, each named once."""
    return tuple(dict([KEPT, *config]).items())


CONFIG = st.lists(SETTINGS, max_size=2).map(with_kept)
TIME = mostly(0, 1, 1_000, -1_000, 700_000_000, 10**12, -1_700_000_000_001)
BYTES = st.sampled_from((b"a", b"", None, 300))
RECORDS = st.lists(st.tuples(TIME, mostly(None, b"k"), BYTES), min_size=1, max_size=4).map(tuple)

CREATE = step(
    topics.CreateTopic,
    topic=mostly(2, 0),
    partitions=st.sampled_from((1, 2, 0, -1)),
    replication=mostly(1, 2, 0, -1),
    config=CONFIG,
    only_check=NO,
    name=mostly(None, "", ".", "a b", "x" * 250),
)
DELETE = step(topics.DeleteTopic, topic=TOPIC, by_id=NO)
MORE_PARTITIONS = step(
    topics.CreatePartitions, topic=TOPIC, count=st.sampled_from((3, 2, 1, 0, -1)), only_check=NO
)
SHOW_TOPICS = step(
    topics.ShowTopics, topics=st.sampled_from(((0,), (0, 1), (2,), (1, 2))), by_id=NO
)
SHOW_SETTINGS = step(
    topics.ShowSettings,
    topic=TOPIC,
    synonyms=NO,
)
CHANGE = st.builds(
    lambda version, topic, setting, operation, only_check: topics.ChangeSetting(
        version, topic, setting[0], operation, None if operation == 1 else setting[1], only_check
    ),
    versions("IncrementalAlterConfigs"),
    TOPIC,
    SETTINGS,
    mostly(0, 1, 2, 3),
    NO,
)
SET_ONE = st.builds(
    lambda version, setting: topics.ChangeSetting(version, 0, setting[0], 0, setting[1]),
    versions("IncrementalAlterConfigs"),
    st.sampled_from(
        (
            ("max.message.bytes", "200"),
            ("min.insync.replicas", "2"),
            ("cleanup.policy", "compact"),
            ("message.timestamp.type", "LogAppendTime"),
        )
    ),
)
"""A change that is sure to matter to records."""
REPLACE = step(topics.ReplaceSettings, topic=TOPIC, config=CONFIG, only_check=NO)

PRODUCE = step(
    logs.Produce,
    topic=TOPIC,
    partition=PARTITION,
    records=RECORDS,
    codec=st.sampled_from((0, 1, 2, 3, 4)),
    damage=mostly("", "checksum", "twice", "empty"),
    acks=mostly(-1, 1, 0, 2),
)
PRODUCE_AS = step(
    logs.Produce,
    topic=TOPIC,
    partition=PARTITION,
    records=RECORDS,
    acks=mostly(-1, 1, 0),
    producer=ANY_PRODUCER,
    epoch_shift=SHIFT,
    sequence_shift=mostly(0, -1, 1, -2, 3),
)
PRODUCE_IN = step(
    logs.Produce,
    topic=TOPIC,
    partition=PARTITION,
    records=RECORDS,
    producer=TRANSACTIONAL_PRODUCER,
    epoch_shift=SHIFT,
    sequence_shift=mostly(0, -1, 1),
    transactional=YES,
)
FETCH = step(
    logs.Fetch,
    topic=TOPIC,
    partition=PARTITION,
    offset=OFFSET,
    max_bytes=mostly(1 << 20, 0, 1, 150),
    partition_max_bytes=mostly(1 << 20, 0, 1, 150),
    isolation=ISOLATION,
)
WAITING_FETCH = step(
    logs.WaitingFetch,
    topic=TOPIC,
    partition=mostly(0, 1),
    offset=OFFSET,
    min_bytes=st.sampled_from((1, 200)),
    isolation=ISOLATION,
)
LOOK_UP = step(
    logs.LookUp,
    topic=TOPIC,
    partition=PARTITION,
    at=st.sampled_from((-1, -2, -3, 0, 1, 500, 2_000, -4, -5, -6)),
    isolation=ISOLATION,
)
CUT = step(
    logs.CutHead,
    topic=TOPIC,
    partition=PARTITION,
    before=st.sampled_from((1, 2, 3, 5, 0, -1, -2, 100)),
)

START = step(
    transactions.StartProducer,
    producer=ANY_PRODUCER,
    as_who=st.sampled_from((transactions.NEW, transactions.ITSELF, transactions.STALE)),
    timeout_ms=mostly(60_000, 0, 900_001),
)
SHOW_PRODUCERS = step(transactions.ShowProducers, topic=TOPIC, partition=PARTITION)
START_TRANSACTIONAL = step(
    transactions.StartProducer,
    producer=TRANSACTIONAL_PRODUCER,
    as_who=st.sampled_from((transactions.NEW, transactions.ITSELF, transactions.STALE)),
)
START_AGAIN = st.builds(
    transactions.StartProducer,
    version=st.sampled_from((3, 4, 5)),
    producer=TRANSACTIONAL_PRODUCER,
    as_who=st.sampled_from((transactions.STALE, transactions.ITSELF)),
)
"""As one that says who it was, which older versions cannot."""
ADD = step(
    transactions.AddPartitions,
    producer=TRANSACTIONAL_PRODUCER,
    partitions=st.lists(WHERE, min_size=1, max_size=2).map(tuple),
    epoch_shift=SHIFT,
    verify_only=NO,
)
ADD_OFFSETS = step(
    transactions.AddOffsets, producer=TRANSACTIONAL_PRODUCER, group=GROUP, epoch_shift=SHIFT
)
COMMIT_IN = step(
    transactions.CommitInTransaction,
    producer=TRANSACTIONAL_PRODUCER,
    group=GROUP,
    topic=TOPIC,
    partition=PARTITION,
    offset=OFFSET.filter(lambda offset: offset >= 0),
    metadata=METADATA,
    epoch_shift=SHIFT,
    member=mostly(None, 0, 1),
    generation_shift=SHIFT,
)
END = step(
    transactions.End, producer=TRANSACTIONAL_PRODUCER, commit=st.booleans(), epoch_shift=SHIFT
)
SHOW_TRANSACTIONS = step(transactions.ShowTransactions)

PROTOCOLS = mostly(("range",), ("range", "sticky"), ("sticky", "range"), ("sticky",), ())
JOIN = step(
    groups.Join,
    group=GROUP,
    member=MEMBER,
    protocols=PROTOCOLS,
    protocol_type=mostly("consumer", "connect", ""),
    topics=st.sampled_from(((), (0,), (0, 1))),
    as_whom=mostly(None, "", "nobody"),
    session_timeout_ms=mostly(60_000, 1, 10**8),
)
SYNC = step(
    groups.Sync,
    group=GROUP,
    member=MEMBER,
    generation_shift=SHIFT,
    protocol_type=mostly("consumer", None, "connect"),
    protocol=mostly("range", None, "sticky"),
)
BEAT = step(groups.Beat, group=GROUP, member=MEMBER, generation_shift=SHIFT)
LEAVE = step(groups.Leave, group=GROUP, member=MEMBER)
SHOW_GROUPS = step(groups.ShowGroups, groups=st.sampled_from(((0,), (0, 1))))
LIST_GROUPS = step(
    groups.ListGroups,
    states=st.sampled_from(((), ("Stable",), ("Empty",), ("PreparingRebalance", "Dead"))),
)
DELETE_GROUPS = step(groups.DeleteGroups, groups=st.sampled_from(((0,), (1,), (0, 1))))

COMMIT = step(
    offsets.Commit,
    group=GROUP,
    topic=TOPIC,
    partition=PARTITION,
    offset=OFFSET,
    metadata=mostly("", None, "word", "x" * 4096, "x" * 4097),
    member=mostly(None, 0, 1),
    generation_shift=SHIFT,
)
COMMIT_AS = step(
    offsets.Commit,
    group=GROUP,
    topic=TOPIC,
    offset=OFFSET,
    member=MEMBER,
    generation_shift=SHIFT,
)
SHOW_COMMITTED = step(
    offsets.ShowCommitted,
    group=GROUP,
    partitions=mostly(None, ((0, 0),), ((0, 0), (1, 1), (2, 0)), ()),
    stable=NO,
)
SHOW_STABLE = st.builds(
    offsets.ShowCommitted, version=st.sampled_from((9, 8, 7)), group=GROUP, stable=st.just(True)
)
FORGET = step(offsets.ForgetOffset, group=GROUP, topic=TOPIC, partition=PARTITION)

SUBJECTS: dict[str, dict[Steps, int]] = {
    "topics": {CREATE: 2, DELETE: 1, MORE_PARTITIONS: 1, SHOW_TOPICS: 1, SHOW_SETTINGS: 1}
    | {CHANGE: 2, REPLACE: 1, PRODUCE: 1, FETCH: 1, COMMIT: 1, PRODUCE_AS: 1, START: 1},
    "logs": {PRODUCE: 6, FETCH: 2, WAITING_FETCH: 1, LOOK_UP: 3, CUT: 1, CHANGE: 1, SET_ONE: 1},
    "idempotence": {PRODUCE_AS: 6, START: 1, SHOW_PRODUCERS: 1, CUT: 1, PRODUCE: 1},
    "transactions": {ADD: 3, PRODUCE_IN: 4, END: 3, START_TRANSACTIONAL: 1, FETCH: 1}
    | {WAITING_FETCH: 1, LOOK_UP: 1, CUT: 1, SHOW_TRANSACTIONS: 1, SHOW_PRODUCERS: 1}
    | {PRODUCE_AS: 1, START_AGAIN: 1},
    "transactional offsets": {ADD_OFFSETS: 3, COMMIT_IN: 4, END: 3, START_TRANSACTIONAL: 1}
    | {
        START_AGAIN: 1,
        SHOW_STABLE: 1,
        SHOW_COMMITTED: 2,
        COMMIT: 1,
        FORGET: 1,
        JOIN: 1,
        SYNC: 1,
        DELETE_GROUPS: 1,
    },
    "groups": {JOIN: 6, SYNC: 5, BEAT: 2, LEAVE: 2, COMMIT_AS: 2, SHOW_GROUPS: 1, LIST_GROUPS: 1}
    | {DELETE_GROUPS: 1},
    "offsets": {COMMIT: 4, COMMIT_AS: 2, SHOW_COMMITTED: 2, FORGET: 2, JOIN: 2, SYNC: 1}
    | {LEAVE: 1, DELETE: 1, CREATE: 1, DELETE_GROUPS: 1, LIST_GROUPS: 1},
}
"""What is drawn together, and how often."""


def steps_about(subject: str) -> Steps:
    """A step that fits a subject."""
    return st.one_of([each for each, often in SUBJECTS[subject].items() for _ in range(often)])


STABLE_PAIR = (
    groups.Join(version=3, group=0, member=0),
    groups.Sync(version=3, group=0, member=0),
    groups.Join(version=3, group=0, member=1),
    groups.Join(version=3, group=0, member=0),
    groups.Sync(version=3, group=0, member=0),
    groups.Sync(version=3, group=0, member=1),
)
STARTED = tuple(
    transactions.StartProducer(version=4, producer=producer) for producer in (0, 1, *TRANSACTIONAL)
)
UNSYNCED_PAIR = STABLE_PAIR[:4]
OFFSETS_ADDED = (
    *STARTED,
    *(transactions.AddOffsets(version=3, producer=each, group=0) for each in TRANSACTIONAL),
)
OPENINGS: dict[str, tuple[Program, ...]] = {
    "topics": (STARTED,),
    "logs": ((),),
    "idempotence": (STARTED,),
    "transactions": (STARTED,),
    "transactional offsets": (STARTED, OFFSETS_ADDED),
    "groups": (STABLE_PAIR, STABLE_PAIR, UNSYNCED_PAIR),
    "offsets": (STABLE_PAIR, STABLE_PAIR, UNSYNCED_PAIR),
}
"""What most programs about a subject begin with, for little else succeeds without it."""


@st.composite
def programs(draw: st.DrawFn, subjects: tuple[str, ...] = tuple(SUBJECTS)) -> Program:
    """A program about one of the subjects."""
    subject = draw(st.sampled_from(subjects))
    opening = draw(st.sampled_from((*OPENINGS[subject] * 3, ())))
    stretch = st.lists(steps_about(subject), max_size=STEPS_OF_A_STRETCH)
    return opening + tuple(step for _ in range(STRETCHES) for step in draw(stretch))
