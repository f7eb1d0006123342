"""Generated runs kept between benchmarks, each under the options and the generator that made it."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Final

from benchmarks.generate_run import generate_run
from benchmarks.plan import Options, plan_run

_OTHERS: Final = {
    "accuracy", "commands", "demo", "figures", "page_speed", "parse_speed", "process_tree", "run_cache", "speed",
}  # fmt: skip
_GENERATOR: Final = sorted(path for path in Path(__file__).parent.glob("*.py") if path.stem not in _OTHERS)


def cached_run(work_dir: Path, options: Options) -> Path:
    """The run of these options, generated unless it is there already."""
    content = b"".join(path.read_bytes() for path in _GENERATOR) + repr(options).encode()
    out = work_dir / hashlib.sha256(content).hexdigest()[:16]
    run_dir = out / plan_run(options).job_id
    if not (run_dir / "truth.json").exists():
        print(f"generating {options} ...", file=sys.stderr, flush=True)
        generate_run(out, options)
    forget_results(run_dir)
    return run_dir


def forget_results(run_dir: Path) -> None:
    """Remove what earlier parses left, so that the next one is cold."""
    for left in run_dir.rglob("cached_assets"):
        shutil.rmtree(left)


def worker_files(run_dir: Path) -> list[Path]:
    """The log files that a parse reads as workers."""
    return sorted(path for path in (run_dir / "logs").glob("*_w*.*") if path.suffix in {".out", ".err"})
