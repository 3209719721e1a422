"""Where each message of the player's goes: one table for the engine and for thru."""

import pytest

from realtime.engine.listening import EngineSettings, Purpose, Route
from realtime.engine.mode_chooser import ModeChooser
from realtime.engine.trigger import Trigger

SETTINGS = EngineSettings(
    channel=1,
    trigger=Trigger(key=60),
    modes=ModeChooser(by_program=True, wish_controllers=(20, None, None, None, None)),
    taps=Trigger(controller=80),
    ending=Trigger(key=61),
)


@pytest.mark.parametrize(
    ("data", "route"),
    [
        (b"\x91\x40\x50", Route(Purpose.MUSIC)),
        (b"\x90\x40\x50", Route(Purpose.ELSEWHERE)),
        (b"\xf0\x01\xf7", Route(Purpose.ELSEWHERE)),
        (b"\x91\x3c\x50", Route(Purpose.ANSWER, asks=True)),
        (b"\x81\x3c\x40", Route(Purpose.ANSWER)),
        (b"\x90\x3c\x50", Route(Purpose.ELSEWHERE)),
        (b"\x91\x3d\x50", Route(Purpose.ENDING, asks=True)),
        (b"\x91\x3d\x00", Route(Purpose.ENDING)),
        (b"\xb1\x50\x7f", Route(Purpose.TAP, asks=True)),
        (b"\xb1\x50\x00", Route(Purpose.TAP)),
        (b"\xc1\x00", Route(Purpose.CHOICE, asks=True)),
        (b"\xb1\x14\x00", Route(Purpose.CHOICE, asks=True)),
        (b"\xb1\x40\x7f", Route(Purpose.MUSIC)),
    ],
)
def test_a_message_has_one_purpose(data: bytes, route: Route) -> None:
    assert SETTINGS.route(data) == route


@pytest.mark.parametrize("data", [b"\xf0\x01\xf7", b"\x9f\x3c\x50", b"\xfe"])
def test_who_listens_to_every_channel_hears_all_that_asks_for_nothing(data: bytes) -> None:
    assert EngineSettings().route(data) == Route(Purpose.MUSIC)
