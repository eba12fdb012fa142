"""Shared by the tests of kills and crashes."""

import gc
import logging
from collections.abc import Iterator

import pytest
from kafka import KafkaProducer


@pytest.fixture
def quiet() -> Iterator[None]:
    """Clients of a crashed host are closed by nobody, and would say so."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def nobody_cleans_up() -> Iterator[None]:
    """A killed process runs no finaliser; that of a producer closes it, in whatever world is there.

    Everything that a story has left is collected before there are finalisers again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(KafkaProducer, "__del__")
        yield
        gc.collect()
