"""What a Standard MIDI File may be wrapped in: RIFF (`.rmi`) and MacBinary, and how it is taken out."""

from piano.midi.faults import DamageError

_MACBINARY_BYTES = 128
_RIFF_HEAD = 12
_MOST_WRAPPERS = 4


def unwrapped(data: bytes) -> bytes:
    """Return the MIDI file that the bytes are, or that is wrapped in them, also more than once. DamageError if none."""
    if not data:
        raise DamageError("the file is empty")
    for _ in range(_MOST_WRAPPERS):
        if data[:4] == b"MThd":
            return data
        if data[:4] == b"RIFF" and data[8:12] == b"RMID":
            data = _from_riff(data)
        elif _is_macbinary(data):
            inside = data[_MACBINARY_BYTES:]
            length = int.from_bytes(data[83:87])  # of the data fork; what follows it is padding and the resource fork
            data = inside[:length] if 14 <= length <= len(inside) else inside
        else:
            break
    raise DamageError("this is not a MIDI file (it does not begin with MThd)")


def _is_macbinary(data: bytes) -> bool:
    """Say whether a MIDI file, or another wrapper of one, comes behind what may be the head of MacBinary."""
    inside = data[_MACBINARY_BYTES : _MACBINARY_BYTES + 4]
    if inside not in (b"MThd", b"RIFF") and inside[:1] != b"\0":
        return False
    return data[0] == 0 and 1 <= data[1] <= 63


def _from_riff(data: bytes) -> bytes:
    at = _RIFF_HEAD
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind == b"data":
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise DamageError("there is no MIDI file in its RIFF wrapper")
