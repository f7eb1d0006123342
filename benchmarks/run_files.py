"""The files of a run beside its worker logs: metadata, configurations, request metrics, frontend log."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from benchmarks.plan import Plan, worker_counts
from benchmarks.prefixes import Clock
from benchmarks.server_args import MODEL, worker_config
from benchmarks.worker_log import WorkerLog
from benchmarks.workload import MEAN_INPUT, MEAN_OUTPUT, Request

METRICS_REQUESTS: Final = 2000
"""Requests whose times are exported; a benchmark exports a part, not hours of them."""
FRONTEND_REQUESTS: Final = 20_000


class RequestSink:
    """Where finished requests are recorded: totals, the frontend's log and the exported request metrics."""

    def __init__(self, logs_dir: Path, clock: Clock, first_number: int) -> None:
        self.totals: Counter[str] = Counter()
        self.frontend = WorkerLog(logs_dir / "cn00_frontend_0.out", clock)
        self._clock = clock
        self._first = first_number
        stamp = clock.start.strftime("%Y%m%d_%H")
        self._metrics = (logs_dir / f"sglang-request-metrics-{stamp}.log").open("w")

    def finished(self, request: Request) -> None:
        """Record one finished request."""
        self.totals["requests"] += 1
        self.totals["input_tokens"] += request.input_tokens
        self.totals["cached_tokens"] += request.cached
        self.totals["output_tokens"] += request.output_tokens
        if self.totals["requests"] <= FRONTEND_REQUESTS:
            took_ms = (request.finished - request.arrived) * 1000
            name = f"gnt-{self._first + request.number:012x}"
            line = (
                f"\x1b[2m{self._clock.iso(request.finished)}\x1b[0m \x1b[32m INFO\x1b[0m "
                f"http-request{{method=POST uri=/generate request_id={name}}}: "
                f"router: finished processing request status=200 OK latency={took_ms:.0f}ms\n"
            )
            self.frontend.add(request.finished, line, "access")
        if self.totals["requests"] <= METRICS_REQUESTS:
            self._metrics.write(json.dumps(_metrics_record(request, self._clock, self._first)) + "\n")

    def close(self) -> None:
        """Finish both files."""
        self.frontend.close()
        self._metrics.close()


def _metrics_record(request: Request, clock: Clock, first: int) -> dict[str, Any]:
    delay = 0.0004 + request.number % 7 * 0.0001
    return {
        "timestamp": clock.iso(request.finished),
        "rid": f"{first + request.number:032x}",
        "prompt_tokens": request.input_tokens,
        "completion_tokens": request.output_tokens,
        "cached_tokens": request.cached,
        "queue_time": round(request.prefill_started - request.arrived, 6),
        "prefill_launch_delay": round(delay, 6),
        "prefill_launch_latency": round(request.prefill_ended - request.prefill_started - delay, 6),
        "inference_time": round(request.finished - request.prefill_started, 6),
        "e2e_latency": round(request.finished - request.arrived + 0.003, 6),
        "request_parameters": json.dumps({"temperature": 0.6, "max_new_tokens": request.output_tokens}),
    }


def _metadata(plan: Plan) -> dict[str, Any]:
    counts = worker_counts(plan.options.topology)
    gpus = {launch.role: launch.tp for launch in plan.launches}
    resources: dict[str, Any] = {"gpu_type": "gb200", "gpus_per_node": 4}
    for role in ("prefill", "decode", "agg"):
        workers = counts.get(role)
        resources[f"{role}_nodes"] = workers and workers * gpus[role] // 4
        resources[f"{role}_workers"] = workers
        resources[f"gpus_per_{role}"] = gpus.get(role)
    return {
        "version": "2.0",
        "orchestrator": "slurm",
        "job_id": plan.job_id,
        "job_name": f"deepseek-r1-{plan.options.topology.lower()}",
        "generated_at": plan.start.strftime("%Y-%m-%d %H:%M:%S"),
        "model": {"path": MODEL, "container": "lmsysorg/sglang:latest", "precision": "fp8"},
        "resources": resources,
        "backend_type": "sglang",
        "frontend_type": "sglang",
        "benchmark": {"type": "sa-bench", "isl": int(MEAN_INPUT), "osl": int(MEAN_OUTPUT)},
        "tags": ["generated"],
    }


def write_run_files(plan: Plan, run_dir: Path) -> None:
    """Write what describes the run, outside and inside ``logs``."""
    logs = run_dir / "logs"
    (run_dir / f"{plan.job_id}.json").write_text(json.dumps(_metadata(plan), indent=2) + "\n")
    (run_dir / "config.yaml").write_text(
        f"name: deepseek-r1-{plan.options.topology.lower()}\nmodel:\n  path: {MODEL}\n  precision: fp8\n"
        f"benchmark:\n  type: sa-bench\n  isl: {int(MEAN_INPUT)}\n  osl: {int(MEAN_OUTPUT)}\n"
    )
    (run_dir / "sbatch_script.sh").write_text(
        f"#!/bin/bash\n#SBATCH --job-name=deepseek-r1\n#SBATCH --nodes={len(plan.launches) + 1}\n"
        "srun --output=logs/log.out ./start_workers.sh\n"
    )
    (logs / f"sweep_{plan.job_id}.log").write_text(f"job {plan.job_id}: all workers healthy, benchmark started\n")
    for launch in plan.launches:
        content = json.dumps(worker_config(launch, plan.dialect), indent=1)
        (logs / f"{launch.node}_{launch.role}_config.json").write_text(content + "\n")
