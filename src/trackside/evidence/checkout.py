"""What a checkout of the repository tells: agents in its registry, and what its workflows use. Files are read here."""

from __future__ import annotations

import msgspec

from trackside.agents.registry import RegisteredAgent
from trackside.agents.workflow_uses import WorkflowUses


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a checkout. ``sha`` is its commit where that is known; ``used`` says in words what was read."""

    agents: tuple[RegisteredAgent, ...] = ()
    workflows: dict[str, WorkflowUses] = {}
    sha: str | None = None
    used: tuple[str, ...] = ()

    def workflow(self, path: str | None, sha: str | None) -> WorkflowUses | None:
        """What the workflow at ``path`` uses, as far as it is in the checkout; ``sha`` is the commit of a run of it."""
        found = self.workflows.get(path or "")
        if found is None or self.sha is None or sha != self.sha:
            return found
        return msgspec.structs.replace(found, is_at_head=True)


NO_CHECKOUT = Checkout()
"""Where the command does not run in a checkout of the repository."""
