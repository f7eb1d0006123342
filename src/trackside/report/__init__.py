"""Output: results become tables, files and pages. Nothing here reads a log."""
