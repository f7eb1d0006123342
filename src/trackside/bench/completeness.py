"""How completely a run was read: the ledger of its files added up."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trackside.records.engine_run import FileLedger


class Reading(msgspec.Struct, frozen=True):
    """What was read of all files together."""

    files: int
    lines: int
    batch_lines: int
    memory_lines: int
    unrecognised: int
    torn: int
    not_whole: int

    @property
    def complete(self) -> bool:
        """Every batch-like line was recognised whole and every file read."""
        return not (self.unrecognised or self.torn or self.not_whole)


def read_lines(ledger: Sequence[FileLedger]) -> Reading:
    """The ledger of all files added up."""
    return Reading(
        files=len(ledger),
        lines=sum(file.lines for file in ledger),
        batch_lines=sum(file.batch_lines for file in ledger),
        memory_lines=sum(file.memory for file in ledger),
        unrecognised=sum(file.unrecognised for file in ledger),
        torn=sum(file.torn for file in ledger),
        not_whole=sum(file.state not in ("ok", "empty", "skipped") for file in ledger),
    )
