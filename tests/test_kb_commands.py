"""``trackside kb`` as a user runs it: on a store of failures, in a folder that may be a checkout."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.build_github import REPO
from tests.build_knowledge import an_id, an_occurrence, hours
from tests.kb_store import PART, Command, a_store, ids, kb_in, listed
from trackside.agents.knowledge import MOST_NAMES
from trackside.cli.app import run, trackside_app
from trackside.store.store import Store

HOSTILE = "=1+1 \x1b]52;c;aGk=\x07 @everyone #1 <img src=x> | \u202e"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return a_store(tmp_path)


@pytest.fixture
def command(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    return kb_in(tmp_path, monkeypatch, capsys)


def test_the_list_shows_each_failure_with_what_to_do(command: Command) -> None:
    code, out, err = command("list")
    assert (code, err) == (0, "")
    assert "octo/engine: 3 known failures, 4 failed jobs" in out
    assert "The disk ran full" in out
    assert "no log was read" in out


def test_the_json_of_the_list_follows_its_schema(command: Command) -> None:
    document = json.loads(command("list", "--format", "json")[1])
    jsonschema.validate(document, schema_of("kb"))
    assert (document["repository"], document["known"]) == (REPO, 3)
    first = document["entries"][0]
    assert (first["count"], first["assumed"], first["suggestions"][0]["rule_id"]) == (2, 1, "disk-full")
    assert first["suggestions"][0]["evidence"] == ["OSError: [Errno 28] No space left on device"]


def test_the_list_is_narrowed_by_state_workflow_and_agent(command: Command) -> None:
    command("mute", an_id("b"))
    command("resolve", an_id("4"))
    assert ids(command) == ["a", "4"]
    assert ids(command, "--state", "muted") == ["b"]
    assert sorted(ids(command, "--state", "muted", "--state", "resolved")) == ["4", "b"]
    assert ids(command, "--workflow", "ci.yml") == ["a", "4"]
    assert ids(command, "--workflow", "night*", "--state", "muted") == ["b"]
    assert ids(command, "--agent", "clau*") == ["a"]
    assert "1 known failure muted, not listed: --state muted shows them." in command("list")[1]


def test_the_help_of_the_list_says_what_it_does_not_show_and_how_far_it_looks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(trackside_app(), ["kb", "list", "--help"])
    said = " ".join(word for word in capsys.readouterr().out.split() if word != "│")
    assert "All but muted ones if nothing is said." in said
    for names in ("workflows", "agents"):
        assert f"{names} (the {MOST_NAMES} most frequent of each)" in said


def test_top_bounds_the_rows_and_says_how_many_are_not_shown(command: Command) -> None:
    out = command("list", "--top", "1")[1]
    assert (an_id("a") in out, an_id("b") in out) == (True, False)
    assert "2 more failures not shown" in out
    assert len(listed(command, "--top", "1")) == 3


def test_csv_has_every_entry_in_a_row(command: Command) -> None:
    rows = list(csv.DictReader(io.StringIO(command("list", "--format", "csv")[1])))
    assert {row["entry_id"]: row["count"] for row in rows} == {an_id("a"): "2", an_id("b"): "1", an_id("4"): "1"}
    assert rows[0]["first_seen_at"] == "2026-11-01T13:00:00Z"


def test_an_empty_knowledge_base_is_told_as_such(command: Command) -> None:
    code, out, _ = command("list", "--repo", "octo/empty")
    assert (code, "0 known failures" in out, "None." in out) == (0, True, True)


def test_show_tells_one_failure_by_a_shortened_id(command: Command) -> None:
    code, out, _ = command("show", "aaaa")
    assert code == 0
    agents = "claude (1); unattributed (1)"
    for words in ("disk_full", "2 in 2 runs, 1 of them without a log", agents, an_id("2"), "rule disk-full"):
        assert words in out
    document = json.loads(command("show", "aaaa", "--format", "json")[1])
    jsonschema.validate(document, schema_of("kb"))
    assert [one["entry_id"] for one in document["entries"]] == [an_id("a")]


def test_an_id_that_is_wrong_short_or_of_several_is_said_with_the_nearest(command: Command, store: Store) -> None:
    store.add_occurrences([an_occurrence(9, fingerprint="aaaab" + "0" * 11)], hours(9))
    assert command("show", "aaac")[0] == 1
    code, _, err = command("show", "aaaa")
    assert (code, "is short for several" in err) == (2, True)
    code, _, err = command("show", "aaaaaaaaaaaaaaab")
    assert (code, "Is it aaaaaaaaaaaaaaaa (OSError" in err) == (1, True)
    code, _, err = command("show", "aa")
    assert (code, "No known failure of octo/engine has the id aa" in err) == (1, True)
    code, _, err = command("mute", "ffff", "--repo", "octo/empty")
    assert (code, "No failure is known yet" in err) == (1, True)


def test_what_people_say_is_kept_shown_and_taken_back(command: Command) -> None:
    said = ("--title", "The disk", "--note", " since  the\nnew image ", "--fix", "pin it", "--link", "https://x.test/1")
    code, out, _ = command("note", an_id("a"), *said)
    assert (code, out) == (
        0,
        f"{an_id('a')} has title, note, fix and link now: OSError: [Errno <n>] No space left on device\n",
    )
    entry = listed(command)[an_id("a")]
    told = [entry[name] for name in ("title", "note", "fix", "link")]
    assert told == ["The disk", "since the new image", "pin it", "https://x.test/1"]
    assert "People say: pin it" in command("show", an_id("a"))[1]
    out = command("note", an_id("a"), "--forget", "fix", "--forget", "link", "--title", "Its disk")[1]
    assert "has title now and has no fix and link any more" in out
    entry = listed(command)[an_id("a")]
    assert (entry["fix"], entry["link"], entry["title"]) == (None, None, "Its disk")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "What is there to say"),
        (("--link", "javascript:alert(1)"), "is no address of a page"),
        (("--note", "x" * 2_001), "2,000 are enough"),
    ],
    ids=["nothing", "no-page", "long"],
)
def test_a_note_that_says_nothing_too_much_or_no_page_is_refused(
    command: Command, words: tuple[str, ...], said: str
) -> None:
    code, _, err = command("note", an_id("a"), *words)
    assert (code, said in err) == (2, True)


def test_a_failure_is_muted_and_heard_of_again(command: Command) -> None:
    assert command("mute", "aaaa")[1].startswith(f"{an_id('a')} is muted now")
    assert listed(command, "--state", "muted")[an_id("a")]["state"] == "muted"
    command("mute", "aaaa", "--off")
    assert listed(command)[an_id("a")]["state"] == "open"


def test_a_mended_failure_that_is_seen_again_is_regressed(command: Command, store: Store) -> None:
    command("resolve", "aaaa")
    resolved = listed(command)[an_id("a")]
    assert (resolved["state"], resolved["resolved_at"] is None) == ("resolved", False)
    again = hours(24 * 365 * 50)
    store.add_occurrences([an_occurrence(9, failed_at=again)], again)
    assert listed(command)[an_id("a")]["state"] == "regressed"
    command("resolve", "aaaa", "--off")
    assert listed(command)[an_id("a")]["state"] == "open"


def test_failures_are_joined_and_taken_apart_again(command: Command) -> None:
    code, out, _ = command("merge", an_id("b"), an_id("4"), "--into", "aaaa")
    assert (code, out.count(f"is part of {an_id('a')} now")) == (0, 2)
    [whole] = listed(command).values()
    assert (whole["count"], whole["merged"]) == (4, [an_id("4"), an_id("b")])
    code, _, err = command("note", an_id("b"), "--title", "T")
    assert (code, f"{an_id('b')} is part of {an_id('a')}." in err) == (0, True)
    assert command("split", an_id("b"), "--off")[1] == f"{an_id('b')} is an entry of its own again.\n"
    assert sorted(ids(command)) == ["a", "b"]


def test_what_is_one_already_is_not_joined(command: Command) -> None:
    command("merge", "bbbb", "--into", "aaaa")
    for words in (("bbbb", "--into", "aaaa"), ("aaaa", "--into", "bbbb"), ("aaaa", "--into", "aaaa")):
        code, _, err = command("merge", *words)
        assert (code, "is one failure with" in err) == (2, True)


def test_a_part_of_an_entry_is_split_off_and_put_back(command: Command) -> None:
    code, out, _ = command("split", "aaaa", "--signature", "2222")
    assert (code, out) == (0, f"{PART} is an entry of its own now: .github/workflows/ci.yml, lint, Run tests\n")
    counts = {one["entry_id"]: one["count"] for one in listed(command).values()}
    assert counts == {an_id("a"): 1, PART: 1, an_id("b"): 1, an_id("4"): 1}
    command("note", PART[:6], "--note", "of the part")
    assert command("split", PART, "--off")[1] == f"{PART} is part of {an_id('a')} again.\n"
    whole = listed(command)[an_id("a")]
    assert (whole["count"], whole["note"], whole["merged"]) == (2, "of the part", [PART])
    command("split", "aaaa", "--signature", "2222")
    assert listed(command)[PART]["note"] == "of the part"
    assert command("split", "aaaa", "--off")[1] == f"{an_id('a')} is whole again: {an_id('2')}\n"
    assert listed(command)[an_id("a")]["count"] == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("aaaa",), 2, "Give --signature; trackside kb show"),
        (("aaaa", "--signature", "9999"), 1, "has the id 9999"),
        (("bbbb", "--signature", "3333"), 2, "there is nothing to split"),
        (("aaaa", "--off"), 2, "was neither merged into another nor split"),
    ],
    ids=["no-signature", "other-signature", "only-one", "nothing-to-take-back"],
)
def test_a_split_that_cannot_be_is_said(command: Command, words: tuple[str, ...], code: int, said: str) -> None:
    told, _, err = command("split", *words)
    assert (told, said in err) == (code, True)


def test_hostile_names_act_on_nothing(command: Command, store: Store) -> None:
    store.add_occurrences(
        [
            an_occurrence(
                8, "e", workflow=HOSTILE, job=HOSTILE, step=HOSTILE, branch=HOSTILE, agent=HOSTILE,
                template=HOSTILE, line=HOSTILE, url="javascript:alert(1)",
            )
        ],
        hours(8),
    )  # fmt: skip
    command("note", "eeee", "--title", HOSTILE, "--note", HOSTILE)
    for words in (("list",), ("show", "eeee"), ("list", "--format", "json"), ("list", "--format", "csv")):
        out = command(*words)[1]
        assert not {"\x1b", "\x07", "\u202e"} & set(out)
    for shown in (("list",), ("show", "eeee")):
        out = command(*shown, "--format", "markdown")[1]
        assert not any(mark in out for mark in ("\x1b", "<img", "@everyone", "\u202e"))
    rows = list(csv.DictReader(io.StringIO(command("list", "--format", "csv")[1])))
    assert all(not cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
