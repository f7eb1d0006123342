"""What a job used up, where something in its log says so: memory, time, disk, GPU memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from trackside.runlogs.findings import ResourceUse
from trackside.runlogs.lines import LogLine, shown

MOST: Final = 60
"""So many things of a job are kept apart; the others are counted."""
_NUMBER: Final = r"(\d{1,15}(?:\.\d{1,9})?)"
_SIZE: Final = r"(\d{1,15}(?:\.\d{1,9})?) ?([KMGTP]?i?B|[KMGTPkb])\b"
_FACTORS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "p": 1024**5}
_VERBOSE: Final = re.compile(
    r"\s{0,8}(Maximum resident set size|User time|System time|Percent of CPU this job got|Elapsed \(wall clock\) time)"
    r"(?: \([\w:. ]{1,24}\))?: {1,4}(\S{1,20})"
)
_BSD: Final = re.compile(r"\s{1,20}(\d{1,15})  maximum resident set size$")
_SHELL: Final = re.compile(r"(real|user|sys)\s{1,8}(?:(\d{1,6})m)?(\d{1,6}(?:\.\d{1,6})?)s?$")
_SHORT: Final = re.compile(
    rf"{_NUMBER}user {_NUMBER}system (\d{{1,4}}(?::\d{{1,2}}){{0,2}}(?:\.\d{{1,3}})?)elapsed (?:(\d{{1,6}})%CPU )?"
    r"\(\d{1,12}avgtext\+\d{1,12}avgdata (\d{1,15})maxresident\)k"
)
_DOCKER: Final = re.compile(
    rf"[0-9a-f]{{12}}\s{{1,8}}(\S{{1,100}})\s{{1,60}}{_NUMBER}%\s{{1,20}}{_SIZE} ?/ ?{_SIZE}\s{{1,20}}{_NUMBER}%"
)
_DISK: Final = re.compile(
    r"(\S{1,200})\s{1,60}" + r"(\d{1,15}(?:\.\d)?[KMGTP]?)i?\s{1,20}" * 3 + r"(\d{1,3})%\s{1,8}(/\S{0,200})$"
)
_FREE: Final = re.compile(rf"Mem:\s{{1,20}}{_NUMBER}([KMGT]i?|B)?\s{{1,20}}{_NUMBER}([KMGT]i?|B)?\s")
_GPU: Final = re.compile(r"\|.{0,80}\|\s{0,8}(\d{1,7})MiB ?/ {0,8}(\d{1,7})MiB \|\s{0,6}(\d{1,3})%")
_PEAK: Final = re.compile(
    r"(?i).{0,120}?\b((?:peak|max(?:imum)?) (?:\w{1,12} )?(?:memory|rss|ram|vram)(?: \w{1,12}){0,2}) ?[:=]? ?" + _SIZE
)
_ROUGH: Final = re.compile("esident|time|CPU|elapsed|real|user|sys|%|Mem:|MiB|[Pp]eak|[Mm]ax|PEAK|MAX")
_TIMES: Final = {"User time": "user time", "System time": "system time", "Elapsed (wall clock) time": "wall time"}
_SHELL_TIMES: Final = {"real": "wall time", "user": "user time", "sys": "system time"}


class _Use(NamedTuple):
    """What a line tells."""

    name: str
    value: float
    unit: Literal["bytes", "s", "%"]


class Resources:
    """Takes the lines of a job's log; ``found`` is what it says of resources."""

    def __init__(self, job: str) -> None:
        self.left_out = 0
        self._job = job
        self._found: dict[tuple[str, str | None], ResourceUse] = {}

    def take(self, line: LogLine) -> None:
        """A line of the log."""
        text = line.text
        if line.is_script or not _ROUGH.search(text):
            return
        for use in _uses(text):
            self._keep(line, use)

    @property
    def found(self) -> tuple[ResourceUse, ...]:
        """The uses in the order in which they were first printed."""
        return tuple(self._found.values())

    def _keep(self, line: LogLine, use: _Use) -> None:
        name = shown(use.name, 120)
        key = (name, line.step)
        known = self._found.get(key)
        if known is None and len(self._found) == MOST:
            self.left_out += 1
        elif known is None:
            self._found[key] = ResourceUse(
                name=name, value=use.value, unit=use.unit, job=self._job, step=line.step, line_number=line.number
            )
        else:
            is_more = use.value < known.value if name.startswith("disk free") else use.value > known.value
            told = {"value": use.value, "line_number": line.number} if is_more else {}
            self._found[key] = msgspec.structs.replace(known, count=known.count + 1, **told)


