"""The knowledge base: entries are counted whole, survive what people join and take apart, stand as they were seen."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build_github import REPO
from tests.build_knowledge import DISK, an_edit, an_id, an_occurrence, hours, muted
from trackside.agents.entry_ids import edits_by_id, entry_of, entry_path, split_id
from trackside.agents.knowledge import MOST_NAMES, MOST_RUNS, Entry, entries_of
from trackside.evidence.knowledge import Knowledge, import_edits, known_edits, load_knowledge
from trackside.joblogs.fingerprints import fingerprint
from trackside.records.failures import Cause, Failure
from trackside.records.knowledge import EntryState, KnowledgeEdit, LogChoice, Occurrence
from trackside.store.store import Store, open_store


def by_id(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    return {one.entry_id[:1] if set(one.entry_id) == {one.entry_id[0]} else one.entry_id: one for one in entries}


def counts(occurrences: list[Occurrence], *edits: KnowledgeEdit) -> dict[str, int]:
    return {name: one.count for name, one in by_id(entries_of(occurrences, edits)).items()}


def test_failures_of_one_error_are_one_entry_with_all_that_is_known_of_them() -> None:
    failures = [
        an_occurrence(1, agent="claude", branch="claude/fix"),
        an_occurrence(2, job="lint", step=None, choice=LogChoice.KNOWN, line=None, template=None),
        an_occurrence(3, workflow="nightly.yml", run_id=2, url=None),
    ]
    [entry] = entries_of(failures, ())
    assert (entry.entry_id, entry.state, entry.count, entry.assumed) == (an_id("a"), EntryState.OPEN, 3, 1)
    assert (entry.cause, entry.rule, entry.line) == ("disk_full", "disk-full", DISK)
    assert (entry.first_seen_at, entry.last_seen_at) == (hours(1), hours(3))
    assert [(one.run_id, one.job_id, one.url) for one in entry.runs] == [
        (2, 3, None),
        (1, 1, f"https://github.com/{REPO}/actions/runs/1/job/1"),
    ]
    assert entry.runs_total == 2
    assert entry.workflows == {".github/workflows/ci.yml": 2, "nightly.yml": 1}
    assert (entry.jobs, entry.steps) == ({"unit-test": 2, "lint": 1}, {"Run tests": 2})
    assert (entry.agents, entry.unattributed, entry.branches) == ({"claude": 1}, 2, {"main": 2, "claude/fix": 1})
    assert [one.rule_id for one in entry.suggestions] == ["disk-full"]


def test_a_failure_that_is_known_without_a_log_counts_to_the_error_that_stands_for_it() -> None:
    read, known = an_occurrence(1), an_occurrence(2, choice=LogChoice.KNOWN, line=None, template=None, log_bytes=0)
    [entry] = entries_of([known, read], ())
    assert (entry.count, entry.assumed, entry.line) == (2, 1, DISK)


def test_a_failure_whose_log_nobody_read_is_an_entry_by_its_signature_and_nothing_is_assumed_of_it() -> None:
    entries = by_id(entries_of([an_occurrence(1), an_occurrence(2, None)], ()))
    assert (entries["1"].count, entries["1"].cause, entries["1"].suggestions) == (1, None, ())
    assert entries["a"].count == 1


def test_the_newest_log_that_was_read_tells_the_line() -> None:
    failures = [
        an_occurrence(1, line="old"),
        an_occurrence(2, line="new"),
        an_occurrence(3, line="assumed", choice=LogChoice.KNOWN),
    ]
    assert entries_of(failures, ())[0].line == "new"


def test_entries_come_by_count_then_by_time_and_those_of_which_nothing_happened_last() -> None:
    failures = [an_occurrence(1, "a"), an_occurrence(2, "b"), an_occurrence(3, "c"), an_occurrence(4, "c")]
    assert list(by_id(entries_of(failures, [muted("d")]))) == ["c", "b", "a", "d"]


def test_runs_and_names_are_bounded_and_what_is_left_out_is_counted() -> None:
    failures = [an_occurrence(number, branch=f"b{number:03}") for number in range(1, 121)]
    [entry] = entries_of(failures, ())
    assert (len(entry.runs), entry.runs_total, entry.runs[0].run_id) == (MOST_RUNS, 120, 120)
    assert (len(entry.branches), entry.names_left_out) == (MOST_NAMES, {"branches": 120 - MOST_NAMES})


@pytest.mark.parametrize(
    ("resolved_at", "state"), [(2.5, EntryState.REGRESSED), (3, EntryState.RESOLVED), (9, EntryState.RESOLVED)]
)
def test_what_was_mended_is_regressed_where_it_was_seen_later(resolved_at: float, state: EntryState) -> None:
    edit = an_edit("a", 0, state=EntryState.RESOLVED, resolved_at=hours(resolved_at))
    assert entries_of([an_occurrence(1), an_occurrence(3)], [edit])[0].state is state


def test_what_is_said_to_be_mended_without_a_time_is_so_since_it_was_said() -> None:
    edit = an_edit("a", 2, state=EntryState.RESOLVED)
    [entry] = entries_of([an_occurrence(3)], [edit])
    assert (entry.state, entry.resolved_at) == (EntryState.REGRESSED, hours(2))


def test_what_is_muted_stays_muted_however_often_it_happens() -> None:
    assert entries_of([an_occurrence(1), an_occurrence(2)], [muted("a")])[0].state is EntryState.MUTED


def test_what_people_said_is_shown_beside_what_the_rules_say() -> None:
    edit = an_edit("a", title="The disk of gpu-1", note="since May", fix="prune images", link="https://x.test/1")
    [entry] = entries_of([an_occurrence(1)], [edit])
    assert (entry.title, entry.note, entry.fix, entry.link) == (edit.title, edit.note, edit.fix, edit.link)
    assert entry.suggestions


def test_the_lines_around_give_a_suggestion_where_the_line_says_nothing() -> None:
    failure = an_occurrence(1, rule="exit-code", cause="other", line="##[error]Process completed with exit code 1.")
    [bare], [told] = (
        entries_of([failure], ()),
        entries_of([failure], (), {1: ("E: Unable to locate package libfoo-dev",)}),
    )
    assert ([one.rule_id for one in told.suggestions], bare.suggestions) == (["apt-package-missing"], ())


def test_merged_failures_count_together_and_what_was_said_of_them_is_not_lost() -> None:
    edits = [an_edit("b", 1, merged_into="a", note="of b", title="B"), an_edit("a", 2, title="A")]
    [entry] = entries_of([an_occurrence(1), an_occurrence(2, "b")], edits)
    assert (entry.entry_id, entry.count, entry.merged) == (an_id("a"), 2, (an_id("b"),))
    assert (entry.title, entry.note, entry.edited_at) == ("A", "of b", hours(2))


def test_of_what_was_said_of_several_at_once_always_the_same_is_told() -> None:
    edits = [an_edit(one, 1, merged_into="a", title=one) for one in "bcdef"]
    failures = [an_occurrence(number, one) for number, one in enumerate("abcdef", 1)]
    assert [entries_of(failures, order)[0].title for order in (edits, edits[::-1])] == ["f", "f"]


def test_merges_are_followed_along_a_chain() -> None:
    chain = [an_edit(one, merged_into=into) for one, into in (("a", "b"), ("b", "c"), ("c", "d"))]
    failures = [an_occurrence(1, "a"), an_occurrence(2, "b"), an_occurrence(3, "d")]
    [entry] = entries_of(failures, chain)
    assert (entry.entry_id, entry.count) == (an_id("d"), 3)
    assert entry.merged == (an_id("a"), an_id("b"), an_id("c"))


def test_merges_in_a_circle_end_in_one_entry() -> None:
    circle = [an_edit(one, merged_into=into) for one, into in (("c", "a"), ("a", "b"), ("b", "c"), ("d", "b"))]
    failures = [an_occurrence(number, one) for number, one in enumerate("abcd", 1)]
    assert counts(failures, *circle) == {"a": 4}
    assert counts(failures, an_edit("a", merged_into="a")) == {"a": 1, "b": 1, "c": 1, "d": 1}


def test_a_split_takes_the_failures_of_one_place_out_of_an_entry() -> None:
    failures = [an_occurrence(1, "a", "1"), an_occurrence(2, "a", "2"), an_occurrence(3, "a", "2")]
    part = split_id(an_id("a"), an_id("2"))
    assert counts(failures, an_edit("a", splits=("2",), title="whole")) == {part: 2, "a": 1}
    entries = by_id(entries_of(failures, [an_edit("a", splits=("2",), title="whole")]))
    assert (entries[part].title, entries[part].merged) == (None, ())


def test_a_split_holds_for_what_was_merged_into_the_entry_too() -> None:
    edits = [an_edit("b", merged_into="a"), an_edit("a", splits=("2",))]
    failures = [an_occurrence(1, "b", "1"), an_occurrence(2, "b", "2"), an_occurrence(3, "a", "2")]
    assert counts(failures, *edits) == {split_id(an_id("a"), an_id("2")): 2, "a": 1}


def test_a_part_that_was_merged_elsewhere_goes_there_and_back_is_whole_again() -> None:
    part = split_id(an_id("a"), an_id("2"))
    failures = [an_occurrence(1, "a", "1"), an_occurrence(2, "a", "2"), an_occurrence(3, "c")]
    split = an_edit("a", splits=("2",))
    moved = KnowledgeEdit(repo=REPO, entry_id=part, edited_at=hours(1), merged_into=an_id("c"))
    assert counts(failures, split, moved) == {"c": 2, "a": 1}
    back = msgspec.structs.replace(moved, merged_into=an_id("a"))
    assert counts(failures, split, back) == {"a": 2, "c": 1}


def test_edits_of_entries_that_nothing_is_known_of_are_kept() -> None:
    entries = by_id(entries_of([an_occurrence(1)], [an_edit("e", note="from another store")]))
    assert (entries["e"].count, entries["e"].note, entries["e"].first_seen_at) == (0, "from another store", None)


def test_what_was_said_of_a_signature_goes_to_the_error_once_its_log_is_read() -> None:
    said = an_edit("1", 1, state=EntryState.MUTED, note="known")
    before = by_id(entries_of([an_occurrence(1, None)], [said]))
    assert before["1"].state is EntryState.MUTED
    [after] = entries_of([an_occurrence(1, "a")], [said])
    assert (after.entry_id, after.state, after.note, after.merged) == (
        an_id("a"),
        EntryState.MUTED,
        "known",
        (an_id("1"),),
    )
    two = by_id(entries_of([an_occurrence(1, "a"), an_occurrence(2, "b")], [said]))
    assert (two["a"].state, two["1"].note) == (EntryState.OPEN, "known")


def test_a_signature_that_was_merged_elsewhere_says_nothing_of_the_error_that_its_log_tells() -> None:
    edits = [an_edit("1", 1, merged_into="c", title="of the signature"), an_edit("c", 0, title="C")]
    entries = by_id(entries_of([an_occurrence(1, "a")], edits))
    assert (entries["a"].title, entries["a"].count) == (None, 1)
    assert (entries["c"].title, entries["c"].merged) == ("C", (an_id("1"),))


def test_ids_in_any_case_are_the_same() -> None:
    edit = KnowledgeEdit(repo=REPO, entry_id=an_id("A"), edited_at=hours(0), merged_into=an_id("B"))
    assert counts([an_occurrence(1, "a"), an_occurrence(2, "b")], edit) == {"b": 2}
    assert entry_of(an_id("A"), an_id("1"), [edit]) == an_id("b")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=6),
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("12")), max_size=4),
)
def test_whatever_people_join_and_split_each_failure_is_in_one_entry(
    merges: list[tuple[str, str]], splits: list[tuple[str, str]]
) -> None:
    into = dict(merges)
    own = {one: tuple({sign for name, sign in splits if name == one}) for one in "abcd"}
    edits = [an_edit(one, merged_into=into.get(one), splits=own[one]) for one in "abcd"]
    for name, sign in splits:
        part = split_id(an_id(name), an_id(sign))
        home = an_id(into.get(name, name))
        edits.append(KnowledgeEdit(repo=REPO, entry_id=part, edited_at=hours(0), merged_into=home))
    failures = [an_occurrence(10 * n + m, one, sign) for n, one in enumerate("abcd") for m, sign in enumerate("12", 1)]
    entries = entries_of(failures, edits)
    assert sum(one.count for one in entries) == len(failures)
    assert len({one.entry_id for one in entries}) == len(entries)
    known = edits_by_id(edits)
    assert all(entry_path(one.entry_id, None, known)[-1] == one.entry_id for one in entries if not one.count)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / ".trackside")


def test_the_knowledge_base_is_read_from_the_store_in_any_spelling_of_the_repository(store: Store) -> None:
    store.add_occurrences(
        [an_occurrence(1), an_occurrence(2, repo="Octo/Engine"), an_occurrence(3, repo="o/other")], hours(4)
    )
    store.add_occurrences([an_occurrence(1, repo="OCTO/engine", branch="later")], hours(5))
    store.add_knowledge([muted("a", 1)], hours(4))
    knowledge = load_knowledge(store, "octo/ENGINE")
    [entry] = knowledge.entries
    assert (entry.count, entry.state, entry.branches) == (2, EntryState.MUTED, {"later": 1, "main": 1})
    found = knowledge.entry_for(an_id("a"), an_id("9"))
    assert found == entry
    assert knowledge.entry_for(None, an_id("9")) is None
    assert load_knowledge(store, "no/body") == Knowledge()


def test_the_lines_around_come_from_the_diagnoses_in_the_store(store: Store) -> None:
    store.add_occurrences(
        [an_occurrence(1, rule="exit-code", cause="other", line="Process completed with exit code 1.")], hours(4)
    )
    told = Failure(
        repo=REPO, job_id=1, run_id=1, run_attempt=1, version="1", cause=Cause.OTHER,
        context=("npm error code ERESOLVE",),
    )  # fmt: skip
    store.add_diagnoses([told], [], [], hours(4))
    assert [one.rule_id for one in load_knowledge(store, REPO).entries[0].suggestions] == ["npm-peer-conflict"]


def test_of_two_edits_the_later_counts_and_importing_twice_is_importing_once(store: Store) -> None:
    store.add_knowledge([an_edit("a", 5, note="store"), an_edit("b", 1, note="store")], hours(5))
    file = [an_edit("a", 4, note="file"), an_edit("b", 2, note="file"), an_edit("c", 0, note="file")]
    first = import_edits(store, REPO, file, hours(6))
    assert ({one.entry_id for one in first.taken}, first.known) == ({an_id("b"), an_id("c")}, 1)
    rows = store.history("knowledge").collect().height
    assert import_edits(store, REPO, file, hours(7)).taken == ()
    assert store.history("knowledge").collect().height == rows
    assert {one.entry_id[0]: one.note for one in known_edits(store, REPO)} == {"a": "store", "b": "file", "c": "file"}


def test_an_edit_from_the_future_is_not_taken_and_said(store: Store) -> None:
    far = an_edit("a", 0, note="x")
    far = msgspec.structs.replace(far, edited_at=hours(0) + dt.timedelta(days=2))
    done = import_edits(store, REPO, [far], hours(0))
    assert (done.taken, done.future, known_edits(store, REPO)) == ((), (an_id("a"),), ())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-11-01T10:00:00Z fetch failed after 12 s", "2026-12-24 23:59:59.123 fetch failed after 9.5 s"),
        ("/actions/_work/_temp/a1/run.sh: no such file", "/actions/_work/_temp/b2/run.sh: no such file"),
        (
            "request 3f2a91c0-d3e5-4b67-8a90-112233445566 refused",
            "request 00000000-1111-2222-3333-444455556666 refused",
        ),
        ("fatal: reference is not a tree: 3f2a91c0d3e5b678aa", "fatal: reference is not a tree: 8b1d04e55c77aa9013"),
        ("OSError: could only write 41 of 8192 bytes", "OSError: could only write 4096 of 65536 bytes"),
        ("connect to 10.0.0.1:8080 failed on rank 3", "connect to 192.168.7.12:30000 failed on rank 11"),
    ],
    ids=["time", "path", "id", "sha", "number", "address-and-rank"],
)
def test_one_error_is_one_entry_whatever_time_path_id_sha_and_number_it_has(one: str, other: str) -> None:
    prints = [fingerprint(Cause.OTHER, line) for line in (one, other)]
    failures = [an_occurrence(number, fingerprint=each) for number, each in enumerate(prints, 1)]
    assert [entry.count for entry in entries_of(failures, ())] == [2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("No module named 'torch'", "No module named 'numpy'"),
        ("Could not resolve host: a.example.com", "Could not resolve host: b.example.org"),
        ("undefined reference to `drain'", "undefined reference to `refill'"),
        ("KeyError: 'version'", "KeyError: 'name'"),
        ("fp8 kernel failed", "fp16 kernel failed"),
        ("src/a.py: error: Name is not defined", "src/b.py: error: Name is not defined"),
    ],
    ids=["module", "host", "symbol", "key", "word-with-digit", "file"],
)
def test_different_errors_are_different_entries(one: str, other: str) -> None:
    prints = [fingerprint(Cause.OTHER, line) for line in (one, other)]
    failures = [an_occurrence(number, fingerprint=each) for number, each in enumerate(prints, 1)]
    assert [entry.count for entry in entries_of(failures, ())] == [1, 1]
