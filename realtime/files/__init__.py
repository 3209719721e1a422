"""Commands on files: which files, what is asked of each, processes, what is written."""
