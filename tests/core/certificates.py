"""Certificates for tests of TLS: an authority, and what it signs, as PEM files made by openssl."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost"


@dataclass(frozen=True)
class Certificate:
    """A certificate and its private key, in PEM files."""

    cert: Path
    key: Path

    @property
    def chain(self) -> Path:
        """One file with the key and the certificate, as Kafka wants them."""
        path = self.cert.with_suffix(".chain")
        path.write_text(self.key.read_text() + self.cert.read_text())
        return path


class Authority:
    """Signs certificates for loopback."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.own = self._make(name, "-addext", "keyUsage=critical,keyCertSign")

    @property
    def cafile(self) -> str:
        """What clients that trust this authority are given."""
        return str(self.own.cert)

    def sign(self, name: str, names: str = NAMES) -> Certificate:
        """Make a certificate for who is reached by `names`."""
        signed_by = ("-CA", str(self.own.cert), "-CAkey", str(self.own.key))
        plain = ("-addext", "basicConstraints=critical,CA:FALSE")
        return self._make(name, *signed_by, "-addext", names, *plain)

    def _make(self, name: str, *options: str) -> Certificate:
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        files = ("-out", str(made.cert), "-keyout", str(made.key))
        command = ["openssl", "req", "-x509", *KEY, *files, "-subj", f"/CN={name}", "-days", "2"]
        subprocess.run([*command, *options], check=True, capture_output=True, timeout=60)
        return made


def require_openssl() -> None:
    """Skip the running test where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on the path; install it (Debian: openssl)")
