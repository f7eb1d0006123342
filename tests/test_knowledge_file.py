"""The committed file of what people said: stable, readable in a difference, and refused whole where it is broken."""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.schemas import schema_of
from tests.build_github import REPO
from tests.build_knowledge import an_edit, an_id, an_occurrence, hours, muted
from trackside.agents.entry_ids import edits_by_id
from trackside.agents.knowledge import entries_of
from trackside.errors import OutputError, PathNotFoundError, UnreadableInputError
from trackside.records.knowledge import LONGEST_WORDS, EntryState, KnowledgeEdit
from trackside.report.knowledge_file import (
    MOST_BYTES,
    knowledge_file_text,
    parse_knowledge,
    read_knowledge_file,
    write_knowledge_file,
)

EDITS = (
    an_edit("b", 2, merged_into="a", note="of b"),
    an_edit("a", 1.5, state=EntryState.RESOLVED, resolved_at=hours(1), title="The disk", splits=("2", "1")),
    muted("c", 3),
)


def test_a_file_gives_back_what_was_said() -> None:
    read = parse_knowledge(knowledge_file_text(REPO, EDITS).encode(), "file")
    assert (read.repository, read.has_entries) == (REPO, False)
    assert {one.entry_id: one.note for one in read.edits} == {one.entry_id: one.note for one in EDITS}
    assert {one.entry_id: one.edited_at for one in read.edits} == {one.entry_id: one.edited_at for one in EDITS}
    [whole] = [one for one in read.edits if one.title]
    assert (whole.state, whole.resolved_at, whole.splits) == (EntryState.RESOLVED, hours(1), (an_id("1"), an_id("2")))


def test_equal_knowledge_is_equal_text_in_whatever_order_it_came() -> None:
    assert knowledge_file_text(REPO, EDITS) == knowledge_file_text(REPO, reversed(EDITS))
    assert knowledge_file_text(REPO, ()).endswith("}\n")


def test_an_edit_changes_the_lines_of_its_own_entry_only() -> None:
    before = knowledge_file_text(REPO, EDITS).splitlines()
    after = knowledge_file_text(REPO, [*EDITS, an_edit("c", 4, note="new")]).splitlines()
    changed = [
        line for line in difflib.unified_diff(before, after, n=0) if line[0] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert changed == [
        '-      "edited_at": "2026-11-01T15:00:00Z",',
        '-      "state": "muted"',
        '+      "edited_at": "2026-11-01T16:00:00Z",',
        '+      "note": "new"',
    ]


def test_what_was_not_said_is_not_in_the_file() -> None:
    [entry] = json.loads(knowledge_file_text(REPO, [muted("c")]))["edits"]
    assert entry == {"entry_id": an_id("c"), "edited_at": "2026-11-01T12:00:00Z", "state": "muted"}


def test_the_file_follows_its_schema_with_and_without_figures() -> None:
    schema = schema_of("knowledge-file")
    entries = entries_of([an_occurrence(1, agent="claude")], EDITS)
    for text in (knowledge_file_text(REPO, EDITS), knowledge_file_text(REPO, EDITS, entries)):
        jsonschema.validate(json.loads(text), schema)
    whole = parse_knowledge(knowledge_file_text(REPO, EDITS, entries).encode(), "file")
    assert (len(whole.edits), whole.has_entries) == (3, True)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_survives_and_the_file_is_plain_ascii(title: str, note: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in title + note):
        return
    text = knowledge_file_text(REPO, [an_edit("a", title=title, note=note)])
    assert text.isascii()
    [read] = parse_knowledge(text.encode(), "file").edits
    assert (read.title, read.note) == (title, note)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe\x00", "malformed"),
        (b"[" * 100_000, "Expected `object`"),
        (b'{"schema_version": "1"}', "Expected `int`"),
        (b'{"schema_version": 1}', "missing required field `repository`"),
        (b'{"schema_version": 1, "repository": "o/e", "entires": []}', "unknown field `entires`"),
        (b'{"schema_version": 2, "repository": "o/e", "edits": 7}', "the version 2, and this trackside reads 1"),
        (b'{\n<<<<<<< HEAD\n"schema_version": 1\n=======\n', "a merge that was not finished"),
    ],
    ids=["empty", "torn", "list", "bytes", "deep", "text", "no-repository", "misspelt", "newer", "conflict"],
)
def test_a_broken_file_is_refused_with_one_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableInputError) as caught:
        parse_knowledge(content, "its-name.json")
    said = str(caught.value)
    assert reason in said
    assert said.startswith("its-name.json ")
    assert len(said) < 600
    assert "\n" not in said


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("entry_id", "../../etc/passwd"),
        ("entry_id", "4f2a"),
        ("edited_at", "2026-11-01T12:00:00"),
        ("edited_at", "yesterday"),
        ("state", "closed"),
        ("note", "x" * (LONGEST_WORDS + 1)),
        ("merged_into", "a"),
        ("splits", ["zz"]),
        ("asignee", "alice"),
    ],
    ids=["path", "short-id", "no-zone", "no-time", "state", "long", "short-target", "split", "misspelt"],
)
def test_one_wrong_field_is_named_and_nothing_of_the_file_is_taken(field: str, value: object) -> None:
    document = json.loads(knowledge_file_text(REPO, EDITS))
    document["edits"][1][field] = value
    with pytest.raises(UnreadableInputError, match=r"edits\[1\]|unknown field `asignee`"):
        parse_knowledge(json.dumps(document).encode(), "file")


