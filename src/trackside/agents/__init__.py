"""Who ran, what it took, where it failed and what is known of it, out of the history of runs and jobs. Pure."""
