"""SCRAM (RFC 5802) as Kafka speaks it: no channel binding, names and nonces in ASCII.

What a server keeps of a password is in `users.py`.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass

from station_sim.kafka.sasl.exchange import InvalidCredentialsError, check_authorization_id
from station_sim.kafka.sasl.users import SCRAM_HASHES, ScramKeys, Users

_NAME = r"(?:[\x01-\x2b\x2d-\x3c\x3e-\x7f]|=2C|=3D)+"
_VALUE = r"[\x01-\x2b\x2d-\x7f]+"
_NONCE = r"[\x21-\x2b\x2d-\x7e]+"
_EXTENSIONS = rf"(?:,[A-Za-z]+={_VALUE})*"

_CLIENT_FIRST = re.compile(
    rf"n,(?:a=(?P<authorization>{_NAME}))?,"
    rf"(?P<bare>(?:m={_VALUE},)?n=(?P<name>{_NAME}),r=(?P<nonce>{_NONCE}){_EXTENSIONS})"
)
_CLIENT_FINAL = re.compile(
    rf"(?P<unproved>c=[A-Za-z0-9/+=]+,r=(?P<nonce>{_NONCE}){_EXTENSIONS}),p=(?P<proof>[A-Za-z0-9/+=]+)"
)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the first two messages have settled."""

    name: str
    nonce: str
    keys: ScramKeys
    messages: str


class ScramExchange:
    """The server's side of SCRAM; `user` is set when the client's proof was right."""

    def __init__(self, users: Users, mechanism: str) -> None:
        self._users = users
        self._mechanism = mechanism
        self._hash = SCRAM_HASHES[mechanism]
        self._begun: _Begun | None = None
        self.user: str | None = None

    def answer(self, token: bytes) -> bytes:
        """The server's first or final message.

        Raises `InvalidCredentialsError` for an unknown user, a wrong proof, a broken message.
        """
        text = token.decode(errors="replace")
        return self._first(text) if self._begun is None else self._final(text, self._begun)

    def _first(self, text: str) -> bytes:
        match = _CLIENT_FIRST.fullmatch(text)
        if match is None:
            raise InvalidCredentialsError("not a client's first message")
        name = match["name"].replace("=2C", ",").replace("=3D", "=")
        keys = self._users.scram_keys(name, self._mechanism)
        if keys is None:
            raise InvalidCredentialsError("no such user")
        check_authorization_id(match["authorization"] or "", name)
        nonce = match["nonce"] + self._users.nonce()
        salt = base64.b64encode(keys.salt).decode()
        answer = f"r={nonce},s={salt},i={keys.iterations}"
        self._begun = _Begun(name, nonce, keys, f"{match['bare']},{answer}")
        return answer.encode()

    def _final(self, text: str, begun: _Begun) -> bytes:
        match = _CLIENT_FINAL.fullmatch(text)
        if match is None or match["nonce"] != begun.nonce:
            raise InvalidCredentialsError("not the final message of this exchange")
        signed = f"{begun.messages},{match['unproved']}".encode()
        signature = hmac.digest(begun.keys.stored_key, signed, self._hash)
        client_key = _xor(signature, _decoded(match["proof"]))
        stored_key = hashlib.new(self._hash, client_key).digest()
        if not hmac.compare_digest(stored_key, begun.keys.stored_key):
            raise InvalidCredentialsError("wrong proof")
        self.user = begun.name
        verifier = hmac.digest(begun.keys.server_key, signed, self._hash)
        return b"v=" + base64.b64encode(verifier)


def _decoded(proof: str) -> bytes:
    try:
        return base64.b64decode(proof, validate=True)
    except binascii.Error as error:
        raise InvalidCredentialsError("the proof is not base64") from error


def _xor(left: bytes, right: bytes) -> bytes:
    if len(left) != len(right):
        raise InvalidCredentialsError("the proof has the wrong length")
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