def test_of_an_entry_that_is_in_the_file_twice_the_later_edit_counts() -> None:
    text = knowledge_file_text(REPO, [an_edit("a", 1, note="old")])
    document = json.loads(text)
    document["edits"].append({**document["edits"][0], "edited_at": "2026-11-02T00:00:00+01:00", "note": "new"})
    read = parse_knowledge(json.dumps(document).encode(), "file")
    assert edits_by_id(read.edits)[an_id("a")].note == "new"


def test_a_mark_at_the_beginning_of_the_file_is_let_through() -> None:
    assert parse_knowledge(b"\xef\xbb\xbf" + knowledge_file_text(REPO, EDITS).encode(), "file").edits


def test_a_file_that_is_not_there_is_no_file_or_is_too_large_is_said(tmp_path: Path) -> None:
    with pytest.raises(PathNotFoundError, match="does not exist"):
        read_knowledge_file(tmp_path / "none.json")
    with pytest.raises(UnreadableInputError, match="is no file"):
        read_knowledge_file(tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(UnreadableInputError, match="is no file"):
        read_knowledge_file(tmp_path / "pipe.json")
    (tmp_path / "large.json").write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(UnreadableInputError, match="more than 5 MiB"):
        read_knowledge_file(tmp_path / "large.json")


def test_a_file_is_written_only_where_it_changes_and_never_in_part(tmp_path: Path) -> None:
    path, text = tmp_path / ".github" / "kb.json", knowledge_file_text(REPO, EDITS)
    assert write_knowledge_file(path, text)
    stamp = path.stat().st_mtime_ns
    assert not write_knowledge_file(path, text)
    assert path.stat().st_mtime_ns == stamp
    assert [one.name for one in path.parent.iterdir()] == ["kb.json"]
    assert read_knowledge_file(path).edits


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(OutputError, match="could not be written"):
        write_knowledge_file(tmp_path / "folder" / "kb.json", "{}")


def test_what_regressed_is_written_as_what_people_said_of_it() -> None:
    edit = KnowledgeEdit(repo=REPO, entry_id=an_id("a"), edited_at=hours(0), state=EntryState.REGRESSED)
    assert json.loads(knowledge_file_text(REPO, [edit]))["edits"][0]["state"] == "resolved"


def test_ids_are_read_in_lower_case() -> None:
    text = knowledge_file_text(REPO, [an_edit("a", merged_into="b", splits=("c",))])
    shouted = text.replace(an_id("a"), an_id("A")).replace(an_id("b"), an_id("B")).replace(an_id("c"), an_id("C"))
    [edit] = parse_knowledge(shouted.encode(), "file").edits
    assert (edit.entry_id, edit.merged_into, edit.splits) == (an_id("a"), an_id("b"), (an_id("c"),))
