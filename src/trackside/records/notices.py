"""What was told to people, so that nothing is told twice."""

from __future__ import annotations

from typing import Final

import msgspec

from trackside.records.failures import Notice

ON: Final = "on"
OFF: Final = "off"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What was told until now: the newest notice of each kind and subject; ``ever`` False where nothing was told."""

    ever: bool = False
    notices: tuple[Notice, ...] = ()

    def subjects(self, kind: str) -> dict[str, Notice]:
        """The notices of a kind that are on, by subject."""
        return {one.subject: one for one in self.notices if one.kind == kind and one.state == ON}

    def changed(self, notices: tuple[Notice, ...] | list[Notice]) -> tuple[Notice, ...]:
        """Those of ``notices`` that say something else than was told; what was never told counts as off."""
        before = {(one.kind, one.subject): one.state for one in self.notices}
        return tuple(one for one in notices if before.get((one.kind, one.subject), OFF) != one.state)
