"""Generate a realistic SGLang run: worker logs of a simulated cluster, its metadata and the truth.

    python benchmarks/generate_run.py OUT [--size 300MB] [--topology 6P2D] [--dialect 2026-05] [--hostile]

writes ``OUT/<jobid>/`` and prints that path. The same options give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.aggregated import AggregatedRank
from benchmarks.disaggregated import DecodeRank, PrefillRank
from benchmarks.events import Events
from benchmarks.hostile import plant_hostile
from benchmarks.line_forms import DIALECTS
from benchmarks.plan import Options, Plan, plan_run, size_bytes, worker_counts
from benchmarks.prefixes import PREFIXES, TAG_PARTS, Clock
from benchmarks.run_files import RequestSink, write_run_files
from benchmarks.startup import DURATION_S, log_startup
from benchmarks.worker import Worker
from benchmarks.worker_log import WorkerLog
from benchmarks.workload import Request, arrivals

HOT_SHARE = 0.35
"""How much more than its share one decode rank gets."""
_HEALTH_S = 10.0
_STDERR = (
    "/opt/venv/lib/python3.12/site-packages/torchao/quantization/quant_api.py:1731: SyntaxWarning: "
    "invalid escape sequence '\\.'\n"
    "[Gloo] Rank 0 is connected to 7 peer ranks. Expected number of connected peer ranks is : 7\n"
)


def generate_run(out: Path, options: Options) -> Path:
    """Write one run below ``out`` and return its directory; ``truth.json`` in it says what was written."""
    plan = plan_run(options)
    run_dir = out / plan.job_id
    logs_dir = run_dir / "logs"
    logs_dir.mkdir(parents=True, exist_ok=True)
    write_run_files(plan, run_dir)
    clock = Clock(plan.start)
    workers = _start_workers(plan, logs_dir, clock)
    sink = RequestSink(logs_dir, clock, options.seed * 1_000_003 + 7)
    load_begin = DURATION_S + 25.0
    end = _serve(plan, workers, Events(sink.finished), load_begin)
    for worker in workers:
        worker.log.close()
    sink.close()
    truth = _truth(plan, workers, sink, clock.at(load_begin), end)
    _write_stderr(plan, logs_dir, truth)
    if options.hostile:
        plant_hostile(logs_dir, truth, random.Random(f"{options.seed}/hostile"))
    (run_dir / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    return run_dir


def _start_workers(plan: Plan, logs_dir: Path, clock: Clock) -> list[Worker]:
    head = PREFIXES[plan.options.prefix](clock)
    workers = []
    for launch in plan.launches:
        rng = random.Random(f"{plan.options.seed}/{launch.name}")
        worker = Worker(launch, WorkerLog(logs_dir / f"{launch.name}.out", clock), head, plan.dialect, rng)
        log_startup(worker, rng.uniform(0, 20))
        workers.append(worker)
    return workers


def _router(plan: Plan, workers: list[Worker], events: Events) -> Callable[[Request], None]:
    """Sends each request on its way: prefill ranks in turn, decode ranks in turn with one favoured."""
    rate = plan.prefill_tokens_per_s
    rng = random.Random(f"{plan.options.seed}/router")

    def ranks(role: str) -> list[tuple[Worker, int]]:
        return [(w, dp) for w in workers if w.launch.role == role for dp in range(w.launch.dp)]

    prefill = [PrefillRank(worker, dp, rate, events) for worker, dp in ranks("prefill")]
    decode = [DecodeRank(worker, dp, events) for worker, dp in ranks("decode")]
    both = [AggregatedRank(worker, dp, rate, events) for worker, dp in ranks("agg")]

    def send(request: Request) -> None:
        count = len(decode) or len(both)
        hot = rng.random() < HOT_SHARE / count
        index = 1 % count if hot else request.number % count
        if both:
            both[index].arrive(request.arrived, request)
            return
        request.prefill = prefill[request.number % len(prefill)]
        request.decode = decode[index]
        request.decode.arrive(request.arrived, request)

    return send


def _serve(plan: Plan, workers: list[Worker], events: Events, begin_s: float) -> float:
    """Run the load to its end; returns the time after the last line."""
    send = _router(plan, workers, events)
    end_s = begin_s + plan.shape.load_s + 15.0

    def check(time_s: float, worker: Worker) -> None:
        worker.health(time_s)
        if time_s + _HEALTH_S < end_s:
            events.put(time_s + _HEALTH_S, check, worker)

    for number, worker in enumerate(workers):
        events.put(begin_s - 5 + number * 0.2, check, worker)
    for request in arrivals(plan.shape, begin_s, random.Random(f"{plan.options.seed}/arrivals")):
        events.run_until(request.arrived)
        send(request)
    events.run_until(float("inf"))
    return end_s


def _truth(plan: Plan, workers: list[Worker], sink: RequestSink, load_begin: str, end_s: float) -> dict[str, Any]:
    files = {worker.log.path.name: worker.log.truth() for worker in workers}
    files[sink.frontend.path.name] = sink.frontend.truth()
    stamps = [files[worker.log.path.name] for worker in workers]
    return {
        "truth_version": 1,
        "options": plan.options._asdict(),
        "job_id": plan.job_id,
        "topology": plan.options.topology,
        "workers": worker_counts(plan.options.topology),
        "decode_log_interval": 40,
        "load_begin": load_begin,
        "load_s": plan.shape.load_s,
        "idle_s": list(plan.shape.idle),
        "first_stamp": min(file["first_stamp"] for file in stamps),
        "last_stamp": max(file["last_stamp"] for file in stamps),
        **{name: sink.totals[name] for name in ("requests", "input_tokens", "cached_tokens", "output_tokens")},
        "files": files,
    }


def _write_stderr(plan: Plan, logs_dir: Path, truth: dict[str, Any]) -> None:
    for launch in plan.launches:
        if launch.number == 0:
            name = f"{launch.name}.err"
            (logs_dir / name).write_text(_STDERR)
            truth["files"][name] = {"bytes": len(_STDERR), "lines": _STDERR.count("\n"), "planted": []}


def _parse_arguments(argv: list[str] | None) -> tuple[Path, Options]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="directory in which <jobid>/ is made")
    parser.add_argument("--size", type=size_bytes, help="bytes of worker logs, for example 300MB")
    parser.add_argument("--minutes", type=float, help="minutes of load (default: 48, or what --size needs)")
    parser.add_argument("--topology", default="6P2D", help="for example 6P2D or 8A")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="2026-01")
    parser.add_argument("--prefix", choices=sorted(PREFIXES), default="bracket")
    parser.add_argument("--tags", choices=sorted(TAG_PARTS), help="ranks named in the tag (default: dp-tp-ep)")
    parser.add_argument("--hostile", action="store_true", help="plant damaged lines and files")
    given = parser.parse_args(argv)
    options = Options(
        given.topology,
        given.size,
        given.minutes,
        given.seed,
        given.dialect,
        given.prefix,
        given.tags,
        given.hostile,
    )
    return given.out, options


def main(argv: list[str] | None = None) -> None:
    """Generate a run and print its path."""
    out, options = _parse_arguments(argv)
    print(generate_run(out, options).resolve())


if __name__ == "__main__":
    main()
