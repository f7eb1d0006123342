"""How a run is called: by its number in its workflow, else by its id."""

from __future__ import annotations


def run_label(number: int | None, run_id: int | None) -> str:
    """``#123`` for a number, ``run 19000000010`` for an id, which is no number of a run, ``run ?`` for neither."""
    if number is not None:
        return f"#{number}"
    return "run ?" if run_id is None else f"run {run_id}"


def run_words(number: int | None, run_id: int | None) -> str:
    """The same within a sentence: ``run #123``, ``run 19000000010``."""
    label = run_label(number, run_id)
    return label if number is None else f"run {label}"
