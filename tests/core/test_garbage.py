"""The search for garbage is put off for large records alone, and comes back."""

import gc

import pytest

from data_analysis.garbage import LARGE_BYTES, searched_later


@pytest.mark.parametrize(("size", "expected"), [(0, True), (LARGE_BYTES, False)])
def test_only_a_large_record_puts_the_search_off(size: int, expected: bool) -> None:
    with searched_later(bytes(size)):
        assert expected is gc.isenabled()
    assert gc.isenabled()


def test_an_error_ends_it() -> None:
    def fails() -> None:
        with searched_later(bytes(LARGE_BYTES)):
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert gc.isenabled()


def test_what_is_switched_off_stays_off() -> None:
    gc.disable()
    try:
        with searched_later(bytes(LARGE_BYTES)):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
