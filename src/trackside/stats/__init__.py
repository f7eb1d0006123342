"""Numbers only, no words of a domain."""
