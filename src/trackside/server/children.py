"""Commands run beside the server as processes of their own: bounded in time and in what they may say."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

GRACE_S: Final = 1.0
"""How long a child that was asked to end is waited for before it is killed."""
_CHUNK: Final = 64 * 1024
_MOST_SAID: Final = 16 * 1024
_ERROR: Final = "Error: "


class Ended(NamedTuple):
    """How a child ended: its exit code, None where its time was over or it could not be started; what it wrote.

    ``out`` is None where that was more than was taken. ``said`` is the end of what it wrote to stderr.
    """

    code: int | None
    out: bytes | None
    said: str


async def run_child(
    command: Sequence[str], environ: Mapping[str, str], *, limit_s: float, most_bytes: int = 0
) -> Ended:
    """Runs ``command`` to its end, or ends it after ``limit_s``; cancelling ends it too, with its own children.

    Nothing is written to its stdin, which ends when this process does: that tells a child of a server that was killed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,
        )
    except OSError as error:
        return Ended(None, None, f"{command[0]} cannot be started: {error.strerror}.")
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(limit_s):
            out, said, _ = await asyncio.gather(
                _first(process.stdout, most_bytes), _last(process.stderr), process.wait()
            )
    except TimeoutError:
        await _end(process)
        return Ended(None, None, f"It took longer than {limit_s:,.0f} s and was ended.")
    except asyncio.CancelledError:
        await asyncio.shield(_end(process))
        raise
    return Ended(process.returncode, out, said)


async def _first(stream: asyncio.StreamReader, most: int) -> bytes | None:
    """Everything, or None where it is more than ``most`` bytes; it is read all the same, as the child waits for it."""
    kept, size = bytearray(), 0
    while chunk := await stream.read(_CHUNK):
        size += len(chunk)
        if size <= most:
            kept += chunk
    return bytes(kept) if size <= most else None


async def _last(stream: asyncio.StreamReader) -> str:
    kept = b""
    while chunk := await stream.read(_CHUNK):
        kept = (kept + chunk)[-_MOST_SAID:]
    return kept.decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the child and what it started: asks first, and kills what is still there."""
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE_S)
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # The child began a session of its own, so its group has its number; the group may be gone.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def last_sentence(said: str) -> str:
    """Why a command failed: its last error, else the last line that is not empty."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(_ERROR)]
    return (errors or lines or ["It said nothing of why."])[-1].removeprefix(_ERROR)
