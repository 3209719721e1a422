"""Takes and pieces of a data set as the panel serves them: listed, had, replayed, posed; no other file is reached."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.panel import piece_routes
from realtime.panel.child import program
from realtime.panel.server import PanelServer
from tests.realtime.panel.clients import get
from tests.realtime.panel.pieces import scale, write_piece
from tests.realtime.panel.stage import Stage

PLACES = ("/api/take", "/api/takes/one", "/api/review/0")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[PanelServer]:
    """Serve a take, and a data set of one piece, beside a file that nobody named."""
    write_piece(tmp_path / "secret.mid")
    write_piece(tmp_path / "takes" / "one.mid")
    write_piece(tmp_path / "set" / "deep" / "first.mid")
    (tmp_path / "takes" / "broken.mid").write_bytes(b"MThd")
    stage = Stage(panel_port=0, takes=tmp_path / "takes", review=tmp_path / "set")
    with stage.play, PanelServer(stage.settings, stage.controls) as server:
        for data in (b"\x90\x3c\x40", b"\x80\x3c\x40"):
            stage.controls.play((data,))
        stage.play.partner.engine.wait(0)
        yield server


def test_pieces_are_listed_by_name(library: PanelServer) -> None:
    takes = json.loads(get(library, "/api/takes")[1])
    assert {take["name"] for take in takes} == {"one.mid", "broken.mid"}
    assert set(takes[0]) == {"name", "written_s", "bytes", "title", "star"}
    review = json.loads(get(library, "/api/review")[1])
    assert review["pieces"] == ["deep/first.mid"]
    assert "gap" in review["tasks"]


@pytest.mark.parametrize("where", PLACES[1:])
def test_a_piece_is_had_as_a_file_and_as_a_picture_and_replayed(library: PanelServer, where: str) -> None:
    code, data = get(library, f"{where}.mid")
    assert (code, data[:4]) == (200, b"MThd")
    code, picture = get(library, f"{where}/picture")
    assert (code, len(json.loads(picture)["layers"][0]["notes"])) == (200, scale().notes.size)
    assert get(library, f"{where}/replay?from_s=1", "POST")[0] == 200
    assert json.loads(get(library, "/api/status")[1])["replaying"]["name"].endswith(".mid")
    assert get(library, "/api/replay/stop", "POST")[0] == 200
    assert json.loads(get(library, "/api/status")[1])["replaying"] is None


def test_a_task_is_posed_on_a_piece(library: PanelServer) -> None:
    code, answer = get(library, "/api/review/0/tasks/left_hand?seed=2")
    assert (code, [layer["name"] for layer in json.loads(answer)["layers"]]) == (200, ["given", "asked"])
    for path in ("/api/review/0/tasks/dance", "/api/review/9/tasks/gap", "/api/review/0/tasks/gap?seed=-1"):
        assert get(library, path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/takes/..%2fsecret.mid",
        "/api/takes/../secret.mid",
        "/api/takes/%2e%2e%2fsecret.mid",
        "/api/takes/secret.mid",
        "/api/takes/..%2fsecret/picture",
        "/api/takes/%00.mid",
        "/api/review/-1.mid",
        "/api/review/1.mid",
        "/api/review/..%2f..%2fsecret.mid",
        "/api/review/99999999999999999999.mid",
        "/api/review/0/tasks/..%2f..%2fgap",
    ],
)
def test_no_path_of_a_client_reaches_a_file(library: PanelServer, path: str) -> None:
    assert get(library, path)[0] == 404


def test_a_piece_that_is_damaged_is_told_in_words(library: PanelServer) -> None:
    code, reason = get(library, "/api/takes/broken/picture")
    assert (code, b"Traceback" in reason) == (422, False)
    assert get(library, "/api/takes/one/replay?from_s=x", "POST")[0] == 400
    assert get(library, "/api/takes/one/replay")[0] == 405


@pytest.mark.parametrize("path", ["/api/takes", "/api/takes/one.mid", "/api/review", "/api/job/tasks"])
def test_strangers_get_no_piece(library: PanelServer, path: str) -> None:
    assert get(library, path, Origin="http://evil.example")[0] == 403
    assert get(library, path, Host="evil.example")[0] == 403
    assert get(library, path)[0] == 200


def test_strangers_replay_nothing(library: PanelServer) -> None:
    assert get(library, "/api/takes/one/replay", "POST", Origin="http://evil.example")[0] == 403
    assert json.loads(get(library, "/api/status")[1])["replaying"] is None


def test_a_picture_is_made_once(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_piece(tmp_path / "one.mid", 4)
    made: list[str] = []

    def counted(module: str, *arguments: str) -> list[str]:
        made.append(arguments[0])
        return program(module, *arguments)

    monkeypatch.setattr(piece_routes, "program", counted)
    settings = stage.settings.model_copy(update={"review": tmp_path})
    with PanelServer(settings, stage.controls) as server:
        first = get(server, "/api/review/0/picture")
        assert first[0] == 200
        assert all(get(server, "/api/review/0/picture") == first for _ in range(3))
    assert made == ["picture"]
