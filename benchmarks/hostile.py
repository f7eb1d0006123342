"""Damage of the kinds that real log directories hold, planted into a generated run and recorded in its truth.

Every file's truth lists what was planted in ``planted``. Planted fork, quoted and torn lines are not batch
lines: the counts of batch lines stay those of the simulation.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import zstandard

LONG_LINE_BYTES: Final = 2_000_000
INVALID_BYTES: Final = b"\xe9\xff\xfe"
_LFS_POINTER: Final = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 1003521\n"
)
_BATCH: Final = "Decode batch, #running-req: 3, #token: 9184, token usage: 0.09, "


class Damage:
    """Changes files of one logs directory and notes it in the truth."""

    def __init__(self, logs_dir: Path, truth: dict[str, Any], rng: random.Random) -> None:
        self._dir = logs_dir
        self._files: dict[str, dict[str, Any]] = truth["files"]
        self._rng = rng

    def insert_line(self, name: str, what: str, text: bytes) -> None:
        """Put one line into the second half of a file; ``@`` stands for the stamp of a neighbouring line."""
        lines = (self._dir / name).read_bytes().split(b"\n")
        at = len(lines) // 2 + self._rng.randrange(len(lines) // 4)
        while not (lines[at].startswith(b"[") and lines[at][20:21] in b" ]"):
            at += 1
        lines.insert(at, text.replace(b"@", lines[at][1:20], 1))
        self._rewrite(name, what, b"\n".join(lines))
        self._files[name]["lines"] += 1
        self._files[name]["other"] += 1

    def colour_batch_lines(self, name: str, count: int) -> None:
        """Wrap whole batch lines in ANSI colour; they still count as batch lines."""
        lines = (self._dir / name).read_bytes().split(b"\n")
        batch = [number for number, line in enumerate(lines) if b" batch" in line[:60]]
        for number in self._rng.sample(batch, min(count, len(batch))):
            lines[number] = b"\x1b[32m" + lines[number] + b"\x1b[0m"
        self._rewrite(name, "ansi_lines", b"\n".join(lines))

    def end_lines_with_crlf(self, name: str) -> None:
        """Give a whole file CRLF line ends."""
        content = (self._dir / name).read_bytes().replace(b"\n", b"\r\n")
        self._rewrite(name, "crlf", content)
        self._files[name]["carriage_returns"] = content.count(b"\r")

    def tear_last_line(self, name: str) -> None:
        """Append a batch line that was cut while it was written."""
        stamp = self._files[name]["last_stamp"]
        torn = f"[{stamp} DP0 TP0 EP0] Decode batch, #running-req: 5, #tok"
        self._rewrite(name, "torn_last_line", (self._dir / name).read_bytes() + torn.encode())

    def rotate(self, name: str, suffix: str, compress: Callable[[bytes], bytes]) -> None:
        """Move the older half into a compressed part; the file's truth then covers both parts."""
        content = (self._dir / name).read_bytes()
        at = content.index(b"\n", len(content) // 2) + 1
        part = f"{name}.1.{suffix}"
        (self._dir / part).write_bytes(compress(content[:at]))
        self._rewrite(name, f"rotated_{suffix}", content[at:])
        self._files[name]["parts"] = [part, name]

    def add_file(self, name: str, what: str, content: bytes) -> None:
        """Add a file that holds no log lines."""
        (self._dir / name).write_bytes(content)
        self._files[name] = {"bytes": len(content), "lines": content.count(b"\n"), "planted": [what]}

    def _rewrite(self, name: str, what: str, content: bytes) -> None:
        (self._dir / name).write_bytes(content)
        self._files[name]["bytes"] = len(content)
        self._files[name]["planted"].append(what)


def plant_hostile(logs_dir: Path, truth: dict[str, Any], rng: random.Random) -> None:
    """Plant every kind once; the kinds share files where there are few workers."""
    damage = Damage(logs_dir, truth, rng)
    names = sorted(name for name in truth["files"] if name.endswith(".out") and "_frontend_" not in name)

    def nth(number: int) -> str:
        return str(names[number % len(names)])

    said = f"Why does [2026-01-04 22:00:00 DP0 TP0 EP0] {_BATCH}appear?"
    quoted = f"[@] Receive: obj=GenerateReqInput(text={said!r})"
    damage.insert_line(nth(0), "invalid_utf8", b"[@] session note: caf" + INVALID_BYTES + b" closed")
    damage.insert_line(nth(1), "fork_line", b"[@] Prefill rank batch, #new-token: 512, #cached-token: 0, rank: 3")
    damage.insert_line(nth(1), "quoted_line", quoted.encode())
    damage.insert_line(nth(2), "long_line", b"[@] prompt: " + b"x" * LONG_LINE_BYTES)
    damage.colour_batch_lines(nth(3), 25)
    damage.end_lines_with_crlf(nth(4))
    damage.rotate(nth(0), "gz", lambda content: gzip.compress(content, 6, mtime=0))
    if len(names) > 1:
        damage.rotate(nth(5) if nth(5) != nth(0) else nth(1), "zst", zstandard.ZstdCompressor().compress)
    damage.tear_last_line(nth(len(names) - 1))
    damage.add_file("cn90_decode_w90.out", "lfs_pointer", _LFS_POINTER)
    damage.add_file("cn91_decode_w91.out", "empty", b"")
