"""One file from the web to the disk: resumed where it was broken off, and compared with its checksum."""

import hashlib
import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from piano.errors import CorpusError

TIMEOUT_S = 30.0
ATTEMPTS = 5

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file at a public address; its size in bytes and its SHA-256 as its makers publish them."""

    url: str
    size: int
    sha256: str


def download(remote: RemoteFile, path: Path, *, attempts: int = ATTEMPTS) -> None:
    """Fetch a file to a path, under a progress bar; do nothing if it is there already and complete.

    What has arrived is kept in a file beside it, with `.part` at the end of its name, from which the next attempt or
    the next call goes on. CorpusError if the address does not answer, if the disk is full, or if the checksum is wrong
    (what came is deleted then).
    """
    if path.is_file() and path.stat().st_size == remote.size and _sha256(path) == remote.sha256:
        return
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch_all(remote, part, attempts)
        if _sha256(part) != remote.sha256:
            part.unlink()
            raise CorpusError(
                f"{remote.url}: what came is not the file that was published (its SHA-256 differs). It is deleted: "
                "try again, or fetch the file in a browser"
            )
        part.replace(path)
    except OSError as error:
        raise CorpusError(f"{path}: cannot be written ({error.strerror or error}); choose another --out") from error


def _fetch_all(remote: RemoteFile, part: Path, attempts: int) -> None:
    """Fetch until all bytes are there; an attempt that brings something does not count."""
    left, fault = attempts, ""
    with tqdm(total=remote.size, desc=part.stem, unit="B", unit_scale=True, unit_divisor=1024) as bar:
        while (have := _size(part)) != remote.size:
            if have > remote.size:
                part.unlink()
                continue
            if not left:
                raise CorpusError(
                    f"{remote.url}: the download broke off after {have} of {remote.size} bytes ({fault}). "
                    "Call the command again: it goes on from there"
                )
            bar.update(have - bar.n)
            fault = _fetch_rest(remote, part, have, bar)
            left = attempts if _size(part) > have else left - 1


def _fetch_rest(remote: RemoteFile, part: Path, have: int, bar: "tqdm[None]") -> str:
    """Append what is missing as long as it comes; return what ended it, in words."""
    request = urllib.request.Request(remote.url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            return "the address has another file by now"
        raise CorpusError(
            f"{remote.url}: the address answers {error.code} {error.reason}; give another with --url"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", error))
    goes_on = answer.status == http.HTTPStatus.PARTIAL_CONTENT
    with answer, part.open("ab" if goes_on else "wb") as file:
        if not goes_on:
            bar.update(-bar.n)
        while file.tell() < remote.size:
            try:
                chunk = answer.read(min(_CHUNK, remote.size - file.tell()))
            except (OSError, http.client.HTTPException) as error:
                return str(error) or type(error).__name__
            if not chunk:
                return "the connection was closed"
            file.write(chunk)
            bar.update(len(chunk))
    return ""


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
