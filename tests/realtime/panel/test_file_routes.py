"""What can be done with a file, over a real socket: tasks, or the fault with the way out."""

import json
from pathlib import Path

import mido

from realtime.panel.file_routes import EMPTY, NO_MIDI_FILE, TOO_LARGE
from realtime.panel.job_request import JOBS
from realtime.panel.jobs import LARGEST_FILE
from realtime.panel.server import PanelServer
from tests.realtime.panel.clients import get
from tests.realtime.panel.pieces import write_piece

BYTES = "application/octet-stream"


def ask(server: PanelServer, name: str, data: bytes) -> tuple[list[str], str | None]:
    """Return the tasks and the fault."""
    code, said = get(server, f"/api/file?name={name}", "POST", data, Content_Type=BYTES)
    assert code == 200
    answer = json.loads(said)
    return answer["tasks"], answer["fault"]


def test_a_piece_can_be_worked_on_whatever_it_is_called(server: PanelServer, tmp_path: Path) -> None:
    data = write_piece(tmp_path / "piece.mid").read_bytes()
    for name in ("piece.mid", "piece", "piece.MID.bak"):
        assert ask(server, name, data) == ([*JOBS, "like", "changes"], None)


def test_a_sheet_gives_the_changes(server: PanelServer) -> None:
    assert ask(server, "tune.txt", b"Dm7 | G7") == (["changes"], None)
    tasks, fault = ask(server, "tune.TXT", b"\xff\xfe no text")
    assert (tasks, fault) == ([], "it is no text; choose another file")


def test_what_cannot_work_is_told_with_the_way_out(server: PanelServer, tmp_path: Path) -> None:
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(tmp_path / "silent.mid")
    cut = write_piece(tmp_path / "piece.mid").read_bytes()[:30]
    assert ask(server, "a.mid", b"") == ([], EMPTY)
    assert ask(server, "a.mid", b"no music") == ([], NO_MIDI_FILE)
    for data in ((tmp_path / "silent.mid").read_bytes(), cut):
        tasks, fault = ask(server, "a.mid", data)
        assert tasks == []
        assert fault is not None
        assert "there is no note in it" in fault
        assert fault.endswith("; choose another file")
        assert "this file: " not in fault


def test_too_much_and_other_kinds_are_refused(server: PanelServer) -> None:
    code, said = get(server, "/api/file?name=a.mid", "POST", bytes(LARGEST_FILE + 1), Content_Type=BYTES)
    assert (code, said.decode()) == (413, TOO_LARGE)
    assert get(server, "/api/file?name=a.mid", "POST", b"MThd", Content_Type="text/plain")[0] == 415
