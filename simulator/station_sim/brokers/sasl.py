"""How Apache Kafka is told of users: a listener with SASL, PLAIN's table, SCRAM's credentials.

How it is started with them is in `jvm.py`; the simulated Kafka has `station_sim.kafka.sasl`.
"""

from collections.abc import Mapping

from station_sim.brokers.ports import LOOPBACK

SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")

_LOGIN_MODULES = "org.apache.kafka.common.security"


def sasl_properties(
    users: Mapping[str, str], port: int, controller_port: int, inner_port: int
) -> dict[str, str]:
    """What goes over `node_properties`: clients come by SASL, the broker itself by `inner_port`."""
    plain = " ".join(f'user_{name}="{password}"' for name, password in users.items())
    scram = f"{_LOGIN_MODULES}.scram.ScramLoginModule required;"
    names = ["PLAIN", *SCRAM]
    return {
        "listeners": (
            f"SASL_PLAINTEXT://{LOOPBACK}:{port},PLAINTEXT://{LOOPBACK}:{inner_port},"
            f"CONTROLLER://{LOOPBACK}:{controller_port}"
        ),
        "advertised.listeners": (
            f"SASL_PLAINTEXT://{LOOPBACK}:{port},PLAINTEXT://{LOOPBACK}:{inner_port}"
        ),
        "listener.security.protocol.map": (
            "SASL_PLAINTEXT:SASL_PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
        ),
        "sasl.enabled.mechanisms": ",".join(names),
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": (
            f"{_LOGIN_MODULES}.plain.PlainLoginModule required {plain};"
        ),
        **{f"listener.name.sasl_plaintext.{n.lower()}.sasl.jaas.config": scram for n in SCRAM},
    }


def scram_arguments(users: Mapping[str, str]) -> list[str]:
    """What `format` is told, so that the users are there from the start."""
    arguments = []
    for name, password in users.items():
        for mechanism in SCRAM:
            arguments += ["--add-scram", f"{mechanism}=[name={name},password={password}]"]
    return arguments
