"""How often a thread may begin again after an error that nobody foresaw: seldom, or something is wrong for good."""

from collections import deque

from realtime.threads.clock import NS_PER_S

MOST = 3
WITHIN_NS = 60 * NS_PER_S


class RestartLimit:
    """The failures of one thread. One owner."""

    def __init__(self, most: int = MOST, within_ns: int = WITHIN_NS) -> None:
        self._within_ns = within_ns
        self._failed_ns: deque[int] = deque(maxlen=most + 1)

    def take(self, now_ns: int) -> bool:
        """Count a failure; say whether the thread may begin again, or has failed too often in this time."""
        self._failed_ns.append(now_ns)
        return len(self._failed_ns) < (self._failed_ns.maxlen or 0) or now_ns - self._failed_ns[0] > self._within_ns
