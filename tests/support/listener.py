"""A listener at the far end of the wire: hears messages as a synthesiser does and holds the laws against them."""

from realtime.midi.message import MessageKind, channel_of, kind_of


class Listener:
    """What sounds according to the messages alone."""

    def __init__(self) -> None:
        self.sounding: dict[tuple[int, int], int] = {}
        """Velocity by (channel, pitch)."""
        self.pedal: dict[int, int] = {}
        self.struck: list[tuple[int, int, int]] = []

    def hear(self, data: bytes) -> None:
        """Take one message; a note-on for a note that sounds breaks the law."""
        kind = kind_of(data)
        assert kind not in (MessageKind.MALFORMED, MessageKind.REAL_TIME), data.hex()
        if kind in (MessageKind.SYSEX, MessageKind.SYSTEM_COMMON):
            return
        channel = channel_of(data)
        if kind is MessageKind.NOTE_ON:
            assert (channel, data[1]) not in self.sounding, f"{data.hex()} strikes a note that sounds"
            self.sounding[channel, data[1]] = data[2]
            self.struck.append((channel, data[1], data[2]))
        elif kind is MessageKind.NOTE_OFF:
            self.sounding.pop((channel, data[1]), None)
        elif kind is MessageKind.SUSTAIN:
            self.pedal[channel] = data[2]
        elif kind is MessageKind.RESET:
            self.pedal[channel] = 0

    def is_silent(self) -> bool:
        """Say whether no note is held, by key or by pedal."""
        return not self.sounding and not any(value >= 64 for value in self.pedal.values())
