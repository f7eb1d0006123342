"""Many pieces of work at once, each with its own outcome: one failure loses no other, a stop loses nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from trackside.errors import CallsStoppedError, TracksideError

T = TypeVar("T")
R = TypeVar("R")

# So many pieces for each thread are begun before the caller has taken a result: bounds what lies about.
_AHEAD: Final = 2


@dataclass(frozen=True)
class Outcome(Generic[T, R]):
    """What became of one item: a result, or the error in its place. After a stop an item may never have begun."""

    item: T
    result: R | None = None
    error: TracksideError | None = None


@dataclass(frozen=True)
class _Done(Generic[T, R]):
    outcome: Outcome[T, R]
    bug: BaseException | None = None


def each(
    work: Callable[[T], R], items: Iterable[T], *, workers: int, stopped: Callable[[], CallsStoppedError | None]
) -> Iterator[Outcome[T, R]]:
    """An outcome for every item, in the order of completion.

    Once ``stopped`` gives an error the items that are left are not begun: they come back with it. Where ``items``
    itself fails, the outcomes of those before come first. What is not a TracksideError is a bug and raised at once.
    """
    crew: _Crew[T, R] = _Crew(work, stopped)
    source = _Source(items)
    open_items = 0
    try:
        while True:
            while stopped() is None and open_items < workers * _AHEAD and (entry := source.next()) is not None:
                crew.give(entry[0], workers)
                open_items += 1
            if not open_items:
                break
            finished = crew.done.get()
            open_items -= 1
            if finished.bug is not None:
                raise finished.bug
            yield finished.outcome
        while (entry := source.next()) is not None:
            yield Outcome(entry[0], error=stopped())
        source.check()
    finally:
        crew.dismiss()


class _Source(Generic[T]):
    """Items one by one; the failure of what gives them is kept until it is asked for."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self._error: TracksideError | None = None

    def next(self) -> tuple[T] | None:
        """The next item, alone in a tuple, None where there is none."""
        if self._error is not None:
            return None
        try:
            return (next(self._items),)
        except StopIteration:
            return None
        except TracksideError as error:
            self._error = error
            return None

    def check(self) -> None:
        """Raise the failure, if there was one."""
        if self._error is not None:
            raise self._error


class _Crew(Generic[T, R]):
    """Threads that work items off. They are daemons: an interrupted command does not wait for an answer."""

    def __init__(self, work: Callable[[T], R], stopped: Callable[[], CallsStoppedError | None]) -> None:
        self.done: queue.SimpleQueue[_Done[T, R]] = queue.SimpleQueue()
        self._todo: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()
        self._work = work
        self._stopped = stopped
        self._threads = 0
        self._dismissed = False

    def give(self, item: T, workers: int) -> None:
        """Have an item worked off, by one more thread where there are not yet enough."""
        self._todo.put((item,))
        if self._threads < workers:
            self._threads += 1
            threading.Thread(target=self._work_off, daemon=True).start()

    def dismiss(self) -> None:
        """Begin nothing any more; who is at work ends it alone."""
        self._dismissed = True
        for _ in range(self._threads):
            self._todo.put(None)

    def _work_off(self) -> None:
        while (entry := self._todo.get()) is not None and not self._dismissed:
            self.done.put(self._finish(entry[0]))

    def _finish(self, item: T) -> _Done[T, R]:
        if (stop := self._stopped()) is not None:
            return _Done(Outcome(item, error=stop))
        try:
            return _Done(Outcome(item, self._work(item)))
        except TracksideError as error:
            return _Done(Outcome(item, error=error))
        except BaseException as bug:  # noqa: BLE001 - raised again in the caller's thread
            return _Done(Outcome(item), bug)
