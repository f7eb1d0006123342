"""The ZIP of a run's logs, in the layout GitHub gives it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from tests.fake_github.log_text import BOM, log_pieces
from tests.fake_github.things import Job, Run

LONGEST_UNITS = 90


def folder_name(job_name: str) -> str:
    """A job's folder: ``/`` and ``:`` left out, cut to 90 UTF-16 units, which may cut a character in two."""
    plain = job_name.replace("/", "").replace(":", "")
    units = plain.encode("utf-16-le", "surrogatepass")[: 2 * LONGEST_UNITS]
    return units.decode("utf-16-le", "replace")


def run_archive(run: Run, jobs: Sequence[Job]) -> bytes:
    """``N_<job>.txt`` for each job at the top, ``<job>/<number>_<step>.txt`` below.

    Jobs that are not ``in_archive``, ran not at all or whose log is never there have no file. A run that is
    ``archive_without_steps`` has ``<job>/system.txt`` in place of the files of steps.
    """
    packed = io.BytesIO()
    seen: set[str] = set()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        shown = [job for job in jobs if job.in_archive and job.steps and job.log_state != "never"]
        for index, job in enumerate(shown):
            _add_job(archive, seen, index, job, steps=not run.archive_without_steps)
    return packed.getvalue()


def _add_job(archive: zipfile.ZipFile, seen: set[str], index: int, job: Job, *, steps: bool) -> None:
    folder, body = folder_name(job.name), b"".join(log_pieces(job))
    _write(archive, seen, f"{index}_{folder}.txt", body)
    if not steps:
        _write(archive, seen, f"{folder}/system.txt", b"Job is waiting for a runner to come online.\n")
        return
    lines = body.removeprefix(BOM).splitlines(keepends=True)
    share = -(-len(lines) // len(job.steps))
    for place, step in enumerate(job.steps):
        name = step.name.replace("/", "_").replace(":", "_")
        _write(
            archive, seen, f"{folder}/{step.number}_{name}.txt", b"".join(lines[place * share : (place + 1) * share])
        )


def _write(archive: zipfile.ZipFile, seen: set[str], name: str, body: bytes) -> None:
    if name not in seen:
        seen.add(name)
        archive.writestr(name, body)
