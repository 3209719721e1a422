"""The list of ports, as it is printed."""

import pytest

from realtime.cli import port_list
from realtime.cli.port_list import listing_text, run_ports
from realtime.midi.ports import PortListing
from realtime.settings import Settings


def test_every_port_is_listed_under_its_direction() -> None:
    text = listing_text(PortListing("jack", ("piano:out", "pad:out"), (), has_virtual=True))
    assert text.splitlines() == [
        "MIDI system: jack",
        "Inputs:",
        "  piano:out",
        "  pad:out",
        "Outputs: none",
        "A part of a name is enough:  bin/pianod --input NAME --output NAME",
        "Without names pianod opens virtual ports of its own.",
    ]


def test_virtual_ports_are_not_promised_where_there_are_none() -> None:
    assert "virtual" not in listing_text(PortListing("windows", (), ("synth",), has_virtual=False))


def test_the_chosen_system_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(port_list, "list_ports", lambda api: PortListing(api, (), (), has_virtual=True))
    assert run_ports(Settings(api="jack")) == 0
    assert capsys.readouterr().out.startswith("MIDI system: jack\n")
