"""Series that stopped: a table of them, and the renames that would explain it."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.perf.silence import Silence, silent_entries
from trackside.report.perf_change_words import silence_words
from trackside.report.sections import Section


def silence_sections(silence: Silence, top: int) -> Iterator[Section]:
    """What has no value any more, and the entries of the settings that would join old and new.

    Whole jobs come first; several series of a test are one row.
    """
    if not silence.runs:
        yield Section(
            title="Series that stopped",
            notes=("No run of the default branch or of a schedule ended in the window: what stopped cannot be told.",),
        )
        return
    entries = silent_entries(silence)
    if entries:
        yield Section(
            title="Series that stopped",
            headings=("What", "Series", "Runs Without", "Last Value", "What of Its Job", "First Run Without"),
            rows=tuple(
                (name, count, one.runs_without, one.last_at, silence_words(one), one.since_url)
                for name, count, one in entries[:top]
            ),
            notes=_left_out(len(entries) - top),
        )
    if silence.proposals:
        yield Section(
            title="Renames that would explain it",
            headings=("Of", "Old", "New", "Alike"),
            rows=tuple((one.kind, one.old, one.new, f"{one.likeness:.0%}") for one in silence.proposals[:top]),
            notes=(
                "Where one is right, this in trackside.toml joins the old and the new; the same for the others:",
                *silence.proposals[0].toml.split("\n"),
            ),
        )
    if silence.ended:
        yield Section(
            title="Series that were given up",
            notes=(f"{silence.ended:,} stopped that `ended` of [perf] names: no alarm.",),
        )


def _left_out(count: int) -> tuple[str, ...]:
    return (f"Not listed: {count:,} more; --top or --format json shows them.",) if count > 0 else ()
