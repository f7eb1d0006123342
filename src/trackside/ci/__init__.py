"""What broke, since when and why, out of the history of runs and jobs. Pure."""
