"""Tokens: the vocabulary, encoding in bulk and event by event, the grammar of what may come next."""
