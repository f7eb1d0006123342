"""The lines of a log that may tell why its job failed, each with the rule that knows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from trackside.joblogs.comparisons import compared_cause
from trackside.joblogs.places import Places
from trackside.joblogs.raw_lines import RawLine, RawLines, lines_with_triggers, message_of
from trackside.joblogs.rule_table import Rule, rule
from trackside.joblogs.rules import RULES
from trackside.joblogs.rules_measures import COMPARISON, NUMBERS, measured_cause
from trackside.records.failures import Cause

# Lines before an error mark on which every rule is tried; more of them where nothing else tells anything.
_NEAR, _FAR = 60, 2000
_TELLING: Final = 45
HEADERS: Final = frozenset({"unittest-failed", "pytest-header", "unittest-live", "pytest-live"})
"""Rules of lines that name a failed test and stand above what it failed with."""
# A test that failed because its server had: less than the exception of the server, more than a wrapper.
_FOLLOWING: Final = 44
_LAST_FORMS, _MOST_FORMS = 6000, 8000
_REPEATS: Final = 30
_SUMMARY: Final = next(rule.pattern for rule in RULES if rule.name == "pytest-failed")
_ANNOTATED: Final = rule("annotated", Cause.OTHER, 43, r"\S")

# Lines that hold words of rules and tell nothing: commands shown, warnings, source, counts of nothing.
_NOISE: Final = re.compile(
    r"##\[(?:warning|notice|debug|command|section|group|endgroup|start-action|end-action)|\[command\]"
    r"|\++ [\w(\[{:/'\"$!.~-]|\$ \S"
    r"|(?:::(?:warning|notice|debug|add-mask|group)\b)|(?:DEBUG|TRACE|NOTE|note|hint|help|WARN(?:ING)?(?!: DATA RACE)"
    r"|[Ww]arning)\b[ :\[]"
    r"|\[(?:DEBUG|TRACE|WARN(?:ING)?|W\d{4}|I\d{4}|INFO|debug|info|warn(?:ing)?)\b(?!.*(?:<<<|FAILURE)"
    r"|\] \S+\.\w{1,5}$)"
    r"|.{0,200}\"(?:GET|POST|PUT|HEAD|DELETE|PATCH|OPTIONS) \S{1,300} HTTP/"
    r"|INFO\b(?!.* (?:ERROR|FAILED))"
    r"|\s{2,}(?:raise |warn|assert |self\.|return |print\(|echo |log(?:ger|ging)?\.|throw |if |elif |except |with "
    r"|for |from |import |def |@|#|//|\*)"
    r"|\s*>\s{2,}\S|\s*\d{1,6} \| |\s*\| {2,}|\s*[-+]{1,3}[\s\w].*\b(?:raise|assert|except)\b"
    r"|Exception ignored in|Retrying\b|.{0,120}\b(?:will retry|retrying (?:in|after|\d))|\s*(?:Caused by: )?-- "
    r"|(?:Collecting|Downloading|Requirement already|Installing|Using cached|Looking in|Setting up|Unpacking"
    r"|Preparing to unpack|Selecting previously)\b"
    r"|[\w./\[\]:, -]{0,300}(?: PASSED\b| SKIPPED\b| XFAIL\b|\.\.\. (?:ok|skipped|expected failure)\b)|\s*(?:ok"
    r"|PASS)\s{1,4}\S|##\[error\]\s*$"
    r"|(?i:\s*(?:cache )?[\w ]{0,40}(?:errors?|failures?|failed)\s{0,40}[:=]?\s{0,40}0(?:\.0+)?\s?%?$)"
    r"|(?:\S+ )?0 (?:errors?|failures?|failed)\b"
    r"|storage write check failed|Failed to (?:parse and upload|upload (?:artifacts|metrics?|logs?|stats))"
    r"|.{0,160}Error uploading metric"
    r"|.{0,300}UserWarning: (?!.{0,40}No space left)|.{0,300}(?:Deprecat|Future|Runtime|Resource"
    r"|Syntax)\w*Warning: |npm (?:warn|WARN)"
    r"|git version|Warning:"
)


class _Form(NamedTuple):
    """The rule of lines that differ in numbers only, and how many of them were looked at."""

    rule: Rule | None
    seen: int


_DULL: Final = _Form(None, _REPEATS)


class Candidate(NamedTuple):
    """A line, its message, the rule that matched it, and the rule's strength there."""

    line: RawLine
    message: str
    rule: Rule
    strength: int
    cause: Cause

    @property
    def test(self) -> str | None:
        """The test that the line names, as it is written there."""
        for pattern in (self.rule.pattern, _SUMMARY):
            found = pattern.search(self.message)
            names = found.groupdict() if found else {}
            if names.get("test") or names.get("test2"):
                return names.get("test") or names.get("test2")
        return None


def find_candidates(lines: RawLines, places: Places, own: Sequence[Rule]) -> list[Candidate]:
    """The lines that a rule matches, in the order of the log; none of a script that is only shown."""
    found: dict[int, Candidate] = {}
    for candidate in (*_near_the_end(lines, places, _NEAR), *_by_words(lines, places)):
        found.setdefault(candidate.line.start, candidate)
    if not any(candidate.strength >= _TELLING for candidate in found.values()):
        for candidate in _near_the_end(lines, places, _FAR):
            found[candidate.line.start] = candidate
    if own:
        found.update((candidate.line.start, candidate) for candidate in _by_own(lines, places, own))
    return [found[start] for start in sorted(found)]


