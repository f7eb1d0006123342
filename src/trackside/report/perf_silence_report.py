"""Series that stopped: a table of them, and the renames that would explain it."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.perf.silence import Silence
from trackside.report.ci_sections import Section
from trackside.report.perf_change_words import REASONS, silence_words


def silence_sections(silence: Silence, top: int) -> Iterator[Section]:
    """What has no value any more, whole jobs first, and the entries of the settings that would join old and new."""
    if not silence.runs:
        yield Section(
            title="Series that stopped",
            notes=("No run of the default branch or of a schedule ended in the window: what stopped cannot be told.",),
        )
        return
    if silence.jobs:
        yield Section(
            title="Jobs that measure nothing any more",
            headings=("Job", "Series", "Runs Without", "Last Value", "Why", "First Run Without"),
            rows=tuple(
                (
                    f"{one.workflow} / {one.job}", one.series, one.runs_without, one.last_at, REASONS[one.reason],
                    one.since_url,
                )
                for one in silence.jobs[:top]
            ),
            notes=_left_out(len(silence.jobs) - top, "job"),
        )  # fmt: skip
    whole = {(one.workflow, one.job) for one in silence.jobs}
    single = [one for one in silence.series if (one.workflow, one.job) not in whole]
    if single:
        yield Section(
            title="Series that stopped",
            headings=("Series", "Runs Without", "Last Value", "What of Its Job", "First Run Without"),
            rows=tuple(
                (one.series, one.runs_without, one.last_at, silence_words(one), one.since_url) for one in single[:top]
            ),
            notes=_left_out(len(single) - top, "series"),
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


def _left_out(count: int, noun: str) -> tuple[str, ...]:
    return (f"Not listed: {count:,} more; --top or --format json shows every {noun}.",) if count > 0 else ()
