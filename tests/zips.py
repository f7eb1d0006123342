"""ZIPs as artifacts are, written in one go."""

from __future__ import annotations

import io
import zipfile


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP with these members, the same bytes whenever it is made."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as writer:
        for name, content in members:
            writer.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return file.getvalue()
