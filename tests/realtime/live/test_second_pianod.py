"""A second pianod on one machine: ports and a page of its own, and it says so; both are played."""

from pathlib import Path

from realtime.live.connections import with_own_names
from realtime.midi.memory_ports import MemoryMidiSystem
from realtime.settings import Settings
from realtime.threads.clock import ManualClock
from tests.realtime.live.test_end_to_end import account_of, start_pianist
from tests.realtime.panel.daemon import Daemon, free_port
from tests.support.jack import JackServer

KEYS = [[0.0, "903c46"], [0.2, "803c40"]]


def test_names_that_are_taken_are_followed_by_the_next_number() -> None:
    system, settings = MemoryMidiSystem(ManualClock()), Settings()
    assert with_own_names(system, settings) is settings
    for number in (2, 3):
        system.open_virtual_output(settings.virtual_output)
        system.open_virtual_input(settings.virtual_input)
        changed = with_own_names(system, Settings())
        assert (changed.virtual_input, changed.virtual_output) == (f"pianod in {number}", f"pianod out {number}")
        settings = changed
    named = Settings(input="keys", output="piano")
    assert with_own_names(system, named) is named


def test_it_has_ports_and_a_page_of_its_own_and_says_so(jack_server: JackServer, tmp_path: Path) -> None:
    port, flags = free_port(), ("--api", "jack", "--mode", "velocity", "--strength", "0")
    folders = [tmp_path / "first", tmp_path / "second"]
    daemons: list[Daemon] = []
    try:
        for folder in folders:
            folder.mkdir()
            daemons.append(Daemon(folder, port, *flags, jack_server=jack_server.name))
        first, second = daemons
        assert first.port == port != second.port
        assert not any("another pianod" in line for line in first.said)
        [names] = [line for line in second.said if "another pianod is running" in line]
        assert "pianod in 2" in names
        assert "pianod out 2" in names
        assert any(f"port {port} is taken, by another pianod perhaps" in line for line in second.said)
        script = {"takes": [{"after": "now", "notes": KEYS}], "listen_s": 1.0}
        for hands, ear in (("pianod in", "pianod out"), ("pianod in 2", "pianod out 2")):
            heard = account_of(start_pianist(jack_server, tmp_path, {**script, "hands": hands, "ear": ear})).heard
            assert [data[1] for _, data in heard if data[0] == 0x90] == [60]
    finally:
        for daemon in daemons:
            daemon.end()
    assert [len(list((folder / "takes").glob("*.mid"))) for folder in folders] == [1, 1]
