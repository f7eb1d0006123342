"""Frozen types that the rooms hand to each other; no logic."""
