"""What was connected and is not any more, so that it can be told by its name and with what happens when it returns.

Written by the thread that mends connections; `all` may be read by any.
"""

from dataclasses import dataclass

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Gone:
    """Something that was connected: what played (input), what made the sound (output), or the whole MIDI system."""

    what: str
    """input, output or system."""
    name: str
    returns: bool
    """Whether pianod takes it up again by itself when it is back; otherwise it is to be connected anew."""


class GonePorts:
    """What is gone, one of a kind: the last."""

    def __init__(self) -> None:
        self.all: tuple[Gone, ...] = ()

    def lost(self, what: str, name: str, *, returns: bool) -> None:
        """Note that something went."""
        self.all = (*(one for one in self.all if one.what != what), Gone(what, name, returns))

    def back(self, what: str) -> None:
        """Note that it is back, or that another has taken its place."""
        self.all = tuple(one for one in self.all if one.what != what)
