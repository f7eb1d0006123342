"""What stands before the message of a log line: stream label, time stamp, rank tags, level and source.

Forms read: ``[2026-01-04 00:44:47 DP0 TP0 EP0] `` with any subset of tags, milliseconds or no date; ISO stamps with
``Z`` or an offset; ``INFO 06-08 23:06:38 [file.py:1] ``; ``[05/20/2026-23:24:41] [TRT-LLM] [I] ``; a shipped
``TP0] `` whose bracket was eaten; and in front of each ``0: ``, ``container | `` or ``(Actor pid=1, ip=a) ``.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from trackside.bench.dialects import RANK_COLUMNS

_TAGS: Final = rb"(?: ?(?:DP|PP|ATTN_CP|MOE_DP|TP|EP)\d+)+"
STAMP: Final = re.compile(
    rb"(?P<full>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:[.,](?P<frac>\d{1,9}))?(?P<zone>Z|[+-]\d\d:?\d\d)?"
    rb"|(?P<us>\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d)"
    rb"|(?<=NFO |BUG |ROR |ING |CAL )(?P<md>\d\d-\d\d \d\d:\d\d:\d\d)(?:[.,](?P<mdfrac>\d{1,9}))?"
    rb"|(?<=\[)(?P<tod>\d\d:\d\d:\d\d)(?:[.,](?P<todfrac>\d{1,9}))?(?=[ \]])"
)
_LABEL: Final = re.compile(
    rb" *(?P<srun>\d{1,6}): |(?P<compose>[A-Za-z][\w.-]{0,80}) +\| |\[pod/(?P<pod>[\w./-]{1,160})\] "
    rb"|\((?P<actor>[A-Za-z_][\w.]{0,60})(?: [\w.]{1,60})? (?P<pid>pid=\d+(?:, ip=[\w.:]+)?)\) "
)
# One process of vLLM's own, not a worker beside others in the file.
_ENGINE_PROCESS: Final = re.compile(rb"(?i:APIServer|EngineCore|Worker)(?:_\w+)?$")
_TAIL: Final = re.compile(
    rb"[\s:|-]*(?:(?P<pod>[\w.-]{1,80}) (?=INFO|WARN|DEBUG|ERROR))?"
    rb"(?:\[?(?:INFO|WARNING|WARN|DEBUG|ERROR|CRITICAL|I|W|E)\]?[\s:|-]*"
    rb"(?:(?!"
    + _TAGS
    + rb"\])[\w./<>-]{1,120}(?:::?[\w.]{1,80}){0,6}:?\]?[\s:|-]*)?|[\w./-]{1,120}\.py:\d+\]?[\s:|-]*)?"
    rb"(?:\[[^\]\[]{0,80}\] ?)*(?:Engine (?P<engine>\d+): |\d+ Engines Aggregated: )?"
    rb"(?:(?P<tags>" + _TAGS + rb")\] )?"
)
# A tag that is not known yet costs no line.
_BRACKET_TAIL: Final = re.compile(rb"(?P<tags>(?: [A-Z][A-Z_]{0,30}\d+)+)?\]")
_EATEN: Final = re.compile(rb"(?:(?P<whole>\[)|\S{0,30} )?(?P<tags>" + _TAGS + rb")\] ")
_TAG: Final = re.compile(rb"([A-Z_]+)(\d+)")
_ANSI_LEFT: Final = re.compile(rb"\[\d{0,2}m")
# A quotation mark that opens stands behind no word and before text; one that closes stands before no word.
_SINGLE_QUOTED: Final = re.compile(rb"(?<![A-Za-z0-9'])'(?!\s)(?P<closed>(?:[^']|'(?=[A-Za-z0-9]))*+')?")
_LEVEL_LEAD: Final = re.compile(rb"\s*\[?(?:INFO|WARNING|WARN|DEBUG|ERROR|TRT-LLM|TensorRT-LLM)\b")
_BEFORE_STAMP: Final = re.compile(
    rb"(?:\([\w.]{1,60}(?: [\w.]{1,60})? pid=[^()]{1,80}\) )?(?:(?:INFO|WARNING|DEBUG|ERROR) |\[)?$"
)
_MAX_LEAD: Final = 400


class Mark(NamedTuple):
    """A span of the line that varies: ``kind`` is i (integer), f (float), stamp, frac or fixed (must stay as it is)."""

    start: int
    end: int
    kind: str
    column: str = ""
    scale10: int = 0


class Prefix(NamedTuple):
    """What the text before a message says. ``form`` is full, us, md, tod or empty (no stamp)."""

    form: str
    stamp: bytes
    frac: bytes
    zone: bytes
    ranks: dict[str, int]
    label: bytes
    torn: bool
    marks: tuple[Mark, ...]


def read_prefix(lead: bytes) -> Prefix | None:
    """The prefix that ``lead`` is, or None where the lead is other text, such as a prompt that quotes a log line."""
    if len(lead) > _MAX_LEAD:
        if is_quoting(lead):
            return None
        cut = len(lead) - _MAX_LEAD
        found = read_prefix(lead[cut:])
        return found and found._replace(marks=tuple(_shift(m, cut) for m in found.marks))
    marks: list[Mark] = []
    label, at = _read_label(lead, marks)
    if not lead[at:].strip():
        return Prefix("", b"", b"", b"", {}, label, False, tuple(marks))
    stamps = list(STAMP.finditer(lead, at))
    if not stamps:
        return _read_unstamped(lead, at, label, marks)
    stamp = stamps[-1]
    if is_quoting(lead[: stamp.start()]):
        return None
    return _read_stamped(lead, stamp, label, marks)


def read_label(line: bytes) -> bytes:
    """The label of the stream that a line belongs to; empty where it has none."""
    return _read_label(line, [])[0]


def _shift(mark: Mark, by: int) -> Mark:
    return mark._replace(start=mark.start + by, end=mark.end + by)


def find_prefix_start(line: bytes, start: int, end: int) -> int | None:
    """Where between two offsets the prefix begins that ends at ``end``; None where none with a stamp does."""
    for stamp in reversed(list(STAMP.finditer(line, start, end))):
        lead = _BEFORE_STAMP.search(line, start, stamp.start())
        at = lead.start() if lead else stamp.start()
        if read_prefix(line[at:end]) is not None:
            return at
    return None


def is_quoting(text: bytes) -> bool:
    """Whether a quotation mark is still open at the end of the text."""
    return bool(text.count(b'"') % 2) or any(not quoted["closed"] for quoted in _SINGLE_QUOTED.finditer(text))


def _read_label(lead: bytes, marks: list[Mark]) -> tuple[bytes, int]:
    match = _LABEL.match(lead)
    if not match:
        return b"", 0
    marks.append(Mark(match.start(), match.end(), "fixed"))
    if match["actor"]:
        if _ENGINE_PROCESS.match(match["actor"]):
            return b"", match.end()
        return match["actor"] + b" " + match["pid"], match.end()
    return match["srun"] or match["compose"] or match["pod"] or b"", match.end()


def _read_unstamped(lead: bytes, at: int, label: bytes, marks: list[Mark]) -> Prefix | None:
    match = _EATEN.fullmatch(lead, at)
    if match:
        ranks = _read_tags(match["tags"], match.start("tags"), marks)
        return Prefix("", b"", b"", b"", ranks, label, not match["whole"], tuple(marks))
    tail = _TAIL.fullmatch(lead, at)
    if not tail or not _LEVEL_LEAD.match(lead, at):
        return None
    ranks = _read_tail(tail, marks)
    return Prefix("", b"", b"", b"", ranks, label, False, tuple(marks))


def _read_stamped(lead: bytes, stamp: re.Match[bytes], label: bytes, marks: list[Mark]) -> Prefix | None:
    form = next(f for f in ("full", "us", "md", "tod") if stamp[f])
    marks.append(Mark(stamp.start(form), stamp.end(form), "stamp", form))
    frac_group = {"full": "frac", "md": "mdfrac", "tod": "todfrac"}.get(form)
    frac = stamp[frac_group] if frac_group else None
    if frac_group and frac:
        marks.append(Mark(stamp.start(frac_group), stamp.end(frac_group), "frac"))
    zone = (stamp["zone"] if form == "full" else None) or b""
    if zone:
        marks.append(Mark(stamp.start("zone"), stamp.end("zone"), "fixed"))
    end = stamp.end()
    ranks: dict[str, int] = {}
    if lead[stamp.start() - 1 : stamp.start()] == b"[":
        bracket = _BRACKET_TAIL.match(lead, end)
        if not bracket:
            return None
        if bracket["tags"]:
            ranks = _read_tags(bracket["tags"], bracket.start("tags"), marks)
        end = bracket.end()
    tail = _TAIL.fullmatch(lead, end)
    if not tail:
        plain = _ANSI_LEFT.sub(b"", lead[end:])
        if plain == lead[end:] or not _TAIL.fullmatch(plain):
            return None
        return Prefix(form, stamp[form], frac or b"", zone, ranks, label, False, tuple(marks))
    ranks |= _read_tail(tail, marks)
    if tail["pod"] and not label:
        label = tail["pod"]
        marks.append(Mark(tail.start("pod"), tail.end("pod"), "fixed"))
    return Prefix(form, stamp[form], frac or b"", zone, ranks, label, False, tuple(marks))


def _read_tail(tail: re.Match[bytes], marks: list[Mark]) -> dict[str, int]:
    ranks: dict[str, int] = {}
    if tail["engine"]:
        marks.append(Mark(tail.start("engine"), tail.end("engine"), "i", "dp"))
        ranks["dp"] = int(tail["engine"])
    if tail["tags"]:
        ranks |= _read_tags(tail["tags"], tail.start("tags"), marks)
    return ranks


def _read_tags(tags: bytes, offset: int, marks: list[Mark]) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for tag in _TAG.finditer(tags):
        column = RANK_COLUMNS.get(tag[1])
        if column and column not in ranks and len(tag[2]) <= 9:
            marks.append(Mark(offset + tag.start(2), offset + tag.end(2), "i", column))
            ranks[column] = int(tag[2])
    return ranks
