"""What other projects' finders say of the same series: Apache Otava, and two finders of ruptures.

They are run in an environment of their own, ``.venv-oracles`` (``scripts/oracles.sh`` makes it): series go in and
answers come out as JSON. This file is the program that runs there too, so it imports nothing of this project.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Final

PYTHON: Final = Path(__file__).resolve().parent.parent / ".venv-oracles" / "bin" / "python"
ABSENT: Final = f"no oracles at {PYTHON.parent.parent} (scripts/oracles.sh installs them)"
OTAVA: Final = "otava"
KERNEL: Final = "ruptures"
SQUARES: Final = "ruptures, least squares"
Answers = dict[str, list[list[int]]]
"""For each finder the indices of the changes of each series, the first value of the new level each."""


def ask(series: Sequence[Sequence[float]]) -> Answers:
    """The answers of all finders; PYTHON must be there."""
    asked = json.dumps([list(map(float, values)) for values in series])
    done = subprocess.run([PYTHON, __file__], input=asked, capture_output=True, text=True, check=True)
    answers: Answers = json.loads(done.stdout)
    return answers


def _otava(values: list[float]) -> list[int]:
    """As it comes: p up to 0.001, windows of 50."""
    from otava.series import AnalysisOptions, Metric, Series  # type: ignore[import-not-found]

    series = Series("test", None, list(range(len(values))), {"value": Metric()}, {"value": values}, {})
    return [int(point.index) for point in series.analyze(AnalysisOptions()).change_points["value"]]


def _kernel(values: list[float]) -> list[int]:
    """With a Gaussian kernel, at least 3 values to a level and a penalty of 3 ln n."""
    import numpy as np
    import ruptures  # type: ignore[import-not-found]

    finder = ruptures.KernelCPD(kernel="rbf", min_size=3).fit(np.asarray(values))
    return [int(place) for place in finder.predict(pen=3 * log(len(values)))[:-1]]


def _squares(values: list[float]) -> list[int]:
    """By least squares, at least 3 values to a level and a penalty of 4 ln n times the variance of neighbours."""
    import numpy as np
    import ruptures

    row = np.asarray(values)
    finder = ruptures.Pelt(model="l2", min_size=3, jump=1).fit(row)
    variance = float(np.square(np.diff(row)).mean()) / 2
    return [int(place) for place in finder.predict(pen=4 * log(len(values)) * variance)[:-1]]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    finders = {OTAVA: _otava, KERNEL: _kernel, SQUARES: _squares}
    json.dump({name: [finder(one) for one in asked] for name, finder in finders.items()}, sys.stdout)
