"""A run that travels: one folder that trains on a machine with PyTorch and no network, and what it brings back."""
