"""Users are kept and never shown."""

import random

import pytest

from station_sim.errors import LabError
from station_sim.kafka.sasl.users import ScramKeys, Users, parse_users
from station_sim.kafka.serving import ServeOptions
from station_sim.kafka.settings import BrokerSettings


def test_passwords_are_not_shown() -> None:
    users = Users({"alice": "s3cret"}, random.Random(1))
    keys = users.scram_keys("alice", "SCRAM-SHA-256")
    options = ServeOptions(
        host="h", port=1, topics=[], settings=BrokerSettings(), seed=0, users={"alice": "s3cret"}
    )

    assert "Users(alice:***)" == repr(users)
    assert keys is not None
    assert keys.stored_key.hex() not in repr(keys)
    assert "s3cret" not in repr(options)


def test_keys_are_those_of_rfc_7677() -> None:
    """The example of RFC 7677, section 3, as far as the server's keys go."""
    import base64
    import hmac

    keys = ScramKeys.of("pencil", "sha256", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    signed = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    signature = hmac.digest(keys.server_key, signed, "sha256")

    assert b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" == base64.b64encode(signature)


@pytest.mark.parametrize("texts", [["alice"], [":x"], ["alice:"], ["a:s3cret", "a:s3cret"]])
def test_bad_users_are_refused_without_showing_them(texts: list[str]) -> None:
    with pytest.raises(LabError) as caught:
        parse_users(texts, where="--user")

    assert "--user" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_same_seed_gives_the_same_salts_and_nonces() -> None:
    def drawn(seed: int) -> tuple[object, str]:
        users = Users({"alice": "a"}, random.Random(seed))
        return users.scram_keys("alice", "SCRAM-SHA-512"), users.nonce()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
