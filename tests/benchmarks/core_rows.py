"""The rows of `core.py`: who is compared with whom, on what, and what is wanted.

A yardstick is a file of `yardsticks`, run as it is; the service is `core_service` with options.
"""

from dataclasses import dataclass

OUT = "bench-out"
HOURLY_TOPIC = "SCHEDULE-STATION-REALTIME-DATA"
PARTITIONS = 8
LARGEST_RECORD_BYTES = 20_000_000
LONG_WINDOW = 40_320
FEW_STATIONS = 20
HEAD = 10_000


@dataclass(frozen=True)
class Data:
    """What a topic holds: `messages` records, filled by `fill` with options.

    `head` records come before them and are not measured; `topic` is None where any name does.
    """

    what: str
    messages: int
    options: tuple[str, ...] = ()
    fill: str = "gen.py"
    points_per_message: int = 1
    calls_per_message: int = 1
    head: int = 0
    topic: str | None = None


SINGLES = Data("a point a record, 1,000 stations", 300_000, ("--stations", "1000"))
MANY = Data("a point a record, 1,000 stations", 600_000, ("--stations", "1000"))
FEWER = Data("a point a record, 1,000 stations", 100_000, ("--stations", "1000"))
FEW = Data("a point a record, 20 stations", 150_000, ("--stations", str(FEW_STATIONS)))
BATCHES = Data(
    "a minute of 50 stations a record, 1,000 stations",
    6_000,
    ("--stations", "1000", "--payload", "batch"),
    points_per_message=50,
    calls_per_message=50,
)
SLOW_SENDERS = Data(
    "a point a record, a record a batch, 1,000 stations",
    60_000,
    ("--stations", "1000", "--batch-messages", "1"),
)
HOURLY = Data(
    "168 h of 100 stations with 4 guns a record, 5.7 MB",
    40,
    fill="hourly",
    points_per_message=16_800,
    calls_per_message=100,
    topic=HOURLY_TOPIC,
)


def busy_among(known: int) -> Data:
    """Return 100 busy stations after a head that makes so many known."""
    return Data(
        f"a point a record, 100 stations of {known:,}",
        200_000,
        ("--stations", "100", "--known", str(known), "--head", str(HEAD)),
        fill="known",
        head=HEAD,
    )


@dataclass(frozen=True)
class Side:
    """One of the two programs of a row, what it reads, and what is to be told of it."""

    name: str
    options: tuple[str, ...]
    data: Data
    job: str
    uploads: str = "none"
    peer: str | None = None
    """The file of a yardstick; None for the service."""


SERVICE_UPLOADS = "acks=all, no compression, linger 5 ms, idempotent"
BLOCKING_UPLOADS = "acks=all, no compression, linger 5 ms, idempotent"
LIST_JOB = "12 fields, lists of 10, mean of one"
ARRAY_JOB = "12 fields, arrays of 10, mean of one"


def service(data: Data, *options: str, job: str = LIST_JOB) -> Side:
    """Return the asynchronous service that uploads."""
    return Side("async service", options, data, job, SERVICE_UPLOADS)


def silent(data: Data, *options: str, job: str) -> Side:
    """Return the asynchronous service that uploads nothing."""
    return Side("async service", ("--no-upload", *options), data, job)


def loop(data: Data, *options: str, window: int = 10) -> Side:
    """Return the loop of aiokafka and NumPy."""
    return Side(
        "loop",
        ("--style", "numpy", "--window", str(window), *options),
        data,
        f"10 fields, arrays of {window:,}, mean of one",
        "acks=all, no compression, linger 0",
        "peer_plain_aiokafka.py",
    )


def sync_loop(data: Data) -> Side:
    """Return the loop of kafka-python and NumPy."""
    return Side(
        "sync-loop",
        ("--style", "numpy", "--window", "10"),
        data,
        "10 fields, arrays of 10, mean of one",
        "acks=all, no compression, linger 5 ms, idempotent",
        "peer_plain_kafka_python.py",
    )


def raw(data: Data) -> Side:
    """Return the loop that reads and decodes, and does nothing else."""
    return Side("raw", (), data, "decodes", peer="peer_raw_aiokafka.py")


def long(answer: str, window: int = LONG_WINDOW) -> Side:
    """Return the asynchronous service with full windows of this size, as arrays."""
    options = ("--window", str(window), "--prefill", str(window), "--form", "array")
    return service(
        FEW,
        *options,
        *("--stations", str(FEW_STATIONS), "--answer", answer),
        job=f"12 fields, full arrays of {window:,}, {answer} of one",
    )


@dataclass(frozen=True)
class Row:
    """One comparison; without a yardstick `wanted` is points/s. None: only reported."""

    name: str
    ours: Side
    yardstick: Side | None
    wanted: float | None
    same_check: bool = True
    """Whether both sides' answers must add up to the same."""


ROWS = (
    Row("loop", service(SINGLES), loop(SINGLES), 1.5),
    # The figure is of the default form, lists; who asks for arrays of ten points gets this.
    Row("loop-array", service(SINGLES, "--form", "array", job=ARRAY_JOB), loop(SINGLES), None),
    Row(
        "sync-loop",
        Side("blocking service", ("--blocking",), FEWER, LIST_JOB, BLOCKING_UPLOADS),
        sync_loop(FEWER),
        1.0,
    ),
    Row("raw", silent(MANY, job=LIST_JOB), raw(MANY), 0.25, same_check=False),
    Row(
        "coalesce",
        silent(MANY, "--coalesce", job=f"{LIST_JOB}, once a poll and station"),
        raw(MANY),
        0.4,
        same_check=False,
    ),
    Row("long-window", long("newest"), long("newest", 10), 0.9),
    Row(
        "long-window-loop",
        long("mean"),
        loop(FEW, "--prefill", str(LONG_WINDOW), window=LONG_WINDOW),
        None,
    ),
    Row("batches", service(BATCHES), loop(BATCHES, "--payload", "batch"), 1.5),
    Row("slow-senders", service(SLOW_SENDERS), loop(SLOW_SENDERS), 0.9),
    Row("known", service(busy_among(10_000)), service(busy_among(100)), 0.9, same_check=False),
    Row(
        "hourly",
        service(
            HOURLY,
            *("--fetch-bytes", str(LARGEST_RECORD_BYTES)),
            job="8 fields, default configuration, lists of 168",
        ),
        None,
        100_000,
    ),
)
