"""The shapes of blocks that show where a program failed: where each begins, which lines belong to it, what it says."""

from __future__ import annotations

import re
from typing import Final

from trackside.runlogs.findings import TraceKind

LONGEST: Final = 400
"""A block is over after so many lines."""

_EXCEPTION: Final = re.compile(r"[A-Za-z_][\w.]{0,200}(?:$|: |:$|\()")
_MEMBER: Final = re.compile(r"(?!(?:Base)?ExceptionGroup)[A-Za-z_][\w.]{0,200}(?:Error|Exception|Interrupt)\b")
_REASON: Final = re.compile(r"E {2,10}\S")
_MOST_BETWEEN: Final = 8
_CHAIN: Final = ("During handling of the above exception", "The above exception was the direct cause")
_TRACEBACK: Final = "Traceback (most recent call last):"
_GO_FRAME: Final = re.compile(
    r"goroutine \d+ |created by |[\w./*()\[\]\-]{1,300}\(.{0,300}\)$|\[signal |panic: |exit status "
)
_JAVA_MORE: Final = re.compile(r"\s{1,20}\.\.\. \d|\s{0,20}(?:Caused by|Suppressed): ")
_AT: Final = re.compile(r"\s{1,40}at \S")
_JAVA_FRAME: Final = re.compile(
    r"\s{1,40}at [\w$./@<>-]{1,300}\("
    r"(?:[\w$-]{1,100}\.(?:java|kt|kts|scala|groovy|clj)(?::\d{1,6})?|Native Method|Unknown Source)\)"
)
_DOTNET_FRAME: Final = re.compile(r"\s{1,40}at .{1,400}\) in .{1,400}:line \d{1,6}$")
_NODE_FRAME: Final = re.compile(
    r"\s{1,40}at .{0,400}(?::\d{1,6}:\d{1,6}\)?|<anonymous>\)?|\(native\)|index \d{1,6}\))$"
)
_NODE_MORE: Final = re.compile(r"\s{2,40}(?:\[cause\]|\w{1,40}: |[\]}])|[\]}]$")
_RUST_AFTER: Final = re.compile(r"note: |stack backtrace:|\s{1,40}\d{1,4}: |\s{1,40}at ")
_RUSTC_AFTER: Final = re.compile(r"\s{0,20}(?:\d{1,6} {0,3}[|+~-]|[|=:] ?|-->|\.\.\.|::: )|\s")

PYTHON: Final = re.compile(r"(?P<indent>[\s|+]{0,40}(?:Exception Group )?)" + re.escape(_TRACEBACK) + "$")
PYTEST: Final = re.compile(r"_{3,200} \S.{0,300} _{3,200}$")
GO: Final = re.compile(r"(?:panic|fatal error): \S")
GO_TEST: Final = re.compile(r"\s{0,16}--- FAIL: \S")
RUST: Final = re.compile(r"thread '.{1,200}' (?:\(\d{1,12}\) )?panicked at ")
RUSTC: Final = re.compile(r"error(?:\[E\d{4}\])?: \S")
JEST: Final = re.compile(r"\s{0,4}● \S")
VITEST: Final = re.compile(r"\s{0,4}FAIL {1,4}\S.{0,300} > \S")
SHELL: Final = re.compile(r"[\w./~ -]{1,300}: line \d{1,6}: \S")
HEAD: Final = re.compile(
    r"(?:\s{0,8}Caused by: |Exception in thread \"[^\"]{1,200}\" |Unhandled exception[.:] |Uncaught )?"
    r"(?:[\w$.]{0,200}(?:Error|Exception|Throwable|Failure)\w{0,40}(?: \[[\w-]{1,60}\])?(?:: |:?$)|Error: )"
)


class Shape:
    """A block that is open: ``message`` is what it says, ``is_whole`` whether it is a block of this shape at all."""

    kind: TraceKind

    def __init__(self, message: str, *, is_whole: bool = True) -> None:
        self.message = message
        self.is_whole = is_whole

    def takes(self, text: str) -> bool:
        """Whether the next line belongs to the block; the first that does not ends it."""
        return self._takes(text)

    def _takes(self, _text: str) -> bool:
        return False


class PythonTrace(Shape):
    """``Traceback (most recent call last):`` down to the exception, and on where it was raised while another was.

    What another stream wrote between the first line and the first frame is taken with it.
    """

    kind = "python"

    def __init__(self, message: str, indent: str) -> None:
        super().__init__(message, is_whole=False)
        self._is_group = indent.endswith("Group ")
        self._indent = 0 if self._is_group else len(indent)
        self._said = False
        self._between = 0

    def _takes(self, text: str) -> bool:
        inner = text[self._indent :] if not text[: self._indent].strip(" |+") else text
        if self._said:
            chained = inner.startswith((*_CHAIN, _TRACEBACK))
            self._said = not chained
            return chained or not text.strip()
        self.is_whole = self.is_whole or inner.lstrip(" |").startswith('File "')
        if not inner or inner[0] in " \t|+" or inner.startswith((*_CHAIN, _TRACEBACK)):
            self._note_member(inner)
            return True
        if not self.is_whole:
            self._between += 1
            return self._between <= _MOST_BETWEEN and not inner.startswith("##[")
        self._said = _EXCEPTION.match(inner) is not None
        self.message = inner if self._said else self.message
        return self._said

    def _note_member(self, inner: str) -> None:
        """What a group of exceptions says is what the first of them says."""
        text = inner.lstrip(" |")
        if self._is_group and self.message.endswith(_TRACEBACK) and _MEMBER.match(text):
            self.message = text


