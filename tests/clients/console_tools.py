"""Apache Kafka's console tools, which are its Java clients on the command line."""

import subprocess
from functools import cache

from station_sim.brokers.jars import find_jars
from station_sim.brokers.java import find_java
from tests.clients.command import WITHIN_S

TOOLS = "org.apache.kafka.tools"
TOPICS = f"{TOOLS}.TopicCommand"
GROUPS = f"{TOOLS}.consumer.group.ConsumerGroupCommand"
PRODUCER = f"{TOOLS}.ConsoleProducer"
CONSUMER = f"{TOOLS}.consumer.ConsoleConsumer"
OFFSETS = f"{TOOLS}.GetOffsetShell"

QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx128m")


@cache
def java() -> tuple[str, ...]:
    """The command that runs a class of Kafka."""
    return (find_java(), *QUICK_START, "-cp", f"{find_jars()}/*")


def run_tool(tool: str, bootstrap: str, *options: str, given: str = "") -> list[str]:
    """What a tool prints, by lines; it must end with 0."""
    done = subprocess.run(
        [*java(), tool, "--bootstrap-server", bootstrap, *options],
        input=given,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
