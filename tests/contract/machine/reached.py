"""Pairs of request kind and error code that a long run has to have reached.

A machine that never meets an error says nothing about it. Left out are errors that programs draw
too seldom to be counted on, and that contract cases hold: Produce 19, AddOffsetsToTxn 49,
TxnOffsetCommit 49, OffsetFetch 88, OffsetDelete 68 and 86.
"""

_BY_KIND: dict[str, tuple[int, ...]] = {
    "Produce": (0, 2, 3, 10, 21, 32, 45, 47, 48, 76, 87, 100),
    "Fetch": (0, 1, 3, 100),
    "ListOffsets": (0, 3, 35),
    "DeleteRecords": (0, 1, 3, 44),
    "CreateTopics": (0, 17, 36, 37, 38, 40),
    "DeleteTopics": (0, 3, 100),
    "CreatePartitions": (0, 3, 37),
    "DescribeConfigs": (0, 3),
    "IncrementalAlterConfigs": (0, 3, 40),
    "AlterConfigs": (0, 3, 40),
    "InitProducerId": (0, 47, 50, 90),
    "AddPartitionsToTxn": (0, 3, 49, 55, 90),
    "AddOffsetsToTxn": (0, 90),
    "TxnOffsetCommit": (0, 3, 12, 47, 48),
    "EndTxn": (0, 47, 48, 49, 90),
    "DescribeTransactions": (0, 105),
    "DescribeProducers": (0, 3),
    "JoinGroup": (0, 23, 25, 26, 79),
    "SyncGroup": (0, 22, 23, 25, 27),
    "Heartbeat": (0, 22, 25, 27),
    "LeaveGroup": (0, 25),
    "DescribeGroups": (0, 69),
    "ListGroups": (0,),
    "DeleteGroups": (0, 68, 69),
    "OffsetCommit": (0, 3, 12, 22, 25, 27),
    "OffsetFetch": (0,),
    "OffsetDelete": (0, 3, 69),
}

WORTH_REACHING = {(kind, code) for kind, codes in _BY_KIND.items() for code in codes}
