"""The link to a Dask scheduler: found by its address, or begun here with workers; lost, and taken up again."""

import time
from contextlib import suppress
from types import TracebackType
from typing import Any

from loguru import logger

from piano.errors import ConfigError

PATIENCE_S = 300.0
"""How long a scheduler that was lost, or that has no worker, is waited for, in seconds."""

_TRIM = "MALLOC_TRIM_THRESHOLD_"
"""What Dask sets for its workers: each larger array is then asked of the system anew, which takes a fifth of the time
that a model takes for small files."""

_FIRST_S = 10.0
_ATTEMPT_S = 5.0
_ASK_EVERY_S = 2.0


class SchedulerLink:
    """A client of a scheduler; `with` ends it, and the cluster too where it was begun here."""

    def __init__(self, address: str, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self._address = address
        self._cluster: Any = None
        self.client: Any = None
        self._addresses: list[str] = []
        self._asked_s = -_ASK_EVERY_S

    def __enter__(self) -> "SchedulerLink":
        try:
            import distributed  # noqa: F401
        except ImportError as error:
            raise ConfigError(
                f"--cluster needs Dask, which is not there ({error}); install it with: pip install 'pianod[cluster]'"
            ) from error
        kind, _, count = self._address.partition(":")
        if kind == "local":
            self._address = self._begin_here(int(count))
        self.client = self._connected(_FIRST_S)
        self._wait_for_workers()
        logger.info("cluster {}: {} workers, dashboard {}", self._address, self.workers, self.client.dashboard_link)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._drop()
        if self._cluster is not None:
            self._cluster.close()

    @property
    def addresses(self) -> list[str]:
        """Return the addresses of the workers that are there, or were a moment ago: the scheduler is asked for them."""
        if time.monotonic() - self._asked_s > _ASK_EVERY_S:
            self.ask()
        return self._addresses

    def ask(self) -> list[str]:
        """Return the addresses of the workers that are there now."""
        if not self.is_lost:
            with suppress(OSError, TimeoutError):
                self._addresses = list(self.client.scheduler_info(n_workers=-1)["workers"])
            self._asked_s = time.monotonic()
        return self._addresses

    @property
    def workers(self) -> int:
        """Return how many workers are there, at least 1."""
        return max(1, len(self.addresses))

    @property
    def is_lost(self) -> bool:
        """Say whether the scheduler does not answer any more."""
        return bool(self.client.status != "running")

    def renew(self) -> None:
        """Begin the link anew; ConfigError if nobody answers in time."""
        self._drop()
        self.client = self._connected(self.patience_s)
        self._wait_for_workers()
        self._asked_s = -_ASK_EVERY_S

    def _begin_here(self, count: int) -> str:
        import dask
        from distributed import LocalCluster

        make_cluster: Any = LocalCluster
        dask.config.set(
            {
                "distributed.scheduler.allowed-failures": 0,
                "distributed.admin.log-format": "%(message)s",
                f"distributed.nanny.pre-spawn-environ.{_TRIM}": None,
                "distributed.worker.preload": ["workers.left_to_caller"],
                "distributed.worker.profile.enabled": False,  # it looks at every frame a hundred times a second
            }
        )
        self._cluster = make_cluster(
            n_workers=count, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
        )
        return str(self._cluster.scheduler_address)

    def _connected(self, within_s: float) -> Any:
        from distributed import Client

        make_client: Any = Client

        until_s = time.monotonic() + within_s
        while True:
            try:
                return make_client(self._address, timeout=_ATTEMPT_S, set_as_default=False)
            except (OSError, TimeoutError) as error:
                if time.monotonic() >= until_s:
                    raise ConfigError(
                        f"--cluster {self._address}: no scheduler answers there ({error}); start it, and the same "
                        "command goes on"
                    ) from error

    def _wait_for_workers(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=self.patience_s)
        except TimeoutError as error:
            raise ConfigError(
                f"--cluster {self._address}: the scheduler has no workers; start some with: dask worker {self._address}"
            ) from error

    def _drop(self) -> None:
        if self.client is not None:
            self.client.close(timeout=_ATTEMPT_S)
