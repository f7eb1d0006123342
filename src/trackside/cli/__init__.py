"""The command line: parse arguments, call the library, render. Start reading at ``app``."""