def _by_words(lines: RawLines, places: Places) -> Iterator[Candidate]:
    """The lines that hold a word of the rules: from the end, where most is told, then from the beginning."""
    starts = lines_with_triggers(lines.content)
    forms: dict[bytes, _Form] = {}
    for start, left in chain(
        ((each, _LAST_FORMS) for each in reversed(starts)), ((each, _MOST_FORMS) for each in starts)
    ):
        # Lines that differ in numbers only have one rule, and the first and last of them say enough.
        form = lines.form_at(start)
        known = forms.get(form)
        if (len(forms) >= left) if known is None else (known.seen >= _REPEATS):
            continue
        candidate = _candidate(lines, places, lines.at(start), known=known.rule if known else None)
        forms[form] = _Form(candidate.rule, known.seen + 1 if known else 1) if candidate else _DULL
        if candidate is not None:
            yield candidate


def _near_the_end(lines: RawLines, places: Places, count: int) -> Iterator[Candidate]:
    """Lines just before an error mark and before the end: there rules look that have no word to be found by."""
    seen: set[int] = set()
    for end in (*places.errors[:3], *places.errors[-3:], len(lines.content)):
        for line in lines.before(lines.start_of(end), count):
            if line.start in seen:
                break
            seen.add(line.start)
            candidate = _candidate(lines, places, line, thorough=True)
            if candidate is not None:
                yield candidate


def _by_own(lines: RawLines, places: Places, own: Sequence[Rule]) -> Iterator[Candidate]:
    start = 0
    while start < len(lines.content):
        line = lines.at(start)
        start = line.end + 1
        match = next((rule for rule in own if rule.search(line.text)), None)
        if match is not None and not line.echo and not places.is_script(line.start):
            yield Candidate(line, line.text, match, match.strength, match.cause)


def _candidate(
    lines: RawLines, places: Places, line: RawLine, *, thorough: bool = False, known: Rule | None = None
) -> Candidate | None:
    if not line.text or line.echo or places.is_script(line.start) or _NOISE.match(line.text):
        return None
    message = message_of(line.text)
    if message != line.text and _NOISE.match(message):
        return None
    found = known or _matching(message, None if thorough else line.text.lower())
    if found is not None and found.below is not None and not _stands_above(lines, line, found.below):
        found = _matching(message, line.text.lower())
    annotated = line.text.startswith("##[error]")
    if annotated and message.strip() and (found is None or 26 < found.strength < _ANNOTATED.strength):
        found = _ANNOTATED
    if found is None:
        return None
    return _weighed(lines, Candidate(line, message, found, found.strength, found.cause))


def _stands_above(lines: RawLines, line: RawLine, below: re.Pattern[str]) -> bool:
    return any(below.match(message_of(each.text)) for each in lines.after(line.end, 1))


def _matching(message: str, lower: str | None = None) -> Rule | None:
    """The rule of a message; where ``lower`` is given, only of those whose words are in it."""
    for each in RULES:
        if lower is not None:
            for need in each.needs:
                if need in lower:
                    break
            else:
                continue
        if each.search(message):
            return each
    return None


def _weighed(lines: RawLines, candidate: Candidate) -> Candidate:
    """The candidate with what its message or the lines before it say more exactly."""
    name, message = candidate.rule.name, candidate.message
    if name in {"assertion", "pytest-detail"} and NUMBERS.match(message):
        cause = compared_cause(lines, candidate.line, message)
        if cause is not None:
            return candidate._replace(strength=74, cause=cause)
    if name in {"pytest-failed", "pytest-error"} and " - " in message:
        return _by_reason(candidate)
    if name in HEADERS and _follows_from_another(lines, candidate):
        return candidate._replace(strength=_FOLLOWING)
    if name != "pytest-consistent" and message.startswith(("FAILED ", "ERROR ")) and "::" in message:
        return candidate._replace(strength=candidate.strength + 2)
    if name == "exception" and not _has_traceback(lines, candidate.line):
        return candidate._replace(strength=36)
    return candidate


def _by_reason(candidate: Candidate) -> Candidate:
    """A line of pytest's summary whose reason says more than that a test failed."""
    reason = candidate.message.split(" - ", 1)[1]
    known = _matching(reason)
    if known is not None and known.wrapper:
        return candidate._replace(strength=_FOLLOWING)
    if known is not None and known.strength >= 66 and known.cause not in {Cause.LINT, Cause.CONFIGURATION}:
        return candidate._replace(strength=known.strength + 2, cause=known.cause)
    if COMPARISON.search(reason):
        cause = measured_cause((reason, candidate.message))
        if cause is not None:
            return candidate._replace(strength=77, cause=cause)
    return candidate._replace(strength=candidate.strength + 2)


def reason_below(lines: RawLines, line: RawLine) -> str | None:
    """What the test failed with whose heading is ``line``: the first exception before the next heading."""
    for below in lines.after(line.end, 200):
        if below.text.startswith(("=====", "_____", "FAIL: ", "ERROR: ")):
            return None
        words = below.text.removeprefix("E ").strip()
        named = words.split(":", 1)[0].rsplit(".", 1)[-1]
        if not below.text.startswith("  ") and named.endswith(("Error", "Exception")):
            return words
    return None


def _follows_from_another(lines: RawLines, candidate: Candidate) -> bool:
    """Whether a test failed only because something else had, such as the server that it needs."""
    reason = reason_below(lines, candidate.line)
    known = _matching(reason) if reason else None
    return known is not None and known.wrapper


def _has_traceback(lines: RawLines, line: RawLine) -> bool:
    """Whether an exception's line ends a traceback that was not ignored on purpose."""
    above = lines.before(line.start, 1)
    if not above or not above[0].text.startswith((" ", "\t")):
        return False
    for each in lines.before(line.start, 40):
        if each.text.startswith("Traceback (most recent call last)"):
            ignored = lines.before(each.start, 1)
            return not (ignored and ignored[0].text.startswith(("Exception ignored in", "Error in atexit")))
    return True
