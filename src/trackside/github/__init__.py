"""GitHub as a source of data: calls within a budget, decoded once, at the edge, into records."""
