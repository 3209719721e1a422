"""Which controller the page is told that it can learn."""

import json
from collections.abc import Iterator

import pytest

from realtime.panel.learn_routes import last_moved
from realtime.panel.server import PanelServer
from realtime.settings import Settings
from realtime.take.take import TakeRecord, TakeSource
from tests.realtime.panel.clients import get
from tests.realtime.panel.room import Room


@pytest.fixture
def room() -> Iterator[Room]:
    settings = Settings(seed=3, input="Casio", output="Casio", panel_port=0, takes=None)
    room = Room(("Casio",), settings)
    with room.play:
        yield room


@pytest.mark.parametrize(
    ("messages", "learned"),
    [
        ([], None),
        (["903c40", "b0437f"], 67),
        (["b0437f", "b00b40"], 11),
        (["b0437f", "b04300"], 67),
        (["b07b40"], None),
        (["c005"], None),
    ],
)
def test_the_last_that_was_moved_counts(messages: list[str], learned: int | None) -> None:
    records = [TakeRecord(number, TakeSource.PLAYED, bytes.fromhex(one)) for number, one in enumerate(messages)]
    assert last_moved(records) == learned


def test_what_pianod_sent_is_no_controller_of_the_player() -> None:
    assert last_moved([TakeRecord(0, TakeSource.OWN, b"\xb0\x43\x7f")]) is None


def test_only_what_comes_after_a_moment_is_told(room: Room) -> None:
    keys = room.system.open_output("Casio")

    def ask(question: str) -> dict[str, object]:
        code, said = get(server, f"/api/controller{question}")
        assert code == 200
        answer: dict[str, object] = json.loads(said)
        return answer

    with PanelServer(room.settings, room.controls) as server:
        keys.send(b"\xb0\x0b\x20")
        room.until(lambda: len(room.controls.last(60)) >= 1)
        first = ask("")
        assert first["controller"] is None
        assert ask(f"?after_s={first['now_s']}")["controller"] is None
        keys.send(b"\xb0\x43\x7f")
        room.until(lambda: len(room.controls.last(60)) >= 2)
        assert ask(f"?after_s={first['now_s']}")["controller"] == 67
        assert get(server, "/api/controller?after_s=soon")[0] == 400
