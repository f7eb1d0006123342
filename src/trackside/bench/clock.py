"""From logged stamps to microseconds, where the log may leave out the date or the year."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from trackside.bench.kernels import NO_STAMP

Ints = NDArray[np.int64]

FORMS: Final = {"": 0, "full": 1, "us": 1, "md": 2, "tod": 3}
_SEPARATORS: Final = {"full": list(b" T"), "us": list(b"-"), "md": list(b" ")}
_DATE: Final = re.compile(r"(?:\d{4}-)?\d\d-\d\d", re.ASCII)
_DAY_S: Final = 86_400
# Times without a date that step back this far have passed midnight; forward, so far that they were before it after all.
_BACK_S: Final = 2 * 3600
_AHEAD_S: Final = 22 * 3600
_EPOCH: Final = dt.date(1970, 1, 1)
_MD_DAY: Final = 100_000
FULL_STAMP: Final = re.compile(rb"(?<!\d)(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)")
_FILE_DATE: Final = re.compile(r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d{5})")


class ClockState(msgspec.Struct):
    """Where the clock of a file stands: the anchor of missing dates and what was seen last."""

    anchor: str
    source: str
    year_shift: int = 0
    last_month: int = 0
    day_shift: int = 0
    last_tod_s: int = -1


class Clock:
    """Decodes the stamps of one file. ``anchor`` is the date (YYYY-MM-DD) that completes stamps without one."""

    def __init__(self, state: ClockState) -> None:
        self.state = state
        self._codes: dict[bytes, int] = {}

    def decode_many(self, form: str, raw: NDArray[np.uint8]) -> Ints:
        """``decode`` of each row of a matrix of bytes; stamps in the order of a log, so dates change rarely."""
        if form == "tod":
            return _times_of_day(raw)
        date = raw[:, :-9] if form != "md" else raw[:, :5]
        tods_s = _times_of_day(raw[:, -8:])
        changed = np.ones(len(raw), dtype=bool)
        changed[1:] = (date[1:] != date[:-1]).any(axis=1)
        noon = b" 00:00:00" if form != "us" else b"-00:00:00"
        bases = np.array([self.decode(form, row.tobytes() + noon) for row in date[changed]], dtype=np.int64)
        base = bases[np.cumsum(changed) - 1] if len(raw) else bases
        bad = (base == NO_STAMP) | (tods_s == NO_STAMP) | ~np.isin(raw[:, -9], _SEPARATORS[form])
        return np.where(bad, NO_STAMP, base + tods_s)

    def decode(self, form: str, raw: bytes) -> int:
        """A code for the stamp: seconds since 1970 where the date is full; NO_STAMP where it is no date."""
        code = self._codes.get(raw)
        if code is None:
            if len(self._codes) > 100_000:
                self._codes.clear()
            code = self._codes[raw] = _decode(form, raw)
        return code

    def resolve(self, codes: Ints, forms: NDArray[np.int8]) -> Ints:
        """Seconds since 1970 for rows in file order; rows without a stamp stay NO_STAMP."""
        if not codes.size or (forms <= 1).all():
            return codes
        out = codes.copy()
        has = codes != NO_STAMP
        days = np.flatnonzero((forms == FORMS["md"]) & has)
        if days.size:
            out[days] = self._resolve_year(codes[days])
        times = np.flatnonzero((forms == FORMS["tod"]) & has)
        if times.size:
            out[times] = self._resolve_date(codes[times])
        return out

    def _resolve_year(self, codes: Ints) -> Ints:
        month_day, tod_s = np.divmod(codes, _MD_DAY)
        month, day = np.divmod(month_day, 100)
        if not self.state.last_month:
            self.state.year_shift = _first_year_shift(self.state.anchor, int(month_day[0]))
        before = np.concatenate(([self.state.last_month or month[0]], month[:-1]))
        turns = np.cumsum((month - before < -6).astype(np.int64) - (month - before > 6))
        year = int(self.state.anchor[:4]) + self.state.year_shift + turns
        self.state.year_shift += int(turns[-1])
        self.state.last_month = int(month[-1])
        first = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
        seconds: Ints = (first.astype("datetime64[D]").astype(np.int64) + day - 1) * _DAY_S + tod_s
        return seconds

    def _resolve_date(self, tods_s: Ints) -> Ints:
        last = self.state.last_tod_s if self.state.last_tod_s >= 0 else int(tods_s[0])
        step = tods_s - np.concatenate(([last], tods_s[:-1]))
        turns = np.cumsum((step < -_BACK_S).astype(np.int64) - (step > _AHEAD_S))
        days = (dt.date.fromisoformat(self.state.anchor) - _EPOCH).days + self.state.day_shift + turns
        self.state.day_shift += int(turns[-1])
        self.state.last_tod_s = int(tods_s[-1])
        return days * _DAY_S + tods_s


def _times_of_day(raw: NDArray[np.uint8]) -> Ints:
    """Seconds of ``HH:MM:SS`` in each row; NO_STAMP where it is no time."""
    digits = raw[:, (0, 1, 3, 4, 6, 7)].astype(np.int64) - 48
    hour, minute, second = (digits[:, at] * 10 + digits[:, at + 1] for at in (0, 2, 4))
    ok = ((digits >= 0) & (digits <= 9)).all(axis=1) & (raw[:, 2] == 58) & (raw[:, 5] == 58)
    ok &= (hour < 24) & (minute < 60) & (second < 61)
    return np.where(ok, hour * 3600 + minute * 60 + second, NO_STAMP)


def _first_year_shift(anchor: str, month_day: int) -> int:
    """The year of the first stamp is the anchor's or a neighbour's: whichever lies within half a year of it."""
    months = month_day // 100 - int(anchor[5:7])
    return -1 if months > 6 else int(months < -6)


def _decode(form: str, raw: bytes) -> int:
    try:
        if form == "tod":
            hour, minute, second = (int(part) for part in raw.split(b":"))
            return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second < 61 else NO_STAMP
        if form == "md":
            tod_s = _decode("tod", raw[6:])
            if not _DATE.fullmatch(raw[:5].decode("ascii")):
                return NO_STAMP
            month, day = int(raw[:2]), int(raw[3:5])
            dt.date(2000, month, day)
            return NO_STAMP if tod_s == NO_STAMP else (month * 100 + day) * _MD_DAY + tod_s
        text = raw.decode("ascii")
        if form == "us":
            if text[2::3][:2] != "//":
                return NO_STAMP
            text = f"{text[6:10]}-{text[:2]}-{text[3:5]} {text[11:]}"
        if not _DATE.fullmatch(text[:10]):
            return NO_STAMP
        date = dt.date.fromisoformat(text[:10])
        tod_s = _decode("tod", text[11:].encode())
        return NO_STAMP if tod_s == NO_STAMP else (date - _EPOCH).days * _DAY_S + tod_s
    except ValueError:
        return NO_STAMP


def date_in_file_name(name: str) -> str | None:
    """The first date that a file name holds, as YYYY-MM-DD, in any of the usual spellings."""
    for match in _FILE_DATE.finditer(name):
        try:
            return dt.date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        except ValueError:
            continue
    return None


def find_anchor(head: bytes, tail: bytes, name: str, modified: dt.date) -> ClockState:
    """What completes stamps without a date: other lines of the file, else its name, else its own date."""
    for text in (head, tail):
        match = FULL_STAMP.search(text)
        if match and _decode("full", match[1][:19]) != NO_STAMP:
            return ClockState(match[1][:10].decode(), "other_lines")
    named = date_in_file_name(name)
    if named:
        return ClockState(named, "file_name")
    return ClockState(modified.isoformat(), "file_date")