def _uses(text: str) -> Iterator[_Use]:
    if found := _VERBOSE.match(text):
        yield from _verbose(found[1], found[2])
    elif found := _BSD.match(text):
        yield _Use("peak memory", float(found[1]), "bytes")
    elif found := _SHELL.match(text):
        yield _Use(_SHELL_TIMES[found[1]], int(found[2] or 0) * 60 + float(found[3]), "s")
    elif found := _SHORT.match(text):
        yield from _short(found)
    elif found := _DOCKER.match(text):
        yield _Use(f"memory of container {found[1]}", _bytes(found[3], found[4]), "bytes")
        yield _Use(f"CPU of container {found[1]}", float(found[2]), "%")
    elif found := _DISK.match(text):
        yield _Use(f"disk free on {found[6]}", _bytes(found[4], None if found[4][-1].isalpha() else "K"), "bytes")
        yield _Use(f"disk used on {found[6]}", float(found[5]), "%")
    elif found := _FREE.match(text):
        # free prints KiB; where sizes are small numbers without a unit it was asked for MiB or GiB, and is not told.
        if found[2] or float(found[1]) > 100_000:
            yield _Use("memory used", _bytes(found[3], found[4] or "K"), "bytes")
    elif found := _GPU.match(text):
        yield _Use("GPU memory", float(found[1]) * 1024**2, "bytes")
        yield _Use("GPU use", float(found[3]), "%")
    elif found := _PEAK.match(text):
        yield _Use(" ".join(found[1].lower().split()), _bytes(found[2], found[3]), "bytes")


def _verbose(name: str, value: str) -> Iterator[_Use]:
    if name.startswith("Maximum") and value.isdecimal():
        yield _Use("peak memory", float(value) * 1024, "bytes")
    elif name.startswith("Percent") and value.removesuffix("%").isdecimal():
        yield _Use("CPU", float(value.removesuffix("%")), "%")
    elif name in _TIMES and (seconds := _seconds(value)) is not None:
        yield _Use(_TIMES[name], seconds, "s")


def _short(found: re.Match[str]) -> Iterator[_Use]:
    yield _Use("user time", float(found[1]), "s")
    yield _Use("system time", float(found[2]), "s")
    if (elapsed := _seconds(found[3])) is not None:
        yield _Use("wall time", elapsed, "s")
    yield _Use("peak memory", float(found[5]) * 1024, "bytes")


def _seconds(text: str) -> float | None:
    """Seconds out of ``1:02:03``, ``0:12.34`` or ``12.34``; None of what is none of them."""
    if not re.fullmatch(r"(?:\d{1,6}:){0,2}\d{1,6}(?:\.\d{1,6})?", text):
        return None
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return round(seconds, 6)


def _bytes(number: str, unit: str | None) -> float:
    """Bytes; K, M and G are powers of 1,024 but where they are written kB, MB, GB."""
    digits = number.rstrip("KMGTP")
    letters = (number[len(digits) :] or unit or "").strip()
    power = letters[:1].lower().replace("b", "")
    if len(letters) == 2 and letters[1] == "B":
        return float(digits) * 1000 ** "kmgtp".find(power) * 1000 if power else float(digits)
    return float(digits) * _FACTORS[power]
