"""Performance numbers that jobs print: read out of logs and files, as points of series. Pure."""
