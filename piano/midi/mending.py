"""A track chunk with faults, made sound: what can be read stays, what cannot is left out, and each fault is told.

Sequencers and copiers leave bytes that the specification has no place for. What common players make of them is made
of them here: a value beyond 127 counts as 127, a message of the cable (clock, active sensing) is passed over, and what
breaks off ends the track there.
"""

from piano.midi.chunks import END_OF_TRACK
from piano.midi.faults import DamageError, Faults
from piano.midi.scan import DATA_BYTES, META, SYSEX, read_number, wait_bytes

_CABLE_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}


def mended_track(body: bytes, number: int, faults: Faults) -> bytes:
    """Return the body of a track chunk, the number-th of its file from 1 on, without its faults.

    What stays keeps its tick and its bytes. The result ends with an end of track.
    """
    out = bytearray()
    waits, at, status, size = 0, 0, 0, len(body)
    try:
        while at < size:
            start = at
            delta, at = read_number(body, at)
            waits += delta
            said = body[at]
            runs = said < 0x80
            if runs and not status:
                at = _next_status(body, at)
                faults.add(f"track {number} begins within an event, {at - start} bytes are passed over")
                said, runs = body[at], False
            at += not runs
            said = status if runs else said
            if said < 0xF0:
                status = said
                end = at + DATA_BYTES[said & 0xF0]
                if end > size:
                    raise IndexError
                data = bytes(min(byte, 127) for byte in body[at:end])
                if data != body[at:end]:
                    faults.add(f"track {number}, byte {at:,}: a value of {max(body[at:end])} counts as 127")
                event = data if runs else bytes((said,)) + data
            elif said == META or said in SYSEX:
                length, data_at = read_number(body, at + (said == META))
                end = data_at + length
                if end > size:
                    raise IndexError
                event = body[at - 1 : end]
            else:
                at += _CABLE_DATA_BYTES.get(said, 0)
                faults.add(f"track {number}, byte {start:,}: status {said:#04x} cannot stand in a file, it is left out")
                continue
            at = end
            out += wait_bytes(waits) + event
            waits = 0
    except IndexError:
        faults.add(f"track {number} ends within an event, at byte {start:,} of {size:,}")
    except DamageError as damage:
        faults.add(f"track {number} {damage} at byte {start:,} of {size:,}, and ends there")
    if not out.endswith(END_OF_TRACK):
        out += wait_bytes(waits) + END_OF_TRACK
    return bytes(out)


def _next_status(body: bytes, at: int) -> int:
    """Return where the next status byte stands; IndexError if there is none."""
    while body[at] < 0x80:
        at += 1
    return at
