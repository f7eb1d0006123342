"""How many failures the shipped rules suggest a fix for, and how often that is the right one.

``python benchmarks/agents_fix_accuracy.py`` writes the section "Suggested fixes" of docs/accuracy.md; ``--show`` prints
what is suggested for each log.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_page import write_section  # noqa: E402
from benchmarks.failure_accuracy import Outcome, real_outcomes, share, written_outcomes  # noqa: E402
from trackside.fixes.suggestions import FIXES, suggest  # noqa: E402

ORDINARY: Final = ROOT / "tests" / "ordinary_lines.txt"
PARTLY: Final = frozenset(
    {
        ("pip_wheel_build_failure", "wheel-build"), ("setuptools-wheel", "wheel-build"),
        ("host-memory-python", "host-memory"),
    }
)  # fmt: skip
"""What names the right place and not the cause: it stands further above, or is an array of a wrong shape."""
WRONG: Final[frozenset[tuple[str, str]]] = frozenset()
"""What would lead astray."""
RIGHT: Final = frozenset(
    {
        ("action_archive_download_failure", "action-download"), ("aws_credentials_load_failure", "cloud-credentials"),
        ("dirty_checkout", "checkout-dirty"), ("docker_manifest_unknown", "image-missing"),
        ("gha_cancellation_shutdown", "runner-shutdown"), ("ghstack_cherry_pick", "merge-conflict"),
        ("ghstack_out_of_sync", "branch-out-of-date"), ("lint_lintrunner", "linter"),
        ("python_importerror_name", "python-name-missing"), ("python_test_keyboardinterrupt", "test-time-limit"),
        ("test_file_timeout", "test-time-limit"), ("uv_python_download_failed", "connection-dropped"),
        ("pytest-collection-error", "python-name-missing"), ("pytest-timeout-plugin", "test-time-limit"),
        ("suite-runner-file-timeout", "test-time-limit"), ("cuda-oom-then-sigquit", "gpu-memory"),
        ("hip-oom", "gpu-memory"), ("vllm-not-enough-kv", "gpu-memory-cache"), ("host-oom-killed", "host-memory"),
        ("cc1plus-killed", "host-memory"), ("nccl-watchdog", "collective-timeout"),
        ("cuda-illegal-access", "kernel-fault"), ("no-gpu", "device-missing"), ("nvidia-smi-driver", "driver-lost"),
        ("pip-conflict", "python-conflict"), ("pip-no-matching", "pip-no-match"),
        ("uv-unsatisfiable", "python-conflict"), ("npm-eresolve", "npm-peer-conflict"),
        ("apt-missing", "apt-package-missing"), ("hf-429", "hub-rate-limit"), ("api-rate-limit", "api-rate-limit"),
        ("curl-dns", "host-name"), ("git-fetch-network", "connection-dropped"),
        ("docker-pull-timeout", "connection-dropped"), ("artifact-missing", "artifact-missing"),
        ("job-time-limit", "job-time-limit"), ("step-timeout", "step-time-limit"),
        ("timeout-command-124", "command-time-limit"), ("runner-lost", "runner-lost"),
        ("disk-full-docker", "disk-full"), ("secret-missing", "registry-login"),
        ("permission-integration", "token-permission"), ("action-not-found", "action-unresolved"),
        ("command-not-found", "command-not-found"), ("ruff-findings", "linter"), ("pre-commit-hook", "formatter"),
        ("mypy-error", "types"), ("segfault-python", "segfault"), ("server-health-timeout", "server-not-up"),
        ("port-in-use", "port-in-use"), ("merge-conflict", "merge-conflict"),
        ("torch-oom-in-server-then-assert", "gpu-memory"), ("sglang-not-enough-memory", "gpu-memory-cache"),
        ("worker-killed-137", "host-memory"), ("jenkins-style-exit-137", "host-memory"),
        ("nccl-unhandled", "collective-error"), ("xid", "device-broken"), ("rocm-hsa", "kernel-fault"),
        ("driver-mismatch", "driver-version"), ("device-side-assert", "kernel-fault"),
        ("clang-fatal", "header-missing"), ("tsc", "types"), ("conda-unsat", "conda-package-missing"),
        ("module-not-found", "python-module-missing"), ("pip-hash", "pip-hashes"),
        ("dockerhub-limit", "image-rate-limit"), ("secondary-limit", "secondary-rate-limit"),
        ("hf-timeout", "connection-dropped"), ("wget-504", "connection-dropped"), ("apt-fetch", "connection-dropped"),
        ("submodule-fetch", "connection-dropped"), ("upload-artifact-failed", "artifact-transfer"),
        ("max-time-days", "job-time-limit"), ("subprocess-timeout", "command-time-limit"),
        ("runner-shutdown", "runner-shutdown"), ("hosted-runner-lost", "runner-lost"),
        ("disk-full-python", "disk-full"), ("concurrency-cancel", "superseded"),
        ("checkout-ref-missing", "branch-missing"), ("publickey", "ssh-key-missing"),
        ("action-yml", "action-without-checkout"), ("input-missing", "input-missing"), ("oidc", "oidc-trust"),
        ("shell-no-file", "file-missing"), ("argparse", "arguments"), ("black", "formatter"), ("eslint", "linter"),
        ("clang-format", "formatter"), ("generated-files", "generated-files"), ("xdist-crash", "worker-crashed"),
        ("coverage", "coverage"), ("segfault-shell", "segfault"), ("fake-retry-success-then-lint", "linter"),
        ("pt-segv", "segfault"), ("docker-oom-build", "host-memory"), ("health", "server-not-up"),
        ("mypy-with-summary", "types"),
    }
)  # fmt: skip
"""What would mend the failure, or is the next thing to do: judged by reading each log beside its suggestion."""

TEMPLATE: Final = """\
## Suggested fixes

