"""The performance report of SGLang's CI, under the path that its workflows call: see ``ci_analyzer_perf.py --help``."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    try:
        from trackside.cli.ci_analyzer_perf import main
    except ImportError as error:
        root = Path(__file__).resolve().parent.parent.parent
        sys.exit(f"The package trackside is not installed here ({error}); install it with: pip install {root}")
    main()
