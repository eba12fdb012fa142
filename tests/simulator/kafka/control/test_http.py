"""The control over HTTP: what it answers, how it refuses, and that clients see what it does."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import TopicAuthorizationFailedError
from tests.simulator.kafka.control.broker_process import Asked, controlled

WITHIN_S = 30
LONG = b" " * 2_000_000


@pytest.fixture(scope="module")
def process() -> Iterator[Asked]:
    with controlled("--nodes", "3", "--set", "default.replication.factor=3") as asked:
        yield asked


@pytest.fixture
def broker(process: Asked) -> Asked:
    assert 200 == process.ask("POST", "/wipe")[0]
    return process


def test_it_lists_its_routes(broker: Asked) -> None:
    status, told = broker.ask("GET", "/")
    assert 200 == status
    assert {"method": "GET", "path": "/cluster"}.items() <= told["routes"][0].items()
    assert all(route["what"] for route in told["routes"])


def test_every_route_and_option_is_documented(broker: Asked) -> None:
    page = (Path(__file__).parents[4] / "docs/reference/broker-control.md").read_text()
    for route in broker.ask("GET", "/")[1]["routes"]:
        row = [line for line in page.splitlines() if f"`{route['method']} {route['path']}`" in line]
        assert 1 == len(row), route
        assert [] == [name for name in route["options"] if f"`{name}`" not in row[0]], route


def test_a_cluster_is_told_of(broker: Asked) -> None:
    status, cluster = broker.ask("GET", "/cluster")
    assert 200 == status
    assert [0, 1, 2] == cluster["nodes"]
    assert broker.bootstrap == cluster["bootstrap"]
    assert cluster["running"]


def test_a_producer_meets_the_fault_that_was_installed(broker: Asked) -> None:
    broker.ask("POST", "/topics", {"name": "T", "partitions": 2})
    fault = {"kinds": ["Produce"], "topic": "T", "answer": "TOPIC_AUTHORIZATION_FAILED", "count": 1}
    status, installed = broker.ask("POST", "/faults", fault)
    assert 200 == status
    producer = KafkaProducer(
        bootstrap_servers=broker.bootstrap, client_id="meter", enable_idempotence=False
    )
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            producer.send("T", b"x", partition=0).get(timeout=WITHIN_S)
        assert 0 == producer.send("T", b"x", partition=0).get(timeout=WITHIN_S).offset
    finally:
        producer.close()

    path = f"/faults/{installed['id']}"
    waited = broker.ask("POST", f"{path}/wait", {"hits": 1, "within_s": WITHIN_S})
    assert (200, 1) == (waited[0], waited[1]["hits"])
    assert 1 == broker.ask("DELETE", path)[1]["hits"]
    assert 404 == broker.ask("GET", path)[0]
    _, requests = broker.ask("GET", "/requests?kind=Produce&topic=T&client_id=meter")
    assert [["TOPIC_AUTHORIZATION_FAILED"], []] == [each["errors"] for each in requests]
    assert requests[-1:] == broker.ask("GET", "/requests?kind=Produce&newest=1")[1]
    end = broker.ask("GET", "/topics/T")[1]["partitions"][0]["end_offset"]
    assert 1 == end


def test_a_group_is_told_of_with_its_lag(broker: Asked) -> None:
    broker.ask("POST", "/topics", {"name": "T", "partitions": 1})
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for value in (b"a", b"b", b"c"):
        producer.send("T", value).get(timeout=WITHIN_S)
    producer.close()
    consumer = KafkaConsumer(
        "T",
        bootstrap_servers=broker.bootstrap,
        group_id="g",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=2,
    )
    try:
        while not consumer.poll(timeout_ms=500):
            pass
        consumer.commit()
        group = broker.ask("GET", "/groups/g")[1]
        assert "Stable" == group["state"]
        assert [[{"topic": "T", "partitions": [0]}]] == [m["assigned"] for m in group["members"]]
        assert [(2, 3, 1)] == [(o["offset"], o["end_offset"], o["lag"]) for o in group["offsets"]]
        assert "kafka-python" in broker.ask("GET", "/connections")[1][0]["client_id"]
        assert 409 == broker.ask("DELETE", "/groups/g")[0]
    finally:
        consumer.close()
    assert 200 == broker.ask("DELETE", "/groups/g")[0]


def test_nodes_stop_and_start(broker: Asked) -> None:
    assert not broker.ask("POST", "/nodes/1/stop")[1]["running"]
    assert 409 == broker.ask("POST", "/nodes/1/pause")[0]
    assert broker.ask("POST", "/nodes/1/start")[1]["running"]
    assert broker.ask("POST", "/nodes/1/pause")[1]["paused"]
    assert not broker.ask("POST", "/nodes/1/resume")[1]["paused"]
    assert 0.5 == broker.ask("POST", "/nodes/1/slow", {"delay_s": 0.5})[1]["delay_s"]


def test_the_cluster_restarts_with_its_records(broker: Asked) -> None:
    broker.ask("POST", "/topics", {"name": "T", "partitions": 1})
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    try:
        producer.send("T", b"a").get(timeout=WITHIN_S)
        assert not broker.ask("POST", "/stop")[1]["running"]
        assert broker.ask("POST", "/start")[1]["running"]
        assert broker.ask("POST", "/restart", {"down_s": 0.01})[1]["running"]
        assert 1 == producer.send("T", b"b").get(timeout=WITHIN_S).offset
    finally:
        producer.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", "/nowhere", None, 404, "/cluster"),
        ("GET", "/topics/T/x", None, 404, "/topics"),
        ("PUT", "/topics", None, 405, "GET and POST"),
        ("POST", "/topics", b"{", 400, "no JSON"),
        ("POST", "/topics", b"[1]", 400, "must be an object"),
        ("POST", "/topics", b"[" * 100_000, 400, "no JSON"),
        ("POST", "/topics", {}, 400, "'name' is missing"),
        ("POST", "/topics", {"name": "T", "partition": 1}, 400, "known are: name, partitions"),
        ("POST", "/topics", {"name": 7}, 400, "expected str, got int"),
        ("POST", "/topics", {"name": "T", "partitions": "2"}, 400, "expected int"),
        ("POST", "/topics", {"name": "a b"}, 400, "is invalid"),
        ("POST", "/topics", {"name": "T", "partitions": 0}, 400, "invalid value 0"),
        ("POST", "/topics", {"name": "T", "config": {"no.such": "1"}}, 400, "no.such"),
        ("GET", "/topics/none", None, 404, "no topic none"),
        ("DELETE", "/topics/none", None, 404, "no topic none"),
        ("GET", "/groups/none", None, 404, "no group none"),
        ("GET", "/nodes/9", None, 404, "there are: 0, 1, 2"),
        ("GET", "/nodes/x", None, 400, "node_id"),
        ("POST", "/nodes/0/slow", {"delay_s": -1}, 400, ">= 0 s"),
        ("POST", "/nodes/0/stop", {"now": True}, 400, "there is none here"),
        ("POST", "/faults", {"kinds": ["Fetsch"]}, 400, "no request kind Fetsch"),
        ("POST", "/faults", {"kind": "Fetch"}, 400, "known are: kinds, topic"),
        ("POST", "/faults", {"answer": "OOPS"}, 400, "NOT_LEADER_OR_FOLLOWER"),
        ("POST", "/faults", {"answer": 6, "drop": "before"}, 400, "either answers or drops"),
        ("POST", "/faults", {"drop": "during"}, 400, "drop"),
        ("POST", "/faults", {"probability": 2}, 400, "at most 1"),
        ("GET", "/faults/7", None, 404, "no fault 7"),
        ("POST", "/faults/7/release", None, 404, "no fault 7"),
        ("GET", "/requests?newest=x", None, 400, "newest"),
        ("GET", "/requests?newest=-1", None, 400, "newest"),
        ("GET", "/requests?kinds=Fetch", None, 400, "known are: kind"),
        ("GET", "/requests?error=OOPS", None, 400, "OOPS"),
        ("POST", "/restart?down_s=1", {"down_s": 1}, 400, "not in both"),
        ("POST", "/restart", {"down_s": 1e9}, 400, "stop it for longer"),
        ("POST", "/settings", {"settings": {"no.such": "1"}}, 400, "no.such"),
        ("POST", "/settings", {"settings": {}, "node_id": 9}, 404, "no node 9"),
    ],
)
def test_trouble_is_one_line(
    broker: Asked, method: str, path: str, body: Any, status: int, said: str
) -> None:
    got, told = broker.ask(method, path, body)
    assert status == got
    assert said in told["error"]
    assert "\n" not in told["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_web_pages_may_not_ask(broker: Asked, headers: dict[str, str]) -> None:
    status, told = broker.ask("POST", "/wipe", headers=headers)
    assert 403 == status
    assert next(iter(headers)) in told["error"]


def test_a_page_of_its_own_may_ask(broker: Asked) -> None:
    assert 200 == broker.ask("GET", "/cluster", headers={"Origin": broker.control})[0]


def test_one_connection_asks_several_times(broker: Asked) -> None:
    address = urlsplit(broker.control)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=WITHIN_S)
    try:
        for _ in range(3):
            connection.request("GET", "/cluster")
            answer = connection.getresponse()
            assert 200 == answer.status
            assert answer.read().endswith(b"}\n")
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"A" * 70_000, b"431"),
        (b"POST /faults HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + LONG, b"413"),
        (b"GET /cluster HTTP/1.1\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_http_is_refused(broker: Asked, sent: bytes, status: bytes) -> None:
    address = urlsplit(broker.control)
    with socket.create_connection((address.hostname, address.port), timeout=WITHIN_S) as stranger:
        try:
            stranger.sendall(sent)
            answer = stranger.recv(65536)
        except ConnectionError:
            answer = b""  # closed with what was sent unread
        assert not answer or b"HTTP/1.1 " + status in answer[:20]
    assert 200 == broker.ask("GET", "/cluster")[0]


def test_a_port_that_is_taken_is_one_line(broker: Asked) -> None:
    from tests.simulator.kafka.test_command import finished

    port = str(urlsplit(broker.control).port)
    ended = finished("--port", "0", "--control", port)
    assert 2 == ended.returncode
    assert 1 == ended.stderr.count("\n")
    assert f"control cannot listen at 127.0.0.1:{port}" in ended.stderr
