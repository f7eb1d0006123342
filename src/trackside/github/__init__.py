"""GitHub: calls within a budget, decoding at the edge, syncs, logs and webhooks."""
