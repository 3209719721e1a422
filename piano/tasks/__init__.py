"""Tasks: what is given and what is asked of a performance, and the stream that says so."""
