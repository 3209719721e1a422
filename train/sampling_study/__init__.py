"""The study of sampling: generated music beside real music."""
