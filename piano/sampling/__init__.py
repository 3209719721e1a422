"""Sampling: how a token is drawn from logits, and what keeps a stream varied and as busy as it is to be."""
