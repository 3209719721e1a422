"""The panel on a real socket: its files, the API for scripts, the live socket, and pages that misbehave."""

import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import mido
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from piano.errors import ConfigError
from piano.midi.file import read_performance
from realtime.panel.jobs import LARGEST_FILE
from realtime.panel.server import PanelServer
from tests.realtime.panel.clients import WITHIN_S, ask, get, live, place, until
from tests.realtime.panel.pieces import write_piece
from tests.realtime.panel.stage import Stage


def test_the_page_and_its_files_are_there_and_nothing_else(server: PanelServer) -> None:
    code, page = get(server, "/")
    assert (code, b"/static/main.js" in page) == (200, True)
    assert get(server, "/static/main.js")[0] == 200
    for path in ("/static/..%2fapp.py", "/static/../app.py", "/app.py", "/static/", "/static/%2fetc%2fpasswd"):
        assert get(server, path)[0] == 404


def test_a_script_reads_the_status_and_sends_commands(server: PanelServer) -> None:
    assert json.loads(get(server, "/api/status")[1])["activity"] == "listening"
    body = json.dumps({"version": 1, "id": 1, "command": "change", "settings": {"temperature": 0.5}}).encode()
    assert get(server, "/api/commands", "POST", body, Content_Type="application/json")[0] == 200
    assert json.loads(get(server, "/api/status")[1])["settings"]["temperature"] == 0.5
    assert get(server, "/api/commands", "POST", body, Content_Type="text/plain")[0] == 415
    assert get(server, "/api/commands", "POST", b"{}", Content_Type="application/json")[0] == 400
    assert get(server, "/api/commands", "POST", b" " * 20_000, Content_Type="application/json")[0] == 413
    assert get(server, "/api/commands")[0] == 405


def test_strangers_are_refused(server: PanelServer) -> None:
    assert get(server, "/", Host="evil.example")[0] == 403
    assert get(server, "/api/status", Origin="http://evil.example")[0] == 403
    with pytest.raises(InvalidStatus):
        live(server, origin="http://evil.example")
    with live(server, origin=f"http://{place(server)}") as socket:
        assert json.loads(socket.recv(timeout=WITHIN_S))["type"] == "hello"


def test_a_phrase_over_the_socket_is_answered_and_becomes_a_take(server: PanelServer, tmp_path: Any) -> None:
    assert get(server, "/api/take.mid")[0] == 404
    with live(server) as socket:
        hello = json.loads(socket.recv(timeout=WITHIN_S))
        assert {setting["name"] for setting in hello["settings"]} >= {"temperature", "thru"}
        socket.send('{"version":1,"id":1,"command":"play","midi":["903c40"]}')
        socket.send('{"version":1,"id":2,"command":"play","midi":["803c40"]}')
        until(socket, lambda message: any(row[:2] == ["player", "off"] for row in message.get("events", [])))
        assert ask(socket, "answer")["type"] == "done"
        rows = until(socket, lambda message: any(row[0] == "model" for row in message.get("events", [])))
        assert rows["missed"] is False
        until(socket, lambda message: message.get("activity") == "playing")
        assert ask(socket, "panic")["type"] == "done"
        until(socket, lambda message: message.get("activity") == "listening" and message["sounding"] == [])
    (tmp_path / "take.mid").write_bytes(get(server, "/api/take.mid")[1])
    assert (read_performance(tmp_path / "take.mid").notes["pitch"] == 60).any()


def test_what_is_wrong_is_refused_in_words_and_the_page_stays(server: PanelServer) -> None:
    with live(server) as socket:
        assert "top_p is 3" in ask(socket, "change", settings={"top_p": 3})["reason"]
        socket.send("nonsense")
        assert until(socket, lambda message: message["type"] == "refused")["id"] is None
        assert ask(socket, "stop")["type"] == "done"


def test_a_message_that_is_too_long_ends_the_connection(server: PanelServer) -> None:
    with live(server) as socket:
        socket.send("x" * 40_000)
        with pytest.raises(ConnectionClosed):
            until(socket, lambda _message: False)
    with live(server) as socket:
        assert ask(socket, "stop")["type"] == "done"


