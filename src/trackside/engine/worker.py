"""A process that parses files for another: tasks come on stdin, what was scanned goes to stdout.

Started as ``python -m trackside.engine.worker`` where forking is not safe, such as in a notebook.
"""

from __future__ import annotations

import sys

import msgspec

from trackside.engine.parse_file import FileTask, Scanned, parse_file


def main() -> None:
    """Parses the tasks of one message and answers with one message."""
    tasks = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[FileTask])
    answer: list[Scanned] = [parse_file(task) for task in tasks]
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main()
