"""The nodes, one file each; every file has a ``main``."""
