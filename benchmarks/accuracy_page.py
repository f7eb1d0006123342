"""The page of accuracy figures: each benchmark writes its own section and leaves the others as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"
_HEADING: Final = "\n## "


def write_section(text: str) -> None:
    """Puts ``text``, which begins with its heading ``## …``, in place of the section of that heading, else last."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else "# Accuracy\n"
    before, _, rest = f"{page}\n".partition(f"{text.partition(chr(10))[0]}\n")
    after = rest.partition(_HEADING)[2]
    parts = [before.rstrip(), text.rstrip(), *([f"## {after.rstrip()}"] if after else [])]
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(PAGE)
