"""What pages share says the same thing in the same words: runs, lengths of time, shares, long texts."""

from __future__ import annotations

import pytest

from trackside.site.addresses import commit_url
from trackside.site.durations import length
from trackside.site.run_words import run_label, run_words
from trackside.site.shares import interval, rate_columns, share_cell, share_column, share_words, whole_cell
from trackside.site.words import cut, words


@pytest.mark.parametrize(("number", "run_id", "label", "within"), [
    (123, 19000000010, "#123", "run #123"),
    (0, 19000000010, "#0", "run #0"),
    (None, 19000000010, "run 19000000010", "run 19000000010"),
    (None, None, "run ?", "run ?"),
])  # fmt: skip
def test_an_id_is_not_told_as_a_number_of_a_run(
    number: int | None, run_id: int | None, label: str, within: str
) -> None:
    assert run_label(number, run_id) == label
    assert run_words(number, run_id) == within


@pytest.mark.parametrize(("seconds", "told"), [
    (None, "–"), (0.0, "0 s"), (45.4, "45 s"), (59.4, "59 s"), (59.6, "1.0 min"), (90.0, "1.5 min"),
    (3_590.0, "59.8 min"), (3_599.0, "1.0 h"), (7_200.0, "2.0 h"), (7_200_000.0, "2,000.0 h"),
])  # fmt: skip
def test_a_length_of_time_is_told_in_the_unit_that_suits_it(seconds: float | None, told: str) -> None:
    assert length(seconds) == told


def test_a_share_is_shown_and_saved_in_per_cent_as_its_heading_says() -> None:
    cell = share_cell(2 / 3)
    assert (cell.value, cell.text) == (66.7, "66.7")
    assert share_cell(None).text is None
    assert {share_column("rate", "Rate").unit, rate_columns("rate", "Rate")[0].unit} == {"%"}
    assert interval(0.0204, 0.6) == "2.0–60.0 %"


@pytest.mark.parametrize(("share", "value", "told"), [
    (1.0, 100.0, "100.0 %"), (0.99996, 99.9, "99.9 %"), (0.5, 50.0, "50.0 %"), (None, None, None)
])  # fmt: skip
def test_what_is_not_whole_is_never_shown_as_whole(share: float | None, value: float | None, told: str | None) -> None:
    assert whole_cell(share).value == value
    assert share_words(share) == told


def test_a_long_text_is_cut_and_a_name_is_read_without_underscores() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
    assert words("timed_out") == "timed out"


@pytest.mark.parametrize("sha", [None, "", "../../evil", '"><script>', "a b"])
def test_what_is_no_hash_makes_no_address(sha: str | None) -> None:
    assert commit_url("https://github.com/octo/engine", sha) is None
    assert commit_url("https://github.com/octo/engine", "ab12") == "https://github.com/octo/engine/commit/ab12"
