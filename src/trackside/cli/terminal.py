"""The two streams of a command: data on stdout, everything else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console, RenderableType
from rich.text import Text

from trackside.report.safe_text import safe_text

__all__ = ["OnPhase", "OnProgress", "Terminal", "open_terminal", "safe_text"]

OnProgress = Callable[[int, int], None]
OnPhase = Callable[[str], OnProgress]
_PIPE_WIDTH: Final = 10_000


@dataclass(frozen=True)
class Terminal:
    """Where a command writes. Text goes out as it is: no markup, no guessed colours."""

    out: Console
    err: Console
    quiet: bool = False
    verbose: bool = False

    @property
    def width(self) -> int | None:
        """The characters of a line of the screen; None where stdout is no screen."""
        return self.out.width if self.out.is_terminal else None

    def data(self, content: RenderableType) -> None:
        """Prints a result to stdout; a string loses every control character but its newlines."""
        _print(self.out, content)

    def whole(self, text: str) -> None:
        """Prints a result of any size to stdout as it is; its control characters are shown in it already."""
        self.out.file.write(f"{text}\n")

    def note(self, content: RenderableType) -> None:
        """Prints something good to know to stderr, unless quiet."""
        if not self.quiet:
            _print(self.err, content)

    def warn(self, content: RenderableType) -> None:
        """Prints something that must be seen to stderr."""
        _print(self.err, content, style="yellow")

    def fail(self, message: str) -> None:
        """Prints why the command failed to stderr."""
        _print(self.err, message, style="red")

    @contextmanager
    def progress(self, what: str) -> Iterator[OnProgress | None]:
        """A callback that draws a bar of bytes on stderr; None where that is no terminal or quiet."""
        if self.quiet or not self.err.is_terminal:
            yield None
            return
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
        )
        # No refresh thread: files are parsed in forked processes, and only a process of one thread may fork.
        with Progress(*columns, console=self.err, transient=True, auto_refresh=False) as bar:
            task = bar.add_task(safe_text(what), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total, refresh=True)

    @contextmanager
    def phases(self) -> Iterator[OnPhase]:
        """A callback that begins a phase with a bar of its own on stderr; silent where that is no terminal or quiet.

        A total of 0 is one that is not known yet.
        """
        if self.quiet or not self.err.is_terminal:
            yield lambda _name: lambda _done, _total: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:

            def begin(name: str) -> OnProgress:
                task = bar.add_task(safe_text(name), total=None)
                return lambda done, total: bar.update(task, completed=done, total=total or None)

            yield begin


def open_terminal(*, quiet: bool = False, verbose: bool = False) -> Terminal:
    """The streams of this process. A pipe has no width: nothing is cut in it. NO_COLOR is honoured."""
    return Terminal(out=_console(stderr=False), err=_console(stderr=True), quiet=quiet, verbose=verbose)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def _print(console: Console, content: RenderableType, style: str = "") -> None:
    if isinstance(content, str):
        text = "\n".join(safe_text(line) for line in content.split("\n"))
        console.print(Text(text, style=style), soft_wrap=True)
    elif console.is_terminal:
        console.print(content)
    else:
        with console.capture() as capture:
            console.print(content)
        # Padding beside a centred title is for screens; in a pipe a line ends where its text ends.
        console.file.writelines(f"{line.rstrip()}\n" for line in capture.get().splitlines())
