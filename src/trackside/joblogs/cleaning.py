"""Raw lines of a job's log as text that a person may read: no stamps, no colours, no secrets."""

from __future__ import annotations

import re
from typing import Final

MAX_CHARS: Final = 2000
"""Characters of a line that are looked at; what is longer is data that was printed, not a message."""

STAMP: Final = re.compile(rb"(?:\xef\xbb\xbf)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z(?: |(?=\r?\n?\Z))")
"""What GitHub writes before each line: an RFC3339 stamp and a space; group 1 is the stamp to the second."""

# Colour and cursor sequences, then titles and links (OSC, DCS), then the short escapes.
_ESCAPES: Final = re.compile(
    rb"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b[\]PX^_][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?|\x1b[ -/]{0,4}[0-~]|\x1b"
)
_CONTROLS: Final = bytes(code for code in range(32) if code != 9) + b"\x7f"
_C1: Final = dict.fromkeys([*range(0x80, 0xA0), 0xFEFF, 0x200B, 0x2028, 0x2029, *range(0x202A, 0x202F)])
_RAW_LIMIT: Final = MAX_CHARS * 8

_GROUP: Final = r"(?P<kept>"
_SECRETS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<![A-Za-z0-9])(?:gh[oprsu]_\w{16,255}|github_pat_\w{16,255}|glpat-[\w-]{16,255}|hf_[A-Za-z0-9]{16,255})",
        r"(?<![A-Za-z0-9])(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,255}",
        r"\b(?:A[KS]IA|AROA|AIDA)[0-9A-Z]{12,128}\b",
        r"\bsk-[\w-]{16,255}|\bxox[a-z]-[\w-]{10,255}|\bnpm_\w{30,255}|\bpypi-[\w-]{16,255}|\bAIza[\w-]{30,255}",
        r"\beyJ[\w-]{8,2000}\.[\w-]{8,2000}(?:\.[\w-]{0,2000})?",
        _GROUP + r"\bhooks\.slack\.com/(?:services|workflows)/)\S{1,255}",
        _GROUP
        + r"(?i:\b(?:proxy-)?authorization['\"]?\s{0,3}[:=]\s{0,3}['\"]?)(?i:(?:bearer|basic|token|digest)\s+)?)\S+",
        _GROUP + r"(?i:\bbearer\s{1,3}))[\w.~+/=-]{8,2000}",
        _GROUP + r"\w://)[^\s/@'\"]{1,255}(?=@[\w\[])",
        # A name that means a secret, then = or :, then the value, quoted or not.
        _GROUP + r"(?i:[\w-]{0,60}(?:passwor[dt]|passwd|passphrase|secret(?:[_-]?(?:access[_-]?)?key(?:[_-]base)?)?"
        r"|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key|(?<=[_-])token|(?<=[_-])pat|credential)['\"]?\s{0,3}[=:]\s{0,3}))"
        r"(?!\*\*\*)(?:\"[^\"]{1,500}\"?|'[^']{1,500}'?|[^\s'\",;&]{3,500})",
        # An option of a command that is given its value as the next word.
        _GROUP + r"(?i:(?<![\w-])--(?:[a-z]{1,20}-){0,3}(?:password|passphrase|secret|token|api-key)\s{1,3})(?!-))"
        r"(?:\"[^\"]{1,500}\"?|'[^']{1,500}'?|[^\s'\",;&]{3,500})",
        _GROUP + r"(?i:[?&\s-](?:token|sig|signature|x-amz-signature|x-amz-security-token|key|pwd)=))[^\s&'\"]{3,2000}",
        # Of an address only: elsewhere a code is an exit code or the code of a signal.
        _GROUP + r"(?i:[?&]code=))[^\s&'\"]{3,2000}",
        # A line of a key, behind what names the stream too; hexadecimal digits alone are a checksum.
        r"(?:\A|(?<=[\s\]|>]))(?![0-9a-fA-F]{60,}\Z)(?![/a-z]{60,}\Z)[A-Za-z0-9+/]{60,}={0,2}\Z",
    )
)
_HINT: Final = re.compile(
    r"(?i)gh[oprsu]_|github_pat_|glpat-|hf_|A[KS]IA|AROA|AIDA|sk-|xox[a-z]-|npm_|pypi-|AIza|eyJ|slack|authorization"
    r"|bearer|://|passw|passphrase|secret|key|token|pat|credential|sig|code|pwd|[rs]k_|whsec_|(?:\A|[\s\]|>])[A-Za-z0-9+/]{60}"
)


def clean(raw: bytes) -> str:
    """One raw line of a log as text of at most ``MAX_CHARS`` characters.

    GitHub's stamp, a byte order mark, colours, cursor movements, titles and control characters are gone, bytes that
    are no UTF-8 are replaced. Where a line was written over (carriage returns), the text that stayed counts. White
    space at the beginning is kept, at the end it is not.
    """
    line = raw.rstrip(b"\r\n")
    stamp = STAMP.match(line)
    line = line[stamp.end() :] if stamp else line.removeprefix(b"\xef\xbb\xbf")
    line = line[line.rfind(b"\r") + 1 :][:_RAW_LIMIT]
    if b"\x1b" in line:
        line = _ESCAPES.sub(b"", line)
    text = line.translate(None, _CONTROLS).decode("utf-8", "replace")
    if not text.isascii():
        text = text.translate(_C1)
    return text[:MAX_CHARS].rstrip()


def redact(text: str) -> str:
    """The text with tokens, keys and passwords replaced by ``***``: by their form, or by the name before them."""
    if not _HINT.search(text):
        return text
    for secret in _SECRETS:
        text = secret.sub(_kept, text)
    return text


def _kept(match: re.Match[str]) -> str:
    return (match.groupdict().get("kept") or "") + "***"
