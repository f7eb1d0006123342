"""Builders of engine logs as text, for tests that parse files."""

from __future__ import annotations

from pathlib import Path


def prefill_text(tokens: int, clock: str = "16:10:37", day: str = "2026-01-31", tag: str = " DP0 TP0 EP0") -> str:
    """A prefill line with that many new tokens, by which a test knows it again."""
    return (
        f"[{day} {clock}{tag}] Prefill batch. #new-seq: 1, #new-token: {tokens}, #cached-token: 28, "
        "token usage: 0.10, #running-req: 0, #queue-req: 2, #prealloc-req: 0, #inflight-req: 1, "
        "input throughput (token/s): 50.00, "
    )


def decode_text(running: int, clock: str = "16:10:46", day: str = "2026-01-31", tag: str = " DP0 TP0 EP0") -> str:
    """A decode line with that many running requests."""
    return (
        f"[{day} {clock}{tag}] Decode batch. #running-req: {running}, #token: 4000, token usage: 0.20, "
        "pre-allocated usage: 0.00, #prealloc-req: 0, #transfer-req: 0, #retracted-req: 0, cuda graph: True, "
        "gen throughput (token/s): 80.00, #queue-req: 0, "
    )


def write_log(path: Path, *lines: str) -> Path:
    """Writes lines, each with its end, and makes the directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def varied_log() -> bytes:
    """A log with start-up lines, two ranks, a torn line, CRLF, colours, bytes that are no text and a second day."""
    head = b"[2026-01-31 16:10:00] server_args=ServerArgs(model_path='m', tp_size=8, dp_size=2, host='0.0.0.0')\n"
    memory = (
        b"[2026-01-31 16:10:01 DP0 TP0 EP0] KV Cache is allocated. #tokens: 900, K size: 1.50 GB, V size: 1.50 GB\n"
    )
    lines = [prefill_text(n, f"16:10:{10 + n}", tag=f" DP{n % 2} TP{n % 2} EP0").encode() for n in range(12)]
    lines[3] = lines[3][:90]
    lines[4] += b"\r"
    lines[5] = b"\x1b[32m" + lines[5] + b"\x1b[0m"
    lines[6] = b"\xff\xfe caf\xc3\xa9 " + lines[6]
    lines[7] = b"Prefill batch of a new kind with #new-seq nobody knows"
    lines += [decode_text(n, f"00:00:{10 + n}", "2026-02-01").encode() for n in range(9)]
    return head + memory + b"\n".join(lines) + b"\n"
