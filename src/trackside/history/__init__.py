"""Runs and jobs of a window as frames: outcomes, identities, branch lines, pull requests. Pure."""
