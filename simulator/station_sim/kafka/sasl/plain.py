"""PLAIN (RFC 4616): one token with name and password, with Kafka's texts for refusals."""

from station_sim.kafka.sasl.exchange import ToldError, check_authorization_id
from station_sim.kafka.sasl.users import Users

TOKENS = 3
"""Authorization id, name, password."""


class PlainExchange:
    """The server's side of PLAIN; `user` is set when the one token was right."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self.user: str | None = None

    def answer(self, token: bytes) -> bytes:
        """An empty token; raises `ToldError` for a wrong name or password."""
        parts = token.decode(errors="replace").split("\0", TOKENS)
        if len(parts) != TOKENS:
            raise ToldError(
                f"Invalid SASL/PLAIN response: expected {TOKENS} tokens, got {len(parts)}"
            )
        authorization_id, name, password = parts
        if not name:
            raise ToldError("Authentication failed: username not specified")
        if not password:
            raise ToldError("Authentication failed: password not specified")
        if not self._users.knows(name, password):
            raise ToldError("Authentication failed: Invalid username or password")
        check_authorization_id(authorization_id, name)
        self.user = name
        return b""
