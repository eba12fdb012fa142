"""Both services over TLS: what trust needs, what a lack of it says, and Apache Kafka with it."""

import asyncio
import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer

from data_analysis import (
    AsyncDataAnalysisService,
    AsyncKafkaConsumerClient,
    AsyncKafkaProducerClient,
    DataAnalysisService,
    KafkaConnectionError,
    KafkaConsumerClient,
    KafkaProducerClient,
)
from data_analysis.kafka.tls import check_tls
from station_sim.brokers import Broker, TopicSpec, open_broker
from station_sim.brokers.ports import LOOPBACK, free_ports
from station_sim.kafka.cluster import Cluster
from tests.core.certificates import Authority, Certificate, require_openssl
from tests.core.world import CALENDAR, DATA, OUTPUT, small_config
from tests.kafka_at_hand import require_kafka

SERVICES = ("async", "blocking")
USER, SECRET = "analysis", "a long secret"
PROMPTLY_S = 10.0
"""Less than two tries of a client that gets no connection."""


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    require_openssl()
    return Authority(tmp_path_factory.mktemp("certificates"), "trusted")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    require_openssl()
    return Authority(tmp_path_factory.mktemp("certificates"), "stranger")


# What is said, by a server that is no Kafka.


@contextmanager
def _listening(greet: Callable[[socket.socket], None]) -> Iterator[str]:
    """Where a server listens that does no more than greet."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                greet(connection)

    with socket.create_server((LOOPBACK, 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"{LOOPBACK}:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def _over_tls(
    certificate: Certificate, clients: Authority | None = None
) -> Callable[[socket.socket], None]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.cert, certificate.key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients.cafile)

    def greet(connection: socket.socket) -> None:
        with connection.dup() as kept:
            try:
                secured = context.wrap_socket(connection, server_side=True)
            except ssl.SSLError:
                while kept.recv(1000):  # or the end would overtake the reason
                    pass
            else:
                with secured:
                    secured.recv(100)
                    secured.sendall(b"\0")

    return greet


def _arguments(*servers: str, trusts: Authority) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=trusts.cafile)
    return {"bootstrap_servers": list(servers), "ssl_context": context}


def test_a_certificate_that_fits_is_no_matter(trusted: Authority) -> None:
    with _listening(_over_tls(trusted.sign("fits"))) as server:
        check_tls("connecting", _arguments(server, trusts=trusted))


def test_a_certificate_of_a_stranger_is_named(trusted: Authority, stranger: Authority) -> None:
    with (
        _listening(_over_tls(stranger.sign("strange"))) as server,
        pytest.raises(KafkaConnectionError) as met,
    ):
        check_tls("connecting", _arguments(server, trusts=trusted))
    assert str(met.value).startswith(
        f"connecting failed: the certificate of {server} is not trusted: "
    )
    assert str(met.value).endswith("; set ssl_cafile to the certificate of who signed it")
    assert "\n" not in str(met.value)


def test_a_certificate_for_another_host_is_named(trusted: Authority) -> None:
    certificate = trusted.sign("elsewhere", "subjectAltName=DNS:kafka.example")
    with (
        _listening(_over_tls(certificate)) as server,
        pytest.raises(KafkaConnectionError, match=r"certificate is not valid for '127\.0\.0\.1'"),
    ):
        check_tls("connecting", _arguments(server, trusts=trusted))


def test_a_broker_that_wants_a_certificate_of_ours_is_named(trusted: Authority) -> None:
    with (
        _listening(_over_tls(trusted.sign("mutual"), clients=trusted)) as server,
        pytest.raises(KafkaConnectionError, match="certificate required; check ssl_certfile"),
    ):
        check_tls("connecting", _arguments(server, trusts=trusted))


def test_one_broker_that_fits_is_enough(trusted: Authority, stranger: Authority) -> None:
    with (
        _listening(_over_tls(stranger.sign("bad"))) as bad,
        _listening(_over_tls(trusted.sign("good"))) as good,
    ):
        check_tls("connecting", _arguments(bad, good, trusts=trusted))


def test_a_port_without_tls_or_without_anybody_is_left_to_the_client(trusted: Authority) -> None:
    with _listening(lambda connection: None) as silent:
        check_tls("connecting", _arguments(silent, trusts=trusted))
    check_tls("connecting", _arguments(silent, "not an address", trusts=trusted))


def test_every_client_says_it_at_once(trusted: Authority, stranger: Authority) -> None:
    with _listening(_over_tls(stranger.sign("any"))) as server:
        kafka = {
            "bootstrap_servers": [server],
            "group_id": "g",
            "security_protocol": "SSL",
            "ssl_cafile": trusted.cafile,
        }
        began = time.monotonic()
        for start in (
            lambda: KafkaConsumerClient([DATA], kafka),
            lambda: KafkaProducerClient(kafka),
            lambda: asyncio.run(AsyncKafkaConsumerClient([DATA], kafka).start()),
            lambda: asyncio.run(AsyncKafkaProducerClient(kafka).start()),
        ):
            with pytest.raises(KafkaConnectionError, match=f"{server} is not trusted"):
                start()
        assert PROMPTLY_S > time.monotonic() - began


# The simulated Kafka, and Apache Kafka.


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def ask(self, question: Any) -> Any:
        """Run a coroutine and return what it returns."""
        return asyncio.run_coroutine_threadsafe(question, self.loop).result(timeout=180)

    def close(self) -> None:
        """End the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture(scope="module")
