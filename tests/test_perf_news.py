"""What is told of performance: each cause once, what is fixed, what fell silent, and nothing of what is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from tests.history_frames import a_history, a_job, a_run
from tests.perf_frames import JOB, TEST, a_measurements, a_value
from tests.test_perf_changes import steady
from tests.test_perf_states import NOW, decided
from trackside.notify.messages import MOST_CHARACTERS, MOST_LINES
from trackside.notify.perf_messages import perf_message_of
from trackside.perf.changes import find_changes
from trackside.perf.news import NewsKind, PerfNews, news_since
from trackside.perf.points import points_frame
from trackside.perf.silence import Silence, find_silent
from trackside.perf.states import ChangeStates, reconcile
from trackside.records.notices import Told
from trackside.records.perf_rules import ChangeState, KnownChange, PerfRules

SERIES = f"PR Test: {JOB} / {TEST} / output_throughput_token_s"
DROP = [*steady(40), *steady(12, 140.0, 40)]
BACK = [*DROP, *steady(12, 150.0, 52)]
EVER = Told(ever=True)
Values = dict[str, Sequence[float | None]]


def look(values: Values, known: Sequence[KnownChange] = ()) -> tuple[ChangeStates, Silence]:
    """What is found after runs of main in which each test printed these values; None: it printed nothing."""
    runs = [a_run(number) for number in range(max(map(len, values.values())))]
    jobs = [a_job(run, JOB) for run in runs]
    rows = [
        a_value(job, value, test=test)
        for test, own in values.items()
        for job, value in zip(jobs, own, strict=False)
        if value is not None
    ]
    history, rules = a_history(runs, jobs), PerfRules()
    points = points_frame(history, a_measurements(rows), rules)
    measured = pl.DataFrame({"job_id": [job["job_id"] for job in jobs], "tests": 1, "measurements": 1})
    states = reconcile(find_changes(history, points), points, known, (), NOW)
    return states, find_silent(history, points, measured, rules)


def news(values: Values, told: Told = EVER, known: Sequence[KnownChange] = ()) -> PerfNews:
    """What is to be told of that."""
    return news_since(told, *look(values, known))


def after(told: Told, found: PerfNews) -> Told:
    """What is known once ``found`` was told."""
    newest = {(one.kind, one.subject): one for one in (*told.notices, *found.notices)}
    return Told(ever=True, notices=tuple(newest.values()))


def kinds(found: PerfNews) -> list[tuple[str, str]]:
    return [(one.kind.value, one.what) for one in found.items]


def text_of(found: PerfNews) -> str:
    message = perf_message_of(found)
    assert message is not None
    return message.text


def test_a_confirmed_regression_is_told_once_with_its_commits() -> None:
    found = news({TEST: DROP})
    [item] = found.items
    assert (item.kind, item.what, item.since, item.others) == (NewsKind.REGRESSION, SERIES, 40, 0)
    assert item.url is not None
    assert "/compare/" in item.url
    again = news({TEST: DROP}, after(EVER, found))
    assert (again.items, again.notices, perf_message_of(again)) == ((), (), None)


def test_a_new_change_is_not_told() -> None:
    assert news({TEST: DROP[:44]}).items == ()


def test_what_moved_at_the_same_commit_is_one_item() -> None:
    found = news({TEST: DROP, "test_twin": DROP, "test_other": [*steady(20, first=9), *steady(32, 130.0, 29)]})
    assert sorted((one.others, one.since) for one in found.items) == [(0, 20), (1, 40)]
    assert len(found.notices) == 3


def test_a_regression_that_was_told_and_is_made_good_is_told_as_fixed() -> None:
    told = after(EVER, news({TEST: DROP}))
    found = news({TEST: BACK}, told)
    assert kinds(found) == [("fixed", SERIES), ("improvement", SERIES)]
    assert found.items[0].since == 52
    assert kinds(news({TEST: BACK}, after(told, found))) == []


def test_what_was_made_good_before_it_was_told_is_told_as_the_gain_alone() -> None:
    assert kinds(news({TEST: BACK})) == [("improvement", SERIES)]


def test_what_somebody_acknowledged_is_not_told_and_is_off() -> None:
    found = news({TEST: DROP})
    states = [decided(one, ChangeState.ACKNOWLEDGED) for one in look({TEST: DROP})[0].writes]
    assert kinds(news({TEST: DROP}, EVER, states)) == []
    quiet = news({TEST: DROP}, after(EVER, found), states)
    assert (quiet.items, [one.state for one in quiet.notices]) == ((), ["off"])


def test_what_falls_silent_is_told_once_and_can_be_told_again_after_it_was_heard() -> None:
    gone: Sequence[float | None] = [*steady(20), None, None]
    both: Values = {TEST: gone, "test_other": steady(22)}
    found = news(both)
    assert kinds(found) == [("silent", SERIES)]
    told = after(EVER, found)
    assert kinds(news(both, told)) == []
    heard = news({TEST: [*gone, 150.0], "test_other": steady(23)}, told)
    assert (heard.items, [one.state for one in heard.notices]) == ((), ["off"])
    assert kinds(news({TEST: [*gone, 150.0, None, None], "test_other": steady(25)}, after(told, heard))) == [
        ("silent", SERIES)
    ]


def test_a_whole_job_that_falls_silent_is_one_item() -> None:
    gone: Sequence[float | None] = [*steady(20), None, None]
    assert kinds(news({TEST: gone, "test_other": gone})) == [("silent", f"PR Test: {JOB}")]


def test_the_first_message_tells_what_is_wrong_now_and_takes_gains_as_known() -> None:
    gain = [*steady(30, first=5), *steady(22, 160.0, 35)]
    found = news({TEST: DROP, "test_fast": gain}, Told())
    assert kinds(found) == [("regression", SERIES)]
    assert kinds(news({TEST: DROP, "test_fast": gain}, after(EVER, found))) == []
    assert text_of(found).splitlines()[-1] == "From now on only changes are told."


def test_a_message_has_a_line_for_each_item_and_the_id_that_commands_take() -> None:
    found = news({TEST: DROP})
    title, line = text_of(found).splitlines()
    assert title == "octo/engine performance: 1 regression"
    assert line.startswith(f"Regression: `{SERIES}` (-6.")
    assert f"since run #40, {found.items[0].change_id}) https://github.com/octo/engine/compare/" in line


def test_a_message_is_short_and_no_name_in_it_does_anything() -> None:
    [item] = news({TEST: DROP}).items
    evil: Any = msgspec.structs.replace(item, what="@everyone <!here> [x](https://evil.test) `" * 9)
    found = PerfNews(repo="octo/engine", items=(evil,) * 40, notices=())
    text = text_of(found)
    assert len(text) <= MOST_CHARACTERS
    assert len(text.splitlines()) <= MOST_LINES
    assert "@everyone" not in text
    assert "https://evil" not in text
