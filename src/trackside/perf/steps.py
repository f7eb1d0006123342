"""What numbers are called that no test printed: the step of the job, by a name that is the same in every run."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Sequence
from typing import Final

from trackside.joblogs.portable_paths import portable_path
from trackside.records.jobs import Job, Step

_LONGEST: Final = 160
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=\S*$")
_RUNNER: Final = re.compile(
    r"(?:\S*/)?(?:python[\d.]*|sudo|env|time|timeout|nohup|bash|sh|uv|run|exec)$|-u$|[\d.]+[smh]?$"
)
_PLAIN_WORD: Final = re.compile(r"[a-z][a-z0-9_-]*$")
_UNSTABLE: Final = re.compile(
    r"(?<=\w)@\S+|\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b|\b\d{4}-\d\d-\d\d(?:[T_ ]\S*)?|\b\d{4,}\b|https?://\S+|(?:/tmp|/var|/home)/\S*"
)


def step_at(steps: Sequence[Step], stamp: bytes | None) -> Step | None:
    """The step that ran when the line with this stamp was written, None where that is not told."""
    moment = moment_of(stamp)
    if moment is None:
        return None
    begun = [step for step in steps if step.started_at is not None and step.conclusion != "skipped"]
    return next((step for step in reversed(begun) if step.started_at is not None and step.started_at <= moment), None)


def name_outside_tests(job: Job, step: Step | None, command: str | None) -> str:
    """What numbers are called that are printed in this step, or below this command, else within this job."""
    if step is not None and (command is None or not command.startswith(step.name.removeprefix("Run "))):
        return _stable(step.name) or job.name
    # A step without a name of its own is called after its command.
    return (program_of(command) if command is not None else "") or job.name


def program_of(command: str) -> str:
    """What a command runs, without options, paths of one machine and values: ``python3 -m a.b --port 1`` → ``a.b``."""
    words = [word for word in command.split() if not _ASSIGNMENT.match(word)]
    while words and _RUNNER.match(words[0]):
        words = words[1:]
    if words[:1] == ["-m"]:
        words = words[1:]
    if not words:
        return ""
    name = portable_path(words[0], "") if "/" in words[0] else words[0]
    if not _PLAIN_WORD.match(words[0]):
        return _stable(name)
    commands = itertools.takewhile(_PLAIN_WORD.match, words[1:3])
    return _stable(" ".join([name, *commands]))


def _stable(text: str) -> str:
    return " ".join(_UNSTABLE.sub(" ", text).split())[:_LONGEST].strip(" -:_")


def moment_of(stamp: bytes | None) -> dt.datetime | None:
    """When the line with this stamp was written (UTC), None where that is not told."""
    if stamp is None:
        return None
    try:
        return dt.datetime.fromisoformat(stamp.decode()).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
