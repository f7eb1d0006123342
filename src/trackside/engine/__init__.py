"""Reads engine logs: finds files, maps the parse over them, caches what came out."""
