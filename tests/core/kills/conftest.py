"""Shared by the tests of kills and crashes."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def quiet() -> Iterator[None]:
    """Clients of a crashed host are closed by nobody, and would say so."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
