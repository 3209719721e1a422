"""The model: GPT-2, its checkpoint, and what it may begin from."""
