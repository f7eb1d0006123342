"""What the log of a CI job says: cleaning, causes, fingerprints, test files. Pure."""
