"""The files of CI below ``data/``: the same documents that the commands print."""

from __future__ import annotations

from collections.abc import Iterator

from trackside.report.ci_causes_report import causes_json
from trackside.report.ci_flaky_report import flaky_json
from trackside.report.ci_minutes_report import minutes_json
from trackside.report.ci_queue_report import queue_json
from trackside.report.ci_rates_report import rates_json
from trackside.report.ci_runners_report import runners_json
from trackside.report.ci_streaks_report import streaks_json
from trackside.site.facts import SiteFacts


def ci_data(facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """Files below ``data/`` as (path, content); none where nothing of CI is known.

    Each is what ``trackside ci NAME --format json`` prints, in ASCII with a newline at its end.
    """
    ci = facts.ci
    if ci is None:
        return
    repo, span = ci.history.repo, ci.span
    documents = {
        "streaks": streaks_json(ci.streaks),
        "flaky": flaky_json(ci.flaky),
        "causes": causes_json(repo, ci.verdicts, ci.groups),
        "rates": rates_json(ci.rates),
        "queue": queue_json(repo, span, ci.waiting, facts.until),
        "runners": runners_json(repo, span, ci.runners),
        "minutes": minutes_json(repo, span, ci.minutes),
    }
    for name, document in documents.items():
        yield f"ci-{name}.json", f"{document}\n".encode()
