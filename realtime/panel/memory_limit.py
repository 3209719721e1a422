"""How much memory a process of the panel may take: a file that asks for more breaks that process, not the machine."""

import contextlib

WORK_BYTES = 2 << 30
"""What reading a file, or working on it, may take in all, in bytes, beside a model of the player's own."""

TOO_MUCH = f"it takes more than {WORK_BYTES >> 30} GiB of memory, the most that a file given to the panel may"


def limit_memory(beside: int = 0) -> None:
    """Hold this process to WORK_BYTES, and so many bytes beside; not where the system knows no such limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (WORK_BYTES + beside, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
