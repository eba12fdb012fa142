"""Patterns fit what Python says they fit, and take no longer for being wicked."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station_sim.kafka.regular_expression import RegularExpression

atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", "^", "$", r"\b", "(?i:A)", ""])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    counts = st.sampled_from(["*", "+", "?", "*?", "{2}", "{1,3}", "{2,}"])
    return (
        st.builds(lambda first, then: first + then, inner, inner)
        | st.builds(lambda first, then: f"({first}|{then})", inner, inner)
        | st.builds(lambda repeated, count: f"(?:{repeated}){count}", inner, counts)
    )


@given(source=st.recursive(atoms, larger, max_leaves=8), text=st.text("abA-\n", max_size=6))
def test_it_fits_what_python_says(source: str, text: str) -> None:
    expected = re.compile(source, re.DOTALL).fullmatch(text) is not None
    assert expected == RegularExpression(source).fits(text)


@pytest.mark.parametrize(
    "source", ["(a+)+b", "(a|aa)+b", ".*(.*a){18}b", "(x+x+)+y|(a*)*b", ".*?" * 30 + "b"]
)
def test_nothing_is_tried_twice(source: str) -> None:
    since_s = time.process_time()
    assert not RegularExpression(source).fits("a" * 200)
    assert time.process_time() - since_s < 5


@pytest.mark.parametrize(
    "source",
    ["(", "a++", "(?>a)", r"(a)\1", "(?=a)", "(?<!a)b", "a{1001}", "(a{100}){100}", "(" * 50_000],
)
def test_what_re2_has_not_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="invalid regular expression"):
        RegularExpression(source)
