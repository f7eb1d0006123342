"""What the log of a job says beside why it failed: traces, agents' words, metrics, tests, warnings, git. Pure."""
