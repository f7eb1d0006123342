"""The failure report of SGLang's CI, under the path that its workflows call: ``ci_analyzer.py --help`` tells more."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    try:
        from trackside.cli.ci_analyzer import main
    except ImportError as error:
        root = Path(__file__).resolve().parent.parent.parent
        sys.exit(f"The package trackside is not installed here ({error}); install it with: pip install {root}")
    main()
