"""What decodes the same weights: pianod and its peers, a file each, each run in a process of its own.

A file here imports its peer's library and nothing of another peer's, so that start-up and memory are its own.
"""
