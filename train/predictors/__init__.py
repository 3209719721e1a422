"""What gives logits, and what is measured of it: checkpoints, bundles, n-grams."""
