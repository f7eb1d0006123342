"""Settings of known repositories, each in the form of a ``trackside.toml``; ``--preset NAME`` takes one."""
