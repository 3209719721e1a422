"""What may be told to a pianod that runs, and asked of it: requests, settings, presets, models."""
