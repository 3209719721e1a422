"""A list that lies on the disk: records are added at its end and read again from its beginning."""

import pickle
import tempfile
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Spool(Generic[T]):
    """Records in a temporary file, which goes when this object does; one reader at a time."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this object
        self._count = 0

    def __del__(self) -> None:
        self._file.close()

    def append(self, record: T) -> None:
        """Add a record."""
        self._file.seek(0, 2)
        pickle.dump(record, self._file)
        self._count += 1

    def __len__(self) -> int:
        """Return the number of records."""
        return self._count

    def __iter__(self) -> Iterator[T]:
        """Yield all records in the order in which they came."""
        self._file.seek(0)
        for _ in range(self._count):
            record: T = pickle.load(self._file)
            yield record