class PytestTrace(Shape):
    """A failed test under its heading: up to the next heading or section of pytest."""

    kind = "pytest"

    def __init__(self, message: str) -> None:
        super().__init__(message.strip("_ "), is_whole=False)
        self._said = False

    def _takes(self, text: str) -> bool:
        if not self._said and (_REASON.match(text) or (self.is_whole and _EXCEPTION.match(text))):
            self._said, self.message = True, text.removeprefix("E ").strip()
        self.is_whole = self._said or self.is_whole or text == _TRACEBACK
        return not text.startswith(("=====", "##[")) and not PYTEST.match(text)


class GoTrace(Shape):
    """``panic:`` with the goroutines below it."""

    kind = "go"

    def __init__(self, message: str) -> None:
        super().__init__(message, is_whole=False)
        self._ended = False

    def _takes(self, text: str) -> bool:
        if self._ended:
            return False
        self.is_whole = self.is_whole or text.startswith("goroutine ")
        self._ended = text.startswith("exit status ")
        return not text or text[0] in " \t" or _GO_FRAME.match(text) is not None


class IndentedTrace(Shape):
    """A failed test of ``go test``: what is indented below its name."""

    kind = "go"

    def __init__(self, message: str) -> None:
        super().__init__(message.strip(), is_whole=False)
        self._depth = len(message) - len(message.lstrip())

    def _takes(self, text: str) -> bool:
        depth = len(text) - len(text.lstrip())
        if depth > self._depth and not self.is_whole and not GO_TEST.match(text):
            self.is_whole, self.message = True, text.strip()
        return depth > self._depth


class FrameTrace(Shape):
    """Lines that begin with ``at``, as the JVM, Node.js and .NET write them."""

    def __init__(self, message: str, kind: TraceKind) -> None:
        super().__init__(message)
        self.kind = kind

    def _takes(self, text: str) -> bool:
        if _AT.match(text) or _JAVA_MORE.match(text):
            return True
        return self.kind == "node" and _NODE_MORE.match(text) is not None


class SectionTrace(Shape):
    """A failed test of jest or vitest, from its name to the end of its frames."""

    kind = "node"

    def __init__(self, message: str) -> None:
        super().__init__(message.strip().removeprefix("● "), is_whole=False)
        self._named = False

    def _takes(self, text: str) -> bool:
        stripped = text.strip()
        if stripped and not self._named and not re.match(r"FAIL |● |\d{1,6} \||> ?\d{1,6} \||at |❯ ", stripped):
            self._named, self.message = True, stripped
        is_frame = bool(re.match(r"(?:at |❯ )\S", stripped))
        ended = self.is_whole and not is_frame and not re.match(r"\d{1,6}\||> ?\d{1,6}\||\|", stripped)
        self.is_whole = self.is_whole or is_frame
        return not ended and not JEST.match(text) and not stripped.startswith(("⎯⎯", "##["))


class RustTrace(Shape):
    """A panic: its message, a note, a backtrace."""

    kind = "rust"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._said = "', " in message

    def _takes(self, text: str) -> bool:
        if not self._said:
            self._said = True
            self.message = text.strip() or self.message
            return True
        return _RUST_AFTER.match(text) is not None


class RustcTrace(Shape):
    """An error of the compiler with the place and the source that it is of."""

    kind = "rust"

    def __init__(self, message: str) -> None:
        super().__init__(message, is_whole=False)

    def _takes(self, text: str) -> bool:
        self.is_whole = self.is_whole or text.lstrip().startswith("-->")
        return self.is_whole and _RUSTC_AFTER.match(text) is not None


class ShellTrace(Shape):
    """One line in which a shell says what it could not do."""

    kind = "shell"


def shape_of(text: str) -> Shape | None:
    """The block that begins with this line, None where none does."""
    if text.endswith(_TRACEBACK):
        found = PYTHON.match(text)
        return PythonTrace(text.strip(), found["indent"]) if found else None
    if GO.match(text):
        return GoTrace(text)
    for pattern, shape in _BEGINNINGS:
        if pattern.match(text):
            return shape(text)
    return None


_BEGINNINGS: Final[tuple[tuple[re.Pattern[str], type[Shape]], ...]] = (
    (PYTEST, PytestTrace),
    (GO_TEST, IndentedTrace),
    (RUST, RustTrace),
    (RUSTC, RustcTrace),
    (JEST, SectionTrace),
    (VITEST, SectionTrace),
    (SHELL, ShellTrace),
)
_FRAMES: Final[tuple[tuple[re.Pattern[str], TraceKind], ...]] = (
    (_JAVA_FRAME, "java"),
    (_DOTNET_FRAME, "dotnet"),
    (_NODE_FRAME, "node"),
)


def frame_kind(text: str) -> TraceKind | None:
    """What wrote a line that begins with ``at``, None of any other line."""
    if not _AT.match(text):
        return None
    return next((kind for pattern, kind in _FRAMES if pattern.match(text)), None)
