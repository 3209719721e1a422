"""Where there is no MIDI system the page is the instrument; where one is asked for, its absence is a fault."""

import pytest

from piano.errors import PortError
from realtime.cli import live as run
from realtime.midi.browser_ports import BrowserSystem
from realtime.settings import Settings


@pytest.fixture(autouse=True)
def _no_midi(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_api: str, **_begun: object) -> None:
        raise PortError("there is no MIDI system")

    monkeypatch.setattr(run, "open_system", refuse)
    monkeypatch.setattr(run, "GuardedSystem", refuse)


def test_without_a_midi_system_the_page_is_the_instrument() -> None:
    assert isinstance(run.system_of(Settings()), BrowserSystem)


@pytest.mark.parametrize("asked", [{"api": "jack"}, {"input": "keys"}, {"output": "sound"}, {"panel": False}])
def test_but_not_where_midi_is_asked_for_or_there_is_no_page(asked: dict[str, object]) -> None:
    with pytest.raises(PortError, match="there is no MIDI system"):
        run.system_of(Settings.model_validate(asked))


def test_its_ports_are_its_own_and_lead_nowhere() -> None:
    system = BrowserSystem()
    assert system.open_virtual_input("x").poll() is None
    system.open_virtual_output("x").send(b"\x90\x3c\x40")
    assert system.list_ports().inputs == ()
    assert system.is_alive()
    for open_named in (system.open_input, system.open_output):
        with pytest.raises(PortError, match="'organ'"):
            open_named("organ")
    system.close()
