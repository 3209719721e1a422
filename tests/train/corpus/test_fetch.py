"""A data set from a server of our own: whole, in pieces, refused, damaged."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from piano.errors import CorpusError
from piano.midi.file import MidiTrack, write_performance
from tests.train.conftest import scale
from train.__main__ import main
from train.corpus.download import RemoteFile, download
from train.corpus.fetch import DATA_SETS, SPLITS_NAME, fetch
from train.corpus.sources import zip_sources

CONTENT = bytes(range(256)) * 4096


@dataclass
class Server:
    """What a server sends, and what it was asked."""

    content: bytes = CONTENT
    most: int | None = None
    """How many bytes it sends before it closes the connection."""
    knows_ranges: bool = True
    status: int | None = None
    url: str = ""
    ranges: list[str | None] = field(default_factory=list)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            server.ranges.append(wanted)
            if server.status is not None:
                self.send_error(server.status)
                return
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.knows_ranges else 0
            body = server.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: server.most])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as host:
        thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.url = f"http://127.0.0.1:{host.server_address[1]}/file.zip"
        try:
            yield server
        finally:
            host.shutdown()
            thread.join()


def remote(server: Server, content: bytes = CONTENT) -> RemoteFile:
    return RemoteFile(server.url, len(content), hashlib.sha256(content).hexdigest())


def test_a_file_comes_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.zip"
    with serving(Server()) as server:
        download(remote(server), path)
        download(remote(server), path)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None]
    assert [entry.name for entry in path.parent.iterdir()] == ["file.zip"]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    with serving(Server(most=400_000)) as server:
        download(remote(server), path, attempts=1)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=400000-", "bytes=800000-"]


def test_an_interrupted_call_is_taken_up_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    with serving(Server(most=0)) as server:
        (tmp_path / "file.zip.part").write_bytes(CONTENT[:1000])
        with pytest.raises(CorpusError, match=r"broke off after 1000 of 1048576 bytes .* goes on from there"):
            download(remote(server), path, attempts=2)
        assert server.ranges == ["bytes=1000-"] * 2
        server.most = None
        download(remote(server), path)
    assert path.read_bytes() == CONTENT


def test_a_server_without_ranges_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    (tmp_path / "file.zip.part").write_bytes(b"x" * 1000)
    with serving(Server(knows_ranges=False)) as server:
        download(remote(server), path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"", b"wrong" * 100, b"too long" * 1_000_000])
def test_what_was_left_is_no_danger(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "file.zip"
    (tmp_path / "file.zip.part").write_bytes(left)
    with serving(Server()) as server:
        if left.startswith(b"wrong"):
            with pytest.raises(CorpusError, match="its SHA-256 differs"):
                download(remote(server), path)
        download(remote(server), path)
    assert path.read_bytes() == CONTENT


def test_another_file_at_the_address_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    with serving(Server(content=CONTENT[::-1])) as server, pytest.raises(CorpusError, match="its SHA-256 differs"):
        download(remote(server), path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_is_told_with_the_address(tmp_path: Path, status: int) -> None:
    with serving(Server(status=status)) as server, pytest.raises(CorpusError, match=rf"file\.zip: .*{status}.*--url"):
        download(remote(server), tmp_path / "file.zip")


def test_nobody_there_is_told(tmp_path: Path) -> None:
    with serving(Server()) as server:
        nowhere = remote(server)
    with pytest.raises(CorpusError, match="broke off after 0 of"):
        download(nowhere, tmp_path / "file.zip", attempts=1)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with serving(Server()) as server, pytest.raises(CorpusError, match="choose another --out"):
        download(remote(server), tmp_path / "file" / "file.zip")


def maestro(folder: Path, *, table: str | None = None) -> bytes:
    """Return a zip laid out as MAESTRO's is."""
    write_performance(folder / "one.midi", [MidiTrack("piano", scale(60))])
    header = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration\n"
    rows = '"Frédéric Chopin","Scale, Op. 1",train,2004,2004/one.midi,2004/one.wav,32.0\n'
    path = folder / "made.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(folder / "one.midi", "maestro-v3.0.0/2004/one.midi")
        archive.writestr("maestro-v3.0.0/maestro-v3.0.0.csv", table or header + rows)
    return path.read_bytes()


def test_what_was_fetched_can_be_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = maestro(tmp_path)
    out = tmp_path / "data"
    with serving(Server(content=content)) as server:
        monkeypatch.setitem(DATA_SETS, "maestro", replace(DATA_SETS["maestro"], remote=remote(server, content)))
        assert main(["fetch", "maestro", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1 files of maestro-v3.0.0, licence CC BY-NC-SA 4.0" in said
    (source,) = zip_sources(out, out / SPLITS_NAME)
    assert (source.piece.composer, source.piece.title) == ("Frédéric Chopin", "Scale, Op. 1")
    assert (source.piece.dataset, source.piece.split) == ("maestro-v3.0.0", "train")
    command = ["prepare", "--zips", str(out), "--splits", str(out / SPLITS_NAME), "--out", str(tmp_path / "corpus")]
    assert main([*command, "--processes", "1"]) == 0
    assert (tmp_path / "corpus" / "notes.cache").is_file()


MISSING = "canonical_composer,canonical_title,split,midi_filename\na,b,train,c\n"


@pytest.mark.parametrize("table", ["nothing\n", MISSING])
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, table: str) -> None:
    content = maestro(tmp_path, table=table)
    with serving(Server(content=content)) as server, pytest.raises(CorpusError, match="its table does not fit"):
        fetch(replace(DATA_SETS["maestro"], remote=remote(server, content)), tmp_path / "data")
