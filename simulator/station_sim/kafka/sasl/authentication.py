"""Where a connection stands on its way to being authenticated, and what it may ask there.

The tokens' contents are the matter of `plain.py` and `scram.py`; the answers are made in
`requests/sasl_handshake.py` and `requests/sasl_authenticate.py`. The rules are those of Kafka's
SaslServerAuthenticator and, for re-authentication (KIP-368), of its KafkaChannel.
"""

from collections.abc import Callable
from enum import Enum, auto

from station_sim.kafka.sasl.exchange import (
    Exchange,
    InvalidCredentialsError,
    ToldError,
)
from station_sim.kafka.sasl.plain import PlainExchange
from station_sim.kafka.sasl.scram import ScramExchange
from station_sim.kafka.sasl.users import Users
from station_sim.kafka.settings import BrokerSettings

REAUTHENTICATION_INTERVAL_MS = 1000
"""A connection is authenticated anew at most once in this time."""


class Stage(Enum):
    """What the broker waits for."""

    NEW = auto()
    """ApiVersions or a handshake."""
    GREETED = auto()
    """A handshake; the versions were told."""
    TOKENS = auto()
    """The mechanism's next token."""
    DONE = auto()
    """Any request."""
    FAILED = auto()
    """Nothing more: the connection is about to be closed."""


class Admission(Enum):
    """What becomes of a request."""

    HANDLE = auto()
    REFUSE = auto()
    """It is answered with ILLEGAL_SASL_STATE, and the connection is closed."""
    HANG_UP = auto()


class FailedError(Exception):
    """The client is not who it says; `message` is what it may be told, None for nothing at all."""

    def __init__(self, message: str | None) -> None:
        super().__init__(message or "authentication failed")
        self.message = message


class Authentication:
    """The authentication of one connection; `user` is who it turned out to be."""

    def __init__(
        self, users: Users, settings: BrokerSettings, *, now_ms: Callable[[], int]
    ) -> None:
        self._users = users
        self._settings = settings
        self._now_ms = now_ms
        self._exchange: Exchange | None = None
        self._mechanism: str | None = None
        self._mechanism_changed = False
        self._renews = False
        self._renewed_at_ms: int | None = None
        self._expires_at_ms: int | None = None
        self.stage = Stage.NEW
        self._takes_raw_tokens = False
        self.user: str | None = None

    @property
    def expects_raw_token(self) -> bool:
        """Whether the next frame is a token without a request around it."""
        return self.stage is Stage.TOKENS and self._takes_raw_tokens

    @property
    def mechanisms(self) -> list[str]:
        """What clients may choose from."""
        return self._settings.sasl_enabled_mechanisms.split(",")

    def admit(self, kind: str, *, is_understood: bool = True) -> Admission:
        """What to do with a request of a kind; `is_understood` is False for a foreign version."""
        if self.stage is Stage.DONE:
            return self._admit_after(kind)
        if self.stage is Stage.TOKENS:
            return Admission.HANDLE if kind == "SaslAuthenticate" else Admission.REFUSE
        if kind == "SaslHandshake" and self.stage in (Stage.NEW, Stage.GREETED):
            return Admission.HANDLE
        if kind == "ApiVersions" and self.stage is Stage.NEW:
            if is_understood:
                self.stage = Stage.GREETED
            return Admission.HANDLE
        return Admission.HANG_UP

    def begin(self, mechanism: str, *, raw_tokens: bool) -> bool:
        """Take the client's choice; False, and failed, if there is no such mechanism."""
        if mechanism not in self.mechanisms:
            self.stage = Stage.FAILED
            return False
        self._mechanism_changed = self._mechanism not in (None, mechanism)
        self._mechanism = self._mechanism or mechanism
        if mechanism == "PLAIN":
            self._exchange = PlainExchange(self._users)
        else:
            self._exchange = ScramExchange(self._users, mechanism)
        self._takes_raw_tokens = raw_tokens
        self.stage = Stage.TOKENS
        return True

    def answer(self, token: bytes, *, may_renew: bool) -> bytes:
        """The broker's next token; the stage is DONE after the last one.

        `may_renew` tells that the client knows of re-authentication. Raises `FailedError`.
        """
        assert self._exchange is not None, "tokens are answered after a handshake"
        self._renews = self._renews or may_renew
        try:
            answer = self._evaluate(self._exchange, token)
        except FailedError:
            self.stage = Stage.FAILED
            raise
        if self._exchange.user is not None:
            self._succeed(self._exchange.user)
        return answer

    @property
    def session_lifetime_ms(self) -> int:
        """How long it lasts, as clients are told: 0 until all is done, and for ever."""
        return self._settings.connections_max_reauth_ms if self.stage is Stage.DONE else 0

    def _evaluate(self, exchange: Exchange, token: bytes) -> bytes:
        if self._mechanism_changed:
            raise FailedError(None)
        try:
            answer = exchange.answer(token)
        except ToldError as error:
            raise FailedError(error.message) from error
        except InvalidCredentialsError as error:
            again = "re-authentication" if self.user is not None else "authentication"
            raise FailedError(
                f"Authentication failed during {again} due to invalid credentials with SASL "
                f"mechanism {self._mechanism}"
            ) from error
        if exchange.user is not None and self.user not in (None, exchange.user):
            raise FailedError(
                "Cannot change principals during re-authentication from "
                f"User.{self.user}: User.{exchange.user}"
            )
        return answer

    def _succeed(self, user: str) -> None:
        self.user = user
        self.stage = Stage.DONE
        self._exchange = None
        lifetime_ms = self._settings.connections_max_reauth_ms
        self._expires_at_ms = self._now_ms() + lifetime_ms if lifetime_ms else None

    def _admit_after(self, kind: str) -> Admission:
        now_ms = self._now_ms()
        if kind == "SaslHandshake" and self._may_begin_again(now_ms):
            self._renewed_at_ms = now_ms
            self.stage = Stage.GREETED
            return Admission.HANDLE
        is_over = self._expires_at_ms is not None and now_ms > self._expires_at_ms
        return Admission.HANG_UP if is_over and self._renews else Admission.HANDLE

    def _may_begin_again(self, now_ms: int) -> bool:
        if self._expires_at_ms is None:
            return False
        last_ms = self._renewed_at_ms
        return last_ms is None or now_ms - last_ms >= REAUTHENTICATION_INTERVAL_MS
