"""The process beside this one: it ends when the work is done, when it failed, and with the process it works for."""

from __future__ import annotations

import subprocess
import sys
import time

FAILING = """
import os, sys, time
os.sched_getaffinity = lambda _pid: {0, 1}
from trackside.engine import second_process as module
module.available_cores = lambda: 2
def main():
    with module.second_process() as elsewhere:
        module.begin(elsewhere, time.sleep, 60)
        late = module.begin(elsewhere, time.sleep, 60)
        if sys.argv[1] == "started":
            module.begin(elsewhere, os.getpid)
            time.sleep(0.3)
        raise ValueError("why")
if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.exit(f"Error: {error}")
"""
WORKING = FAILING.replace('raise ValueError("why")', "print(module.begin(elsewhere, abs, -7)())").replace(
    "sleep, 60", "sleep, 0"
)

KILLED = """
import concurrent.futures, os
from trackside.engine import second_process as module
module.available_cores = lambda: 2
if __name__ == "__main__":
    with module.second_process() as elsewhere:
        concurrent.futures.wait([elsewhere.submit(os._exit, 1)])
        print(module.begin(elsewhere, abs, -7)())
"""


def ended(code: str, *arguments: str) -> tuple[int, str, str, float]:
    began_s = time.monotonic()
    told = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=50, check=False
    )
    return told.returncode, told.stdout, told.stderr, time.monotonic() - began_s


def test_what_failed_here_is_all_that_is_said_and_nothing_is_waited_for() -> None:
    for how in ("started", "at once", "at once", "at once"):
        code, out, said, took_s = ended(FAILING, how)
        assert (code, out, said) == (1, "", "Error: why\n")
        assert took_s < 30


def test_what_was_begun_is_done_before_it_ends() -> None:
    assert ended(WORKING, "started")[:3] == (0, "7\n", "")


def test_work_that_comes_after_the_end_of_the_other_process_is_done_here() -> None:
    assert ended(KILLED)[:3] == (0, "7\n", "")
