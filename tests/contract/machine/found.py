"""Programs that once told two brokers apart. They are run before any others: paste a new one here
when it is found, and a contract case for it into `cases/found_by_machine.py`.
"""

from tests.contract.machine.duel import Program
from tests.contract.machine.steps.groups import DeleteGroups, Join, ShowGroups, Sync
from tests.contract.machine.steps.logs import Fetch, LookUp, Produce
from tests.contract.machine.steps.offsets import Commit, ForgetOffset
from tests.contract.machine.steps.topics import ChangeSetting, CreateTopic
from tests.contract.machine.steps.transactions import (
    AddPartitions,
    CommitInTransaction,
    End,
    StartProducer,
)

FOUND: tuple[Program, ...] = (
    (
        Fetch(version=11, topic=2, offset=0),
        CreateTopic(version=7, topic=2, only_check=True),
        CreateTopic(version=2, topic=2, partitions=-1, replication=0, name="a b"),
        CreateTopic(version=5, topic=2, replication=0, config=(("max.message.bytes", "-5"),)),
    ),
    (
        CreateTopic(
            version=4,
            topic=2,
            config=(("cleanup.policy", "delete,burn"), ("no.such.setting", "1")),
        ),
    ),
    (
        LookUp(version=8, topic=0, at=-5),
        LookUp(version=7, topic=0, at=-4),
        LookUp(version=6, topic=0, at=-3),
    ),
    (
        Produce(version=13, topic=0, records=((0, None, b"a"),), damage="twice", acks=2),
        Produce(version=9, topic=0, records=((0, None, b"a"),), damage="checksum"),
        Produce(version=3, topic=0, records=((0, None, 300),), codec=4),
    ),
    (
        Produce(version=9, topic=0, records=((0, None, b"a"),)),
        Produce(version=9, topic=0, records=((700_000_000, None, b"a"),)),
        Fetch(version=11, topic=0, offset=0),
    ),
    (
        ChangeSetting(version=1, topic=0, setting="cleanup.policy", operation=0, value="compact"),
        Produce(version=13, topic=0, records=((0, None, b"a"), (0, None, b"b"))),
    ),
    (Sync(version=5, group=1, member=1, generation_shift=1, protocol=None),),
    (
        Commit(version=8, group=0, topic=0, offset=3),
        ForgetOffset(version=0, group=0, topic=0),
    ),
    (
        Join(version=4, group=0, member=2),
        Join(version=6, group=0, member=2),
        Join(version=4, group=0, member=2),
    ),
    (Produce(version=6, topic=0, records=((0, None, 300),), codec=4, damage="twice"),),
    (
        StartProducer(version=4, producer=2),
        AddPartitions(version=5, producer=2, partitions=((0, 1),), verify_only=True),
    ),
    (
        Commit(version=9, group=0, topic=0, offset=0, metadata="x" * 5_000),
        ShowGroups(version=5, groups=(0,)),
    ),
    (
        StartProducer(version=4, producer=2),
        CommitInTransaction(
            version=5, producer=2, group=0, topic=0, offset=0, metadata="x" * 4_097
        ),
        End(version=5, producer=2, commit=False),
        ShowGroups(version=5, groups=(0,)),
        DeleteGroups(version=2, groups=(0,)),
    ),
    (
        Commit(version=9, group=0, topic=0, offset=0, metadata="x" * 5_000),
        Commit(version=9, group=0, topic=0, offset=0, member=0, generation_shift=1),
        ForgetOffset(version=0, group=0, topic=0),
        DeleteGroups(version=2, groups=(0,)),
    ),
    (
        ChangeSetting(version=1, topic=0, setting="cleanup.policy", operation=0, value="compact"),
        Produce(version=9, topic=0, records=((0, None, b"a"), (700_000_000, b"k", b"a"))),
    ),
)
