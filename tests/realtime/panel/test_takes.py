"""What is done with takes over HTTP: kept, named, starred, deleted, made into sound; no other file is touched."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from piano.midi.file import read_performance
from realtime.panel import piece_routes
from realtime.panel.server import PanelServer
from realtime.panel.shelves import Takes
from realtime.panel.take_marks import MARKS, TakeMark, TakeMarks
from realtime.take.midi_export import excerpt_of
from realtime.take.take import TakeRecord, TakeSource
from tests.realtime.panel.clients import get
from tests.realtime.panel.pieces import write_piece
from tests.realtime.panel.stage import Stage

JSON = {"Content_Type": "application/json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_piece(tmp_path / "outside.mid")
    write_piece(tmp_path / "takes" / "2026-01-02 03.04.05.mid")
    write_piece(tmp_path / "takes" / "song.mid")
    return tmp_path / "takes"


@pytest.fixture
def stage(folder: Path) -> Iterator[Stage]:
    stage = Stage(panel_port=0, takes=folder)
    stage.play.keeper = None
    with stage.play:
        yield stage


def entries(server: PanelServer) -> list[tuple[str, str, bool]]:
    return [(entry["name"], entry["title"], entry["star"]) for entry in json.loads(get(server, "/api/takes")[1])]


def test_a_take_has_a_name_and_a_star(server: PanelServer, folder: Path) -> None:
    assert sorted(entries(server)) == [("2026-01-02 03.04.05.mid", "", False), ("song.mid", "song", False)]
    place = "/api/takes/2026-01-02%2003.04.05/marks"
    assert get(server, place, "POST", json.dumps({"title": "../../evil"}).encode(), **JSON)[0] == 200
    assert get(server, place, "POST", b'{"star": true}', **JSON)[0] == 200
    assert entries(server)[0] == ("2026-01-02 03.04.05.mid", "../../evil", True), "those with a star come first"
    assert sorted(path.name for path in folder.iterdir()) == ["2026-01-02 03.04.05.mid", "song.mid", MARKS]
    assert get(server, place, "POST", b'{"title": "", "star": false}', **JSON)[0] == 200
    assert ("2026-01-02 03.04.05.mid", "", False) in entries(server)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[1]", b'{"star": 1}', b'{"title": 3}', b'{"name": "x"}', json.dumps({"title": "x" * 81}).encode()],
)
def test_what_are_no_marks_is_refused(server: PanelServer, body: bytes) -> None:
    assert get(server, "/api/takes/song/marks", "POST", body, **JSON)[0] == 400


def test_a_take_is_deleted_and_its_marks_with_it(server: PanelServer, folder: Path) -> None:
    get(server, "/api/takes/song/marks", "POST", b'{"star": true}', **JSON)
    assert get(server, "/api/takes/song", "DELETE")[0] == 200
    assert get(server, "/api/takes/song", "DELETE")[0] == 404
    assert not (folder / "song.mid").exists()
    assert TakeMarks(folder).read() == {}


@pytest.mark.parametrize("name", ["..%2foutside", "outside", "%2e%2e/outside", MARKS])
def test_nothing_but_a_take_is_deleted_or_marked(server: PanelServer, folder: Path, name: str) -> None:
    assert get(server, f"/api/takes/{name}", "DELETE")[0] in (404, 405)
    assert get(server, f"/api/takes/{name}/marks", "POST", b'{"star": true}', **JSON)[0] in (404, 405)
    assert (folder.parent / "outside.mid").exists()
    assert not (folder / MARKS).exists()


def test_the_last_half_minute_is_kept(server: PanelServer, stage: Stage, folder: Path) -> None:
    assert get(server, "/api/take/keep", "POST") == (404, b"nothing was played in the last half minute")
    stage.play.play(b"\x90\x3c\x40")
    code, said = get(server, "/api/take/keep", "POST")
    assert code == 200
    kept = folder / json.loads(said)["name"]
    assert kept.name.endswith(" kept.mid")
    assert read_performance(kept).notes["pitch"].tolist() == [60]
    assert ("kept", False) in [entry[1:] for entry in entries(server)]


def test_where_no_takes_are_kept_it_says_how(tmp_path: Path) -> None:
    stage = Stage(panel_port=0, takes=None)
    with stage.play, PanelServer(stage.settings, stage.controls) as server:
        stage.play.play(b"\x90\x3c\x40")
        code, said = get(server, "/api/take/keep", "POST")
    assert (code, b"--takes FOLDER" in said) == (409, True)
    assert not list(tmp_path.iterdir())


def test_what_began_before_an_excerpt_is_not_in_it() -> None:
    def at(at_ns: int, text: str) -> TakeRecord:
        return TakeRecord(at_ns, TakeSource.PLAYED, bytes.fromhex(text))

    assert excerpt_of([at(0, "803c40"), at(1, "b04000")]) is None
    whole = excerpt_of([at(0, "903e40"), at(9, "803e40")])
    assert excerpt_of([at(0, "803c40"), at(0, "903e40"), at(9, "803e40")]) == whole


def test_a_take_becomes_sound_where_there_is_a_synthesiser(
    server: PanelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def synthesise(midi: Path, wav: Path) -> bool:
        made.append(midi)
        wav.write_bytes(b"RIFF" + midi.read_bytes()[:4])
        return True

    monkeypatch.setattr(piece_routes, "synthesise", synthesise)
    monkeypatch.setattr(piece_routes, "what_is_missing", str)
    assert get(server, "/api/takes/song.wav", "POST") == (200, b"RIFFMThd")
    assert get(server, "/api/takes/none.wav", "POST")[0] == 404
    assert get(server, "/api/takes/song.wav")[0] == 405, "what an image or a link can ask for makes nothing"
    monkeypatch.setattr(piece_routes, "synthesise", lambda *_: False)
    assert get(server, "/api/takes/song.wav", "POST")[0] == 422
    monkeypatch.setattr(piece_routes, "_LONGEST_SOUND_S", 1)
    assert get(server, "/api/takes/song.wav", "POST")[0] == 422
    assert len(made) == 1
    monkeypatch.setattr(piece_routes, "what_is_missing", lambda: "FluidSynth is not installed (sudo apt install …)")
    code, said = get(server, "/api/takes/song.wav", "POST")
    assert (code, b"sudo apt install" in said) == (404, True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(st.none() | st.booleans() | st.text(max_size=90), st.lists).map(json.dumps).map(str.encode),
    )
)
def test_whatever_stands_in_the_file_of_marks_the_takes_are_there(folder: Path, data: bytes) -> None:
    (folder / MARKS).write_bytes(data)
    assert len(Takes(folder).entries()) == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.dictionaries(st.text(max_size=20), st.builds(TakeMark, st.text(max_size=80), st.booleans())))
def test_marks_come_back_as_they_were(folder: Path, marks: dict[str, TakeMark]) -> None:
    TakeMarks(folder).write(marks)
    assert TakeMarks(folder).read() == {name: mark for name, mark in marks.items() if mark != TakeMark()}
