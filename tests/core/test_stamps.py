"""Texts of times: made once while they are wanted, and never too many."""

from data_analysis.stamps import FEWEST_TEXTS, StampTexts


def test_equal_times_have_one_text() -> None:
    texts = StampTexts({0: None})
    assert texts[86_400] is texts.of_all([86_400])[0]
    assert [None, "1970-01-02 00:00:00"] == texts.of_all([0, 86_400])


def test_few_texts_are_kept_unless_more_are_wanted_at_once() -> None:
    texts = StampTexts({})
    for seconds in range(3 * FEWEST_TEXTS):
        texts.shared(seconds, str(seconds))
    assert len(texts) <= FEWEST_TEXTS
    wanted = [*range(4 * FEWEST_TEXTS)]
    first = texts.of_all(wanted)
    assert all(map(lambda one, other: one is other, first, texts.of_all(wanted)))
    assert 4 * FEWEST_TEXTS <= len(texts) <= 5 * FEWEST_TEXTS