def simulated(trusted: Authority) -> Iterator[dict[str, str]]:
    """Addresses of simulated Kafkas by what they speak."""
    certificate = trusted.sign("simulated")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.cert, certificate.key)
    loop = Loop()
    users = {"SSL": {}, "SASL_SSL": {USER: SECRET}}
    clusters = {
        protocol: Cluster(rng=random.Random(1), users=those, tls=context)
        for protocol, those in users.items()
    }

    async def start(protocol: str, cluster: Cluster) -> None:
        await cluster.start()
        for topic in (DATA, CALENDAR, OUTPUT):
            cluster.topics.create(topic, partitions=1)
        security = _login("PLAIN") if protocol == "SASL_SSL" else {"security_protocol": protocol}
        trusts = ssl.create_default_context(cafile=trusted.cafile)
        await _send(cluster.bootstrap, ssl_context=trusts, **security)

    try:
        for protocol, cluster in clusters.items():
            loop.ask(start(protocol, cluster))
        yield {protocol: cluster.bootstrap for protocol, cluster in clusters.items()}
    finally:
        for cluster in clusters.values():
            loop.ask(cluster.stop())
        loop.close()


@pytest.mark.parametrize("form", ["flat", "nested"])
@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
@pytest.mark.parametrize("service", SERVICES)
def test_both_services_speak_tls_with_the_simulated_kafka(
    service: str, protocol: str, form: str, simulated: dict[str, str], trusted: Authority
) -> None:
    login = _login("SCRAM-SHA-256") if protocol == "SASL_SSL" else {"security_protocol": protocol}
    make = _flat if form == "flat" else _nested
    security = {**login, "ssl_cafile": trusted.cafile}
    assert 1 == _start(service, make(simulated[protocol], f"{service}-{form}", security))


class Secured(NamedTuple):
    """An Apache Kafka with TLS, and how it is asked; `at` are its addresses by listener."""

    broker: Broker
    at: dict[str, str]
    ask: Callable[[Any], Any]


LISTENERS = ("SASL_PLAINTEXT", "PLAINTEXT", "SSL", "SASL_SSL", "MUTUAL", "CONTROLLER")


def _properties(ports: dict[str, int], trusted: Authority) -> dict[str, str]:
    """Kafka's settings for a listener of each protocol; MUTUAL wants certificates of clients."""
    listeners = [f"{name}://{LOOPBACK}:{port}" for name, port in ports.items()]
    protocols = {**{name: name for name in LISTENERS}, "MUTUAL": "SSL", "CONTROLLER": "PLAINTEXT"}
    login = "org.apache.kafka.common.security"
    jaas = {
        "plain": f'{login}.plain.PlainLoginModule required user_{USER}="{SECRET}";',
        "scram-sha-256": f"{login}.scram.ScramLoginModule required;",
        "scram-sha-512": f"{login}.scram.ScramLoginModule required;",
    }
    return {
        "listeners": ",".join(listeners),
        "advertised.listeners": ",".join(listeners[:-1]),
        "controller.quorum.voters": f"1@{LOOPBACK}:{ports['CONTROLLER']}",
        "listener.security.protocol.map": ",".join(f"{n}:{p}" for n, p in protocols.items()),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(trusted.sign("broker").chain),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": trusted.cafile,
        "listener.name.mutual.ssl.client.auth": "required",
        **{f"listener.name.sasl_ssl.{n}.sasl.jaas.config": text for n, text in jaas.items()},
    }


@pytest.fixture(scope="module")
def kafka(trusted: Authority) -> Iterator[Secured]:
    require_kafka("jvm")
    ports = dict(zip(LISTENERS, free_ports(len(LISTENERS)), strict=True))
    broker = open_broker(
        "jvm",
        port=ports["SASL_PLAINTEXT"],
        users={USER: SECRET},
        server_properties=_properties(ports, trusted),
    )
    loop = Loop()
    at = {name: f"{LOOPBACK}:{port}" for name, port in ports.items()}
    try:
        opened = loop.ask(broker.__aenter__())
        secured = Secured(opened, at, loop.ask)
        try:
            topics = [TopicSpec(name, 1) for name in (DATA, CALENDAR, OUTPUT)]
            secured.ask(opened.make_topics(*topics))
            secured.ask(_send(at["PLAINTEXT"]))
            yield secured
        finally:
            secured.ask(broker.__aexit__(None, None, None))
    finally:
        loop.close()


