"""Ports are found by name, and a name that is wrong is answered with those that are right."""

import pytest

from piano.errors import PortError
from realtime.midi.ports import Direction, PortListing, find_port, without_own

LISTING = PortListing("jack", inputs=("Grand Piano MK2", "Piano", "pad"), outputs=(), has_virtual=True)


def test_a_whole_name_goes_before_a_part_of_one() -> None:
    assert find_port(LISTING, Direction.INPUT, "piano") == 1


def test_part_of_a_name_is_enough() -> None:
    assert find_port(LISTING, Direction.INPUT, "mk2") == 0


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(PortError, match=r"'organ'.*'Grand Piano MK2', 'Piano', 'pad'"):
        find_port(LISTING, Direction.INPUT, "organ")


def test_no_ports_at_all_says_so() -> None:
    with pytest.raises(PortError, match="no output ports at all"):
        find_port(LISTING, Direction.OUTPUT, "organ")


def test_the_far_ends_of_our_own_virtual_ports_are_not_offered() -> None:
    listing = PortListing(
        "alsa", ("Casio:Casio 20:0", "pianod:pianod out 129:0"), ("Casio:Casio 20:0", "pianod:pianod in 128:0"), True
    )
    offered = without_own(listing, "pianod in", "pianod out")
    assert (offered.inputs, offered.outputs) == (("Casio:Casio 20:0",), ("Casio:Casio 20:0",))
    chosen = without_own(listing, "Casio:Casio 20:0", "Casio:Casio 20:0")
    assert chosen == offered, "a piano is offered both ways, though it is in use; no other pianod is"
    named = PortListing("jack", ("duo:mine",), ("duo:mine", "system:midi"), has_virtual=True)
    assert without_own(named, "mine", "system:midi").outputs == ("system:midi",), "whatever our own port is called"
