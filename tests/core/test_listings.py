"""Lists of columns and shared texts: always equal to new ones, always bounded."""

from hypothesis import given
from hypothesis import strategies as st

from data_analysis.listings import Listings, Texts

READS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 20)), max_size=60)


@given(READS, st.integers(0, 60))
def test_a_list_is_what_a_new_one_would_be(reads: list[tuple[int, int, int]], most: int) -> None:
    listings: Listings[int] = Listings(most)
    for column, start, count in reads:
        end = start + count
        expected = [(column, place) for place in range(start, end)]
        got = listings.read(
            column,
            start,
            end,
            lambda one, two, at=column: [(at, each) for each in range(one, two)],  # type: ignore[misc]  # bound now
        )
        assert expected == got
        got.clear()


@given(st.integers(0, 10), st.integers(0, 10), st.integers(0, 20), st.integers(0, 20))
def test_a_list_goes_on_where_its_column_was_moved(
    start: int, kept: int, count: int, moved_count: int
) -> None:
    listings: Listings[str] = Listings()
    listings.read("old", start, start + count, lambda one, two: list(range(one, two)))
    end = kept + moved_count
    listings.move("old", "new", kept, end)
    moved = lambda one, two: [kept + place for place in range(one, two)]  # noqa: E731
    assert list(range(kept, end)) == listings.read("new", 0, end - kept, moved)
    assert list(range(kept, end + 3)) == listings.read("new", 0, end + 3 - kept, moved)


def test_lists_beyond_the_bound_are_not_kept_until_others_are_not_read_any_more() -> None:
    listings: Listings[str] = Listings(10)
    made: list[str] = []

    def read(name: str) -> None:
        def make(start: int, end: int) -> list[int]:
            made.append(name)
            return list(range(start, end))

        assert list(range(8)) == listings.read(name, 0, 8, make)

    read("a")
    read("b")
    read("a")
    assert (["a", "b"], 8) == (made, len(listings))
    for _ in range(10):
        read("b")
    made.clear()
    read("b")
    assert ([], 8) == (made, len(listings))


def test_equal_texts_are_one_object() -> None:
    texts = Texts(3)
    first, second = (" ".join(["2026", "08:00"]) for _ in range(2))
    assert texts.shared(first) is texts.shared(second)
    for number in range(10):
        assert str(number) == texts.shared(str(number))
    assert len(texts._known) + len(texts._before) <= 3


def test_texts_that_come_again_and_again_stay_one_object_however_many_others_come() -> None:
    texts = Texts(8)
    first = texts.shared(" ".join(["2026", "08:00"]))
    for number in range(100):
        texts.shared(str(number))
        if number % 3 == 0:
            assert first is texts.shared(" ".join(["2026", "08:00"]))