async def _send(bootstrap: str, **security: Any) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, **security) as producer:
        value = {"stationId": "A", "timestamp": "t", "totalPower": 1.0}
        await producer.send_and_wait(DATA, json.dumps(value).encode())


def _login(mechanism: str) -> dict[str, Any]:
    return {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": USER,
        "sasl_plain_password": SECRET,
    }


def _flat(server: str, group: str, security: dict[str, Any]) -> dict[str, Any]:
    return {
        "bootstrap_servers": [server],
        "group_id": group,
        "auto_offset_reset": "earliest",
        **security,
    }


def _nested(server: str, group: str, security: dict[str, Any]) -> dict[str, Any]:
    return {
        "consumer": _flat(server, group, security),
        "producer": {"bootstrap_servers": [server], **security},
    }


def _start(service: str, kafka_config: dict[str, Any]) -> int:
    """Start a service, let it upload the result of one record; return how many it has uploaded."""
    options: Any = {"module_name": "load_prediction", "config": small_config()}
    if service == "async":
        return asyncio.run(
            _start_async(AsyncDataAnalysisService(kafka_config=kafka_config, **options))
        )
    blocking = DataAnalysisService(kafka_config=kafka_config, **options)
    blocking.start(lambda station_id, module_input: {})
    deadline = time.monotonic() + 60
    while blocking.engine.counters.results_uploaded < 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    blocking.stop()
    return blocking.engine.counters.results_uploaded


async def _start_async(service: AsyncDataAnalysisService) -> int:
    await service.start(lambda station_id, module_input: {})
    async with asyncio.timeout(60):
        while service.engine.counters.results_uploaded < 1:
            await asyncio.sleep(0.02)
    await service.stop()
    return service.engine.counters.results_uploaded


@pytest.mark.kafka
@pytest.mark.parametrize("form", [_flat, _nested])
@pytest.mark.parametrize("service", SERVICES)
def test_both_services_work_over_tls(
    service: str, form: Any, kafka: Secured, trusted: Authority
) -> None:
    security = {"security_protocol": "SSL", "ssl_cafile": trusted.cafile}
    group = f"tls-{service}-{form.__name__}"
    assert 1 == _start(service, form(kafka.at["SSL"], group, security))
    ((tp, kept),) = (
        (tp, kept) for tp, kept in kafka.ask(kafka.broker.committed(group)).items() if kept.offset
    )
    assert ((DATA, 0), 1) == (tp, kept.offset)


@pytest.mark.kafka
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("service", SERVICES)
def test_both_services_log_in_over_tls(
    service: str, mechanism: str, kafka: Secured, trusted: Authority
) -> None:
    security = {**_login(mechanism), "ssl_cafile": trusted.cafile}
    group = f"login-{service}-{mechanism}"
    assert 1 == _start(service, _nested(kafka.at["SASL_SSL"], group, security))


@pytest.mark.kafka
@pytest.mark.parametrize("service", SERVICES)
def test_both_services_show_a_certificate_of_their_own(
    service: str, kafka: Secured, trusted: Authority
) -> None:
    own = trusted.sign(f"client-{service}")
    security = {
        "security_protocol": "SSL",
        "ssl_cafile": trusted.cafile,
        "ssl_certfile": str(own.cert),
        "ssl_keyfile": str(own.key),
    }
    assert 1 == _start(service, _flat(kafka.at["MUTUAL"], f"mutual-{service}", security))


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
@pytest.mark.parametrize("service", SERVICES)
def test_an_authority_that_is_not_kafka_s_is_one_clear_line_at_once(
    service: str, protocol: str, kafka: Secured, stranger: Authority
) -> None:
    login = _login("PLAIN") if protocol == "SASL_SSL" else {"security_protocol": "SSL"}
    security = {**login, "ssl_cafile": stranger.cafile}
    began = time.monotonic()
    with pytest.raises(KafkaConnectionError) as met:
        _start(service, _flat(kafka.at[protocol], "never", security))
    assert PROMPTLY_S > time.monotonic() - began
    assert f"the certificate of {kafka.at[protocol]} is not trusted" in str(met.value)
    assert "\n" not in str(met.value)
    assert SECRET not in str(met.value)


@pytest.mark.kafka
@pytest.mark.parametrize("service", SERVICES)
def test_a_certificate_that_kafka_misses_is_one_clear_line_at_once(
    service: str, kafka: Secured, trusted: Authority
) -> None:
    security = {"security_protocol": "SSL", "ssl_cafile": trusted.cafile}
    began = time.monotonic()
    with pytest.raises(KafkaConnectionError, match="check ssl_certfile and ssl_keyfile"):
        _start(service, _flat(kafka.at["MUTUAL"], "never", security))
    assert PROMPTLY_S > time.monotonic() - began
