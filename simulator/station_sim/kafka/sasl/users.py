"""The users of a cluster, and what the mechanisms keep of their passwords.

How a client proves that it knows a password is in `plain.py` and `scram.py`. Nothing here ever
shows a password.
"""

import hashlib
import hmac
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from station_sim.errors import LabError

SCRAM_HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
"""The hash of each SCRAM mechanism, as hashlib calls it."""

MECHANISMS = ("PLAIN", *SCRAM_HASHES)

ITERATIONS = 4096
"""What Kafka takes unless told otherwise, and the fewest that it allows."""

SALT_BYTES = 16

HOW_TO_NAME_USERS = "write NAME:PASSWORD, both not empty, one user at a time"


@dataclass(frozen=True, slots=True, repr=False)
class ScramKeys:
    """What a server keeps for one user and mechanism (RFC 5802, section 3)."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    @classmethod
    def of(cls, password: str, hash_name: str, salt: bytes) -> "ScramKeys":
        """The keys that follow from a password."""
        salted = hashlib.pbkdf2_hmac(hash_name, password.encode(), salt, ITERATIONS)
        client_key = hmac.digest(salted, b"Client Key", hash_name)
        stored_key = hashlib.new(hash_name, client_key).digest()
        return cls(salt, ITERATIONS, stored_key, hmac.digest(salted, b"Server Key", hash_name))


class Users:
    """Names and passwords; without any, everybody may connect. `rng` decides salts and nonces."""

    def __init__(self, passwords: Mapping[str, str], rng: random.Random) -> None:
        for name, password in passwords.items():
            if not name or not password:
                raise LabError(f"a user has no name or no password; {HOW_TO_NAME_USERS}")
        self._passwords = dict(passwords)
        self._rng = rng
        self._keys: dict[tuple[str, str], ScramKeys] = {}

    def __len__(self) -> int:
        return len(self._passwords)

    def __iter__(self) -> Iterator[str]:
        return iter(self._passwords)

    def __repr__(self) -> str:
        return f"Users({', '.join(f'{name}:***' for name in self)})"

    def knows(self, name: str, password: str) -> bool:
        """Whether there is a user of this name with this password."""
        known = self._passwords.get(name)
        return known is not None and hmac.compare_digest(known.encode(), password.encode())

    def scram_keys(self, name: str, mechanism: str) -> ScramKeys | None:
        """What SCRAM needs of a user, None for one that there is not."""
        if name not in self._passwords:
            return None
        if (name, mechanism) not in self._keys:
            salt = self._rng.randbytes(SALT_BYTES)
            keys = ScramKeys.of(self._passwords[name], SCRAM_HASHES[mechanism], salt)
            self._keys[name, mechanism] = keys
        return self._keys[name, mechanism]

    def nonce(self) -> str:
        """The server's part of a nonce: 130 bits, as letters and digits."""
        return f"{self._rng.getrandbits(130):033x}"


def parse_users(texts: Iterable[str], *, where: str) -> dict[str, str]:
    """Users from `NAME:PASSWORD` each; a name has no colon, a password may.

    Raises `LabError`, which says `where` the text stood and never shows it.
    """
    users: dict[str, str] = {}
    for text in texts:
        name, _, password = text.partition(":")
        if not name or not password:
            raise LabError(f"{where}: a user without name or password; {HOW_TO_NAME_USERS}")
        if name in users:
            raise LabError(f"{where}: user {name} is named twice; name each user once")
        users[name] = password
    return users
