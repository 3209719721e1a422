"""Performers: the ways of playing with someone, each over one stream of tokens."""
