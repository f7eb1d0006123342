"""Artifacts: which files come out of them, and why others do not."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.build_github import an_artifact
from tests.connecting import client_of
from tests.fake_github import ABSENT, FakeGitHub, Kind
from tests.zips import zipped
from trackside.errors import CallsStoppedError, GitHubError, UnreadableInputError
from trackside.github import artifacts as artifacts_module
from trackside.github.artifact_lists import list_artifacts
from trackside.github.artifacts import ArtifactContent, read_artifact, unpack_artifact
from trackside.github.client import GitHub
from trackside.github.log_text import unpack_log
from trackside.github.whole_downloads import TRIES
from trackside.records.artifacts import Artifact, ArtifactState
from trackside.records.perf_rules import ArtifactRule

REPO = "octo/engine"
RULE = ArtifactRule(artifact="bench-*", grammar="bench")
PACKED = zipped(("a.json", b'{"value": 1}'), ("logs/b.txt", b"no"), ("deep/er/c.JSON", b"[2]"))


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as running:
        yield running
        assert running.journal.broken_rules() == {}


@pytest.fixture
def github(fake: FakeGitHub) -> Iterator[GitHub]:
    with client_of(fake) as connected:
        yield connected


def read(github: GitHub, artifact: Artifact) -> ArtifactContent:
    return read_artifact(github, artifact, [RULE.file], RULE.takes)


def only_artifact(fake: FakeGitHub, github: GitHub, content: bytes = PACKED) -> Artifact:
    run = fake.world.add_run(1)
    fake.world.add_artifact(run, "bench-1", content)
    [artifact] = list_artifacts(github, REPO, run.id).artifacts
    return artifact


def texts(content: ArtifactContent) -> dict[str, bytes]:
    return {file.path: unpack_log(file.content) for file in content.files}


def unpacked(data: bytes, rule: ArtifactRule = RULE) -> ArtifactContent:
    return unpack_artifact(io.BytesIO(data), an_artifact(name="bench-1"), [rule.file], rule.takes)


def test_all_artifacts_of_a_run_are_listed_page_by_page(fake: FakeGitHub, github: GitHub) -> None:
    run, other = fake.world.add_run(1), fake.world.add_run(1)
    fake.world.rerun(run)
    made = [fake.world.add_artifact(run, f"bench-{index % 3}") for index in range(201)]
    fake.world.add_artifact(other, "bench-x")
    made[7].expired = True
    listed = list_artifacts(github, REPO, run.id)
    assert [one.artifact_id for one in listed.artifacts] == [one.id for one in made]
    assert {one.state for one in listed.artifacts} == {ArtifactState.LISTED, ArtifactState.EXPIRED}
    assert listed.artifacts[7] == Artifact(
        repo=REPO,
        artifact_id=made[7].id,
        run_id=run.id,
        name="bench-1",
        state=ArtifactState.EXPIRED,
        created_at=made[7].created_at,
        size_bytes=22,
        note="GitHub has deleted it",
    )
    assert fake.journal.count("run artifacts") == 3
    assert listed.problems == ()


def test_an_item_of_the_list_that_cannot_be_understood_costs_itself_alone(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run(1)
    strange: list[dict[str, object]] = [
        {"name": None},
        {"id": -1},
        {"size_in_bytes": "huge", "created_at": "yesterday", "expired": None, "workflow_run": None},
        {"size_in_bytes": ABSENT, "created_at": ABSENT, "expired": ABSENT},
    ]
    for overrides in strange:
        fake.world.add_artifact(run, "bench-1").overrides = overrides
    listed = list_artifacts(github, REPO, run.id)
    assert [(one.name, one.size_bytes, one.created_at, one.state) for one in listed.artifacts] == [
        ("bench-1", None, None, ArtifactState.LISTED)
    ] * 2
    assert [sentence.partition(":")[0] for sentence in listed.problems] == [
        "artifacts[0].name",
        "artifacts[1].id",
        "artifacts[2].size_in_bytes",
        "artifacts[2].created_at",
    ]


def test_a_list_that_cannot_be_had_is_an_error_that_says_why(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run(1)
    with pytest.raises(GitHubError, match="404"):
        list_artifacts(github, REPO, run.id + 1)
    fake.faults.add(Kind.BAD_JSON, endpoint="run artifacts")
    with pytest.raises(GitHubError, match="artifacts"):
        list_artifacts(github, REPO, run.id)


def test_the_files_that_a_rule_names_come_as_they_are(fake: FakeGitHub, github: GitHub) -> None:
    content = read(github, only_artifact(fake, github))
    assert texts(content) == {"a.json": b'{"value": 1}', "deep/er/c.JSON": b"[2]"}
    assert [file.size_bytes for file in content.files] == [12, 3]
    done = content.artifact
    assert (done.state, done.files, done.globs, done.note) == (ArtifactState.READY, 2, ("*.json",), None)
    assert fake.journal.count("artifact zip") == 1


def test_globs_of_an_earlier_download_stay_with_the_artifact(fake: FakeGitHub, github: GitHub) -> None:
    before = msgspec.structs.replace(only_artifact(fake, github), globs=("*.jsonl",), state=ArtifactState.READY)
    assert read(github, before).artifact.globs == ("*.json", "*.jsonl")


def test_an_artifact_that_expired_is_not_asked_for(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run(1)
    fake.world.add_artifact(run, "bench-1", PACKED).expired = True
    [artifact] = list_artifacts(github, REPO, run.id).artifacts
    assert read(github, artifact).artifact.state is ArtifactState.EXPIRED
    assert fake.journal.count("artifact zip") == 0


def test_an_artifact_that_expires_after_it_was_listed_is_expired(fake: FakeGitHub, github: GitHub) -> None:
    artifact = only_artifact(fake, github)
    fake.world.home.artifacts[0].expired = True
    done = read(github, artifact).artifact
    assert (done.state, done.note) == (ArtifactState.EXPIRED, "GitHub has deleted it")


def test_an_artifact_that_somebody_deleted_will_never_come(fake: FakeGitHub, github: GitHub) -> None:
    artifact = only_artifact(fake, github)
    fake.world.home.artifacts.clear()
    done = read(github, artifact).artifact
    assert (done.state, done.note) == (ArtifactState.NEVER, "GitHub has none")


def test_what_the_storage_has_not_will_never_come(fake: FakeGitHub, github: GitHub) -> None:
    artifact = only_artifact(fake, github)
    fake.world.home.artifacts[0].in_storage = False
    assert read(github, artifact).artifact.state is ArtifactState.NEVER


def test_an_artifact_that_says_it_is_too_large_costs_no_call(
    fake: FakeGitHub, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts_module, "MOST_ARCHIVE", len(PACKED) - 1)
    artifact = only_artifact(fake, github)
    done = read(github, artifact).artifact
    assert (done.state, fake.journal.count("artifact zip")) == (ArtifactState.NEVER, 0)
    assert done.note is not None
    assert "larger than" in done.note
    silent = read(github, msgspec.structs.replace(artifact, size_bytes=None))
    assert (silent.artifact.state, silent.artifact.note) == (ArtifactState.NEVER, done.note)


@pytest.mark.parametrize("kind", ["cut", "reset in body"])
def test_a_download_that_breaks_off_is_begun_again(fake: FakeGitHub, github: GitHub, kind: str) -> None:
    artifact = only_artifact(fake, github, zipped(("a.json", b"[" + b"1," * 50_000 + b"1]"), method=zipfile.ZIP_STORED))
    fake.faults.add(kind, host="blob", times=2)
    assert read(github, artifact).artifact.files == 1


def test_a_download_that_breaks_off_every_time_is_asked_for_another_day(fake: FakeGitHub, github: GitHub) -> None:
    artifact = only_artifact(fake, github, zipped(("a.json", b"[" + b"1," * 50_000 + b"1]"), method=zipfile.ZIP_STORED))
    fake.faults.add("cut", host="blob")
    done = read(github, artifact).artifact
    assert (done.state, fake.journal.count("artifact zip")) == (ArtifactState.UNREADABLE, TRIES)
    assert done.note is not None
    assert "broke off" in done.note
    assert "sig=" not in done.note


def test_what_no_other_artifact_would_get_either_is_raised(fake: FakeGitHub, github: GitHub) -> None:
    artifact = only_artifact(fake, github)
    fake.faults.add(Kind.ERROR, endpoint="artifact zip", status=403, times=9)
    with pytest.raises(GitHubError, match="403"):
        read(github, artifact)


def test_a_budget_that_is_spent_stops(fake: FakeGitHub) -> None:
    with client_of(fake, max_calls=1) as github:
        artifact = only_artifact(fake, github)
        with pytest.raises(CallsStoppedError):
            read(github, artifact)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"<html>", PACKED[:-30], PACKED[:60]],
    ids=["nothing", "JSON", "HTML", "without its end", "without its directory"],
)
def test_what_is_no_zip_will_never_be_one(fake: FakeGitHub, github: GitHub, content: bytes) -> None:
    done = read(github, only_artifact(fake, github, content))
    assert (done.artifact.state, done.files) == (ArtifactState.NEVER, ())
    assert done.artifact.note is not None
    assert "ZIP of an artifact" in done.artifact.note


def test_an_empty_artifact_is_read(fake: FakeGitHub, github: GitHub) -> None:
    done = read(github, only_artifact(fake, github, zipped()))
    assert (done.artifact.state, done.artifact.files) == (ArtifactState.READY, 0)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../../etc/x.json", "leads out"),
        ("/etc/x.json", "leads out"),
        ("a/../../x.json", "leads out"),
        ("..\\x.json", "leads out"),
        ("C:\\x.json", "leads out"),
    ],
)
def test_a_path_that_climbs_is_left_out(path: str, why: str) -> None:
    done = unpacked(zipped((path, b"{}"), ("good.json", b"{}")))
    assert list(texts(done)) == ["good.json"]
    assert done.artifact.note is not None
    assert why in done.artifact.note


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_path_that_is_there_twice_is_left_out() -> None:
    done = unpacked(zipped(("a.json", b"1"), ("b.json", b"2"), ("a.json", b"3")))
    assert texts(done) == {"b.json": b"2"}
    assert done.artifact.note == "left out: 'a.json': the path is there twice"


def test_a_name_that_is_no_utf_8_leaves_nothing_to_be_read() -> None:
    data = zipped(("é.json", b"{}")).replace("é".encode(), b"\xff\xfe")
    with pytest.raises(UnreadableInputError, match="ZIP of an artifact"):
        unpacked(data)


def test_a_bomb_is_left_out_and_what_lies_beside_it_is_kept() -> None:
    done = unpacked(zipped(("bomb.json", b"0" * (8 << 20)), ("good.json", b"{}")))
    assert texts(done) == {"good.json": b"{}"}
    assert done.artifact.note is not None
    assert "times its size" in done.artifact.note


def test_a_file_that_claims_less_than_it_holds_is_left_out() -> None:
    data = bytearray(zipped(("a.json", b"x" * 5_000), method=zipfile.ZIP_STORED))
    place = data.rfind(b"PK\x01\x02")
    struct.pack_into("<L", data, place + 24, 10)
    done = unpacked(bytes(data))
    assert done.artifact.state is ArtifactState.READY
    assert done.files == ()


def test_a_damaged_or_locked_file_is_left_out() -> None:
    data = bytearray(zipped(("a.json", b"x" * 5_000), ("b.json", b"{}"), method=zipfile.ZIP_STORED))
    data[100] ^= 0xFF
    damaged = unpacked(bytes(data))
    assert list(texts(damaged)) == ["b.json"]
    assert damaged.artifact.note is not None
    assert "'a.json': it is damaged" in damaged.artifact.note
    locked = bytearray(zipped(("a.json", b"{}")))
    locked[locked.rfind(b"PK\x01\x02") + 8] |= 1
    assert unpacked(bytes(locked)).artifact.note == "left out: 'a.json': it is encrypted"


def test_files_over_the_caps_are_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts_module, "MOST_FILE", 100)
    monkeypatch.setattr(artifacts_module, "MOST_KEPT", 250)
    data = zipped(*((f"{index}.json", b"1" * size) for index, size in enumerate((100, 101, 100, 50, 1, 1))))
    done = unpacked(data)
    assert [file.size_bytes for file in done.files] == [100, 100, 50]
    assert done.artifact.note is not None
    assert done.artifact.note.startswith("left out: '1.json': larger than the 100 bytes of a file")
    monkeypatch.setattr(artifacts_module, "MOST_FILES", 2)
    many = unpacked(zipped(*((f"{index}.json", b"1") for index in range(9))))
    assert many.artifact.files == 2
    assert many.artifact.note is not None
    assert many.artifact.note.endswith("; and 4 more")


@example(noise=b"\0", place=241)
@given(st.binary(max_size=400), st.integers(0, len(PACKED) - 1))
def test_whatever_a_zip_holds_it_is_read_or_said_to_be_none(noise: bytes, place: int) -> None:
    for data in (noise, PACKED[:place] + noise + PACKED[place + len(noise) :]):
        with contextlib.suppress(UnreadableInputError):
            done = unpacked(data)
            assert done.artifact.files == len(done.files)


@pytest.mark.parametrize(
    ("file", "path", "takes"),
    [
        ("*.json", "a.json", True),
        ("*.json", "x/y/A.JSON", True),
        ("results/*.json", "results/a.json", True),
        ("results/*.json", "other/results.json", False),
        ("bench_?.json", "deep/bench_1.json", True),
        ("*.json", "a.jsonl", False),
    ],
)
def test_a_glob_is_of_the_path_or_of_the_name_of_the_file(file: str, path: str, takes: bool) -> None:
    assert ArtifactRule(artifact="*", grammar="g", file=file).takes(path) is takes
