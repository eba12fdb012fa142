"""What every mechanism's exchange of tokens offers, and how it fails.

The exchanges are in `plain.py` and `scram.py`; who feeds them is `authentication.py`.
"""

from typing import Protocol


class InvalidCredentialsError(Exception):
    """The client did not prove who it is; what it is told does not say why."""


class ToldError(Exception):
    """The client may be told why it failed: `message` is Kafka's text."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Exchange(Protocol):
    """One mechanism's exchange with one client; `user` is set when it has succeeded."""

    user: str | None

    def answer(self, token: bytes) -> bytes:
        """The server's next token; raises `InvalidCredentialsError` or `ToldError`."""


def check_authorization_id(wanted: str, user: str) -> None:
    """Raise `ToldError` when the client would act for somebody else."""
    if wanted and wanted != user:
        raise ToldError(
            "Authentication failed: Client requested an authorization id that is different from "
            "username"
        )