Made by `python benchmarks/agents_fix_accuracy.py`. {rules} rules suggest what to do about a failure, by the diagnosis
of its log; where none fits, nothing is suggested.

| logs | failures | with a suggestion | suggestions | right | partly right | wrong | not judged |
|---|---|---|---|---|---|---|---|
{rows}

*Right* would mend the failure or is the next thing to do, *partly right* names the place and not the cause, *wrong*
leads astray; judged by reading the excerpt beside its suggestion. Who judged also wrote the rules, and mended those
that led astray in these logs before they were measured, so a stranger's logs will do worse. A job that was cancelled
and failures of a project's own code get no suggestion, as no general advice helps; of the real logs these are
{without}.

Of {ordinary} lines that logs are full of whether or not a job fails, {alarms} would get a suggestion if it stood beside
a line that tells nothing.
"""


class Suggested(NamedTuple):
    """A log and the rules that suggest something for it."""

    name: str
    rules: tuple[str, ...]


def suggested(outcomes: list[Outcome]) -> list[Suggested]:
    """What is suggested for each diagnosed log."""
    return [
        Suggested(
            each.name,
            tuple(
                one.rule_id
                for one in suggest(
                    cause=each.told.cause.value,
                    rule=each.told.rule,
                    line=each.told.line,
                    context=each.told.context,
                )
            ),
        )
        for each in outcomes
    ]


def judged(logs: list[Suggested]) -> Counter[str]:
    """How many suggestions are right, partly right, wrong and not judged."""
    verdicts = ((RIGHT, "right"), (PARTLY, "partly"), (WRONG, "wrong"))
    pairs = [(log.name, rule) for log in logs for rule in log.rules]
    return Counter(next((word for known, word in verdicts if pair in known), "not judged") for pair in pairs)


def false_alarms() -> tuple[int, int]:
    """Of how many ordinary lines a fix is suggested, and how many there are."""
    lines = [line for line in ORDINARY.read_text(encoding="utf-8").splitlines() if line]
    return sum(bool(suggest(cause=None, rule=None, line=line)) for line in lines), len(lines)


def section() -> str:
    """The section as Markdown."""
    real = suggested(real_outcomes())
    rows = [
        *([_row("real, marked", real)] if real else []),
        _row("written, frozen half", suggested(written_outcomes("frozen"))),
        _row("written, develop half", suggested(written_outcomes("develop"))),
    ]
    alarms, ordinary = false_alarms()
    return TEMPLATE.format(
        rules=len(FIXES),
        rows="\n".join(rows),
        without=", ".join(f"`{log.name}`" for log in real if not log.rules) or "none",
        ordinary=ordinary,
        alarms=alarms,
    )


def _row(name: str, logs: list[Suggested]) -> str:
    total = sum(len(log.rules) for log in logs)
    known = judged(logs)
    told = [known[word] for word in ("right", "partly", "wrong", "not judged")]
    cells = [name, len(logs), share(sum(bool(log.rules) for log in logs), len(logs)), total, *told]
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Measures and writes the section into the page, or prints what is suggested."""
    if "--show" in sys.argv:
        for log in suggested([*real_outcomes(), *written_outcomes("frozen"), *written_outcomes("develop")]):
            print(f"{log.name}: {', '.join(log.rules) or '-'}")
        return
    write_section(section())


if __name__ == "__main__":
    main()