def test_a_flood_ends_the_connection(server: PanelServer) -> None:
    def flood(socket: ClientConnection) -> None:
        for _ in range(5_000):
            socket.send("{}")
        until(socket, lambda _message: False)

    with live(server) as socket, pytest.raises(ConnectionClosed):
        flood(socket)


def test_a_page_that_does_not_read_holds_up_nobody(server: PanelServer, stage: Stage) -> None:
    with live(server, max_queue=1, close_timeout=0.1), live(server) as reader:
        for index in range(60_000):
            stage.history.play(index, b"\x90\x3c\x40" if index % 2 else b"\x80\x3c\x40")
        assert ask(reader, "stop")["type"] == "done"


def test_files_that_may_not_be_are_refused(server: PanelServer) -> None:
    midi = {"Content_Type": "audio/midi"}
    assert get(server, "/api/like", "POST", b"x", Content_Type="text/plain")[0] == 415
    assert get(server, "/api/like", "POST", b"x" * (LARGEST_FILE + 1), **midi)[0] == 413
    assert get(server, "/api/like", "POST", b"no music at all", **midi)[0] == 422
    assert get(server, "/api/job", "POST", b"x", Content_Type="text/plain")[0] == 415
    assert get(server, "/api/job?seconds=9999", "POST", b"x", **midi)[0] == 400
    assert get(server, "/api/job?seconds=../x", "POST", b"x", **midi)[0] == 400
    assert get(server, "/api/job", "POST", b"x" * (LARGEST_FILE + 1), **midi)[0] == 413
    assert get(server, "/api/job", "POST", b"no music at all", **midi)[0] == 400
    assert get(server, "/api/job?task=dance", "POST", b"MThd", **midi)[0] == 400
    assert get(server, "/api/job?task=fill&choice=..", "POST", b"MThd", **midi)[0] == 400
    assert get(server, "/api/job/picture")[0] == 404
    assert get(server, "/api/job/made.mid")[0] == 404
    assert json.loads(get(server, "/api/job")[1])["state"] == "none"


def test_a_second_file_waits_for_the_first(server: PanelServer) -> None:
    assert get(server, "/api/job", "POST", b"MThd", Content_Type="audio/midi")[0] == 200
    assert get(server, "/api/job", "POST", b"MThd", Content_Type="audio/midi")[0] == 409


def until_done(server: PanelServer) -> dict[str, Any]:
    connection = HTTPConnection(place(server), timeout=WITHIN_S)
    try:
        while True:
            connection.request("GET", "/api/job", headers={"X-Pianod": "1"})
            job: dict[str, Any] = json.loads(connection.getresponse().read())
            if job["state"] != "working":
                return job
    finally:
        connection.close()


def test_a_file_that_is_none_fails_in_words(server: PanelServer) -> None:
    get(server, "/api/job?task=clean&choice=all", "POST", b"MThd", Content_Type="audio/midi")
    job = until_done(server)
    assert (job["state"], job["task"]) == ("failed", "clean")
    assert "given.mid" in job["reason"]


def test_a_job_is_given_up(server: PanelServer) -> None:
    get(server, "/api/job", "POST", b"MThd", Content_Type="audio/midi")
    assert json.loads(get(server, "/api/job/stop", "POST")[1])["state"] == "failed"
    assert until_done(server)["reason"]


def test_what_a_page_holds_down_is_lifted_when_it_goes(server: PanelServer) -> None:
    with live(server) as other:
        with live(server) as socket:
            socket.send('{"version":1,"id":1,"command":"play","midi":["903c40","b0407f","903e40","803e40"]}')
            until(socket, lambda message: any(row[:2] == ["player", "off"] for row in message.get("events", [])))
        seen: list[list[Any]] = []

        def is_lifted(message: dict[str, Any]) -> bool:
            seen.extend(message.get("events", []))
            told = [(row[1], *row[3:]) for row in seen if row[0] == "player"]
            return ("off", 60, 0) in told and ("pedal", 0, 0) in told

        until(other, is_lifted)


def test_two_sessions_can_have_a_panel_at_once(server: PanelServer, stage: Stage) -> None:
    port = int(place(server).rpartition(":")[2])
    taken = stage.settings.model_copy(update={"panel_port": port})
    with PanelServer(taken, stage.controls) as second:
        assert place(second) != place(server)
        assert get(second, "/")[0] == 200


