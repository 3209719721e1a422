"""`pianod ports`: the MIDI ports there are, and how to name one."""

from realtime.midi.ports import PortListing
from realtime.midi.rtmidi_ports import list_ports
from realtime.settings import Settings


def run_ports(settings: Settings) -> int:
    """Print the ports of the chosen MIDI system; PortError says what to install where there is none."""
    print(listing_text(list_ports(settings.api)))
    return 0


def listing_text(listing: PortListing) -> str:
    """Return the ports as lines to read."""
    lines = [f"MIDI system: {listing.api}"]
    for title, names in (("Inputs", listing.inputs), ("Outputs", listing.outputs)):
        lines.append(f"{title}:" if names else f"{title}: none")
        lines += [f"  {name}" for name in names]
    lines.append("A part of a name is enough:  bin/pianod --input NAME --output NAME")
    if listing.has_virtual:
        lines.append("Without names pianod opens virtual ports of its own.")
    return "\n".join(lines)
