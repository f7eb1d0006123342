"""What the store holds, read for the analyses: the history of a window, and what logs told."""