def test_elsewhere_the_address_has_a_token(stage: Stage) -> None:
    settings = stage.settings.model_copy(update={"panel_host": "0.0.0.0"})
    with PanelServer(settings, stage.controls) as server:
        host, _, token = server.address.removeprefix("http://").partition("/?token=")
        port = host.rpartition(":")[2]
        connection = HTTPConnection(f"127.0.0.1:{port}", timeout=WITHIN_S)
        connection.request("GET", "/")
        assert connection.getresponse().status == 403
        connection.close()
        connection.request("GET", f"/?token={token}")
        assert connection.getresponse().status == 200
        connection.close()


def test_an_address_that_is_not_ours_is_told(stage: Stage) -> None:
    with pytest.raises(ConfigError, match="--panel-host"):
        PanelServer(stage.settings.model_copy(update={"panel_host": "203.0.113.1"}), stage.controls)


def test_presets_and_models_over_the_socket(server: PanelServer) -> None:
    with live(server) as socket:
        ask(socket, "change", settings={"temperature": 0.5})
        assert ask(socket, "save_preset", preset=" calm ")["type"] == "done"
        ask(socket, "change", settings={"temperature": 1.5})
        assert ask(socket, "recall_preset", preset="calm")["type"] == "done"
        status = until(socket, lambda message: message["type"] == "status" and message["presets"])
        assert (status["presets"], status["settings"]["temperature"]) == (["calm"], 0.5)
        assert ask(socket, "forget_preset", preset="calm")["type"] == "done"
        assert "no preset" in ask(socket, "recall_preset", preset="calm")["reason"]
        assert "no model" in ask(socket, "choose_model", model="../model")["reason"]
        for wrong in ({"preset": "x" * 41}, {"preset": " "}, {}, {"preset": "a", "model": "b"}):
            assert ask(socket, "save_preset", **wrong)["type"] == "refused"


def test_a_file_that_is_dropped_is_played_like(tmp_path: Path) -> None:
    stage = Stage(panel_port=0)
    data = write_piece(tmp_path / "piece.mid").read_bytes()
    with stage.play, PanelServer(stage.settings, stage.controls) as server:
        status, answer = get(server, "/api/like?name=mine.mid", "POST", data, Content_Type="audio/midi")
        assert (status, json.loads(answer)) == (200, {"type": "done", "like": "mine.mid"})
        assert json.loads(get(server, "/api/status")[1])["like"] == "mine.mid"
        assert get(server, "/api/like/none", "POST")[0] == 200
        assert json.loads(get(server, "/api/status")[1])["like"] is None


def test_a_lead_sheet_that_is_dropped_gives_the_changes(tmp_path: Path) -> None:
    stage = Stage(panel_port=0)
    octets = {"Content_Type": "application/octet-stream"}
    marked = mido.MidiFile()
    chords = [
        mido.MetaMessage("marker", text=text, time=4 * 480 * bool(index))
        for index, text in enumerate(["Dm7", "G7", "C"])
    ]
    marked.tracks.append(mido.MidiTrack([*chords, mido.MetaMessage("end_of_track", time=4 * 480)]))
    marked.save(tmp_path / "sheet.mid")
    with stage.play, PanelServer(stage.settings, stage.controls) as server:

        def send(name: str, data: bytes, **headers: str) -> tuple[int, bytes]:
            return get(server, f"/api/chart?name={name}", "POST", data, **(headers or octets))

        def changes() -> object:
            return json.loads(get(server, "/api/status")[1])["settings"]["chart"]

        assert send("sheet.mid", (tmp_path / "sheet.mid").read_bytes())[0] == 200
        assert changes() == "Dm7 | G7 | C"
        assert send("blues.txt", b"C7 | F7 | C7 | G7")[0] == 200
        assert changes() == "C7 | F7 | C7 | G7"
        for name, data, code in (
            ("x.txt", b"no chord at all", 422),
            ("x.txt", b"C | " * 2000 + b"C", 422),
            ("x.mid", b"no music", 422),
            ("x.exe", b"C | F", 415),
            ("../../x", b"C | F", 415),
        ):
            assert send(name, data)[0] == code, name
        assert send("x.txt", b"C | F", Content_Type="text/plain")[0] == 415
        assert changes() == "C7 | F7 | C7 | G7"
