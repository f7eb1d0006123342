"""``trackside kb export`` and ``import``: what people said of failures as a file that is committed and shared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from trackside.cli.github_options import Where
from trackside.cli.kb_session import file_of, open_kb, take_edits
from trackside.errors import PathNotFoundError
from trackside.report.ledger import counted


def export(
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], show_default=False)] = None,
    all_: Annotated[bool, Parameter(name="--all", negative="", show_default=False)] = False,
    where: Where | None = None,
) -> int:
    """Write what people said of failures, and with --all everything known of them, to a file.

    Args:
        output: The file to write, whole or not at all; stdout if nothing is said.
        all_: Write what is known of each failure too: counts, runs, suggestions. It is not read back by import.
    """
    from trackside.evidence.knowledge import load_knowledge
    from trackside.report.knowledge_file import knowledge_file_text, write_knowledge_file

    session = open_kb(where)
    knowledge = load_knowledge(session.store, session.repo)
    text = knowledge_file_text(session.repo, knowledge.edits, knowledge.entries if all_ else ())
    if output is None:
        session.terminal.whole(text.rstrip("\n"))
        return 0
    written = write_knowledge_file(output.absolute(), text)
    state = "written" if written else "is so already"
    session.terminal.data(f"{output}: {state}, what was said of {counted(len(knowledge.edits), 'failure')}")
    return 0


def import_file(
    file: Path,
    /,
    *,
    where: Where | None = None,
) -> int:
    """Read what people said of failures from a file; what was said later counts.

    Args:
        file: A file that trackside kb export wrote, or that is committed with the repository.
    """
    session = open_kb(where, create=True)
    content = file_of(session, file)
    if content is None:
        msg = f"{file} does not exist."
        raise PathNotFoundError(msg)
    done = take_edits(session, content, str(file))
    session.terminal.data(f"{file}: {counted(len(done.taken), 'edit')} taken, {done.known:,} known or older")
    return 0
