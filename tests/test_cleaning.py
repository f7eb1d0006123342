"""Raw log lines become readable text, and secrets never get through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.joblogs.cleaning import MAX_CHARS, clean, redact


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"2026-07-30T10:33:37.0347135Z Current runner version: '2.336.0'\n", "Current runner version: '2.336.0'"),
        (b"\xef\xbb\xbf2026-07-30T10:33:37.0347135Z first line\r\n", "first line"),
        (b"\xef\xbb\xbfno stamp", "no stamp"),
        (b"2026-07-30T10:33:37.0347135Z \n", ""),
        (b"2026-07-30T10:33:37.0347135Z", ""),
        (b"2026-07-30T10:33:37Z whole seconds", "whole seconds"),
        (b"2026-07-30T10:33:37.0347135Z   indented stays\n", "  indented stays"),
        (b"2026-07-30T10:33:37.0Z 2026-07-30T10:33:37.0Z doubled", "2026-07-30T10:33:37.0Z doubled"),
        (b"\x1b[31mERROR\x1b[0m: \x1b[1;38;5;208mbad\x1b[K", "ERROR: bad"),
        (b"\x1b]0;title\x07text \x1b]8;;https://x.y\x1b\\link\x1b]8;;\x1b\\", "text link"),
        (b"\x1b[?25hshown\x1b(B", "shown"),
        (b"10%\r50%\r100% done\n", "100% done"),
        (b"2026-07-30T10:33:37.0347135Z 10%\r100% done\r\n", "100% done"),
        (b"nul\x00 bell\x07 tab\tkept", "nul bell tab\tkept"),
        (b"bad \xff\xfe bytes", "bad \ufffd\ufffd bytes"),
        ("right\u202eleft \u200bzero".encode(), "rightleft zero"),
        ("größer ‘x’".encode(), "größer ‘x’"),
        (b"trailing   \t \n", "trailing"),
        (b"", ""),
    ],
)
def test_a_raw_line_becomes_what_a_person_reads(raw: bytes, text: str) -> None:
    assert clean(raw) == text


def test_a_long_line_is_capped() -> None:
    assert clean(b"x" * 50_000_000) == "x" * MAX_CHARS


def test_a_torn_colour_sequence_leaves_no_escape() -> None:
    assert "\x1b" not in clean(b"red \x1b[31") + clean(b"\x1b]0;never closed" + b"y" * 5000) + clean(b"end\x1b")


@given(st.binary(max_size=400))
def test_any_bytes_are_cleaned_to_printable_text(raw: bytes) -> None:
    text = clean(raw.replace(b"\n", b""))
    assert len(text) <= MAX_CHARS
    assert not any(ord(char) < 32 and char != "\t" for char in text)
    assert text == text.rstrip()


SECRETS = [
    ("ghp_" + "a1B2" * 9, "pushed with {}"),
    ("ghs_" + "a1B2" * 9, "https://x-access-token:{}@github.com/o/r"),
    ("github_pat_" + "11ABCDE0" * 8, "GH {} end"),
    ("hf_" + "AbCd" * 8, "HF login {}"),
    ("sk-proj-" + "Zz9" * 10, "openai key is {}."),
    ("AKIA" + "ABCDEFGH12345678", "aws {} used"),
    ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SECRET_ACCESS_KEY={}"),
    ("hunter2hunter2", "Authorization: Basic {}"),
    ("abcdef0123456789", "curl -H 'authorization: Bearer {}' https://x.y"),
    ("abcdef0123456789", "'Authorization': 'token {}'"),
    ("s3cr3t", "https://user:{}@host.example/path"),
    ("s3cr3t", "password={} user=x"),
    ("s3cr3t pass", "DB_PASSWORD: '{}'"),
    ("s3cr3tvalue", "MY_API_KEY={}"),
    ("s3cr3tvalue", '{{"client_secret": "{}"}}'),
    ("s3cr3tvalue", "--hf-token={}"),
    ("abc123signature", "https://b.s3.amazonaws.com/x?X-Amz-Signature={}&y=1"),
    ("2NW18xwiyn8dPFp84", "https://api.example.com/run?api-version=1&sig={}"),
    ("T000/B000/XXXXXXXX", "posting to https://hooks.slack.com/services/{}"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", "jwt {}"),
    ("xoxb-123456789012-abcdefABCDEF", "slack {}"),
    ("MIIEpAIBAAKCAQEA7bq98FQ0hXyZkR3bS5T2mW8vC4nD6pG1jL9kH7fA3sE0uQxY", "{}"),
    ("MIIEpAIBAAKCAQEA7bq98FQ0hXyZkR3bS5T2mW8vC4nD6pG1jL9kH7fA3sE0uQxY", "##[error]{}"),
    ("MIIEpAIBAAKCAQEA7bq98FQ0hXyZkR3bS5T2mW8vC4nD6pG1jL9kH7fA3sE0uQxY", "stderr | {}"),
    ("ghp_" + "a1B2" * 9, "FAILED tests/test_x.py::test_{}"),
    ("sk_" + "live_" + "a1B2" * 6, "stripe {}"),
    ("s3cr3tvalue", "SECRET_KEY_BASE: {}"),
    ("s3cr3tvalue", "+ mysql --password {} -u x"),
    ("s3cr3tvalue", "curl --api-token '{}'"),
]


@pytest.mark.parametrize(("secret", "line"), SECRETS)
def test_no_part_of_a_secret_is_left(secret: str, line: str) -> None:
    shown = redact(line.format(secret))
    assert secret not in shown
    assert "***" in shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "line",
    [
        "SyntaxError: Unexpected token: punc (})",
        "KeyError: 'lm_head.weight'",
        "git@github.com: Permission denied (publickey).",
        "error[E0425]: cannot find value `token` in this scope",
        "##[error]Input required and not supplied: token",
        "https://github.com/o/r/actions/runs/1/job/2",
        "AssertionError: 0.58 not greater than 0.65",
        "Process completed with exit code 1.",
        "050ce9e1226b95d6b5938bdd5e245491f7219fd8",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "mv /opt/runner/build/engine/engine/source/native/kernels/attention/prefill/paged",
        "unknown option --password --user",
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    assert redact(line) == line


@given(st.text(max_size=300))
def test_redacting_never_fails_and_is_stable(text: str) -> None:
    assert redact(redact(text)) == redact(text)
