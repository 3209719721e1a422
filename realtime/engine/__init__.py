"""The engine: what comes in, which performer plays, what it is told; live and on a clock moved by hand."""
