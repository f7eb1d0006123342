"""Scripts that make runs and measure the project; run from a checkout, never installed."""
