"""What a keyboard sent, judged: silence, channels, velocities, the pedal, doubled keys, floods. Pure; moments in ns.

Who plays is asked for some keys, soft and loud, and for two short presses of the pedal.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from realtime.doctor.finding import Change, Finding, fault, good, note
from realtime.midi.message import DRUM_CHANNEL, PEDAL_THRESHOLD, SUSTAIN, MessageKind, channel_of, kind_of
from realtime.midi.port_events import Received

ENOUGH_KEYS = 8
"""With fewer keys nothing is said of velocities."""

NARROW = 20
"""A range of velocities below this hardly tells soft from loud."""

TWICE_NS = 30_000_000
"""A key cannot be struck again by hand so soon."""

FLOOD_PER_S = 100.0
"""Real-time messages; a clock at 240 quarter notes a minute sends 96."""

CLOCK = 0xF8


def keyboard_findings(messages: Sequence[Received], duration_ns: int) -> list[Finding]:
    """Return what can be said of a keyboard by what it sent within a time."""
    keys = [one for one in messages if kind_of(one.data) is MessageKind.NOTE_ON]
    found = [*_flood(messages, duration_ns), *_pedal(messages, duration_ns)]
    if not keys:
        return [_silence(messages), *found]
    return [*_channels(keys), *_doubled(keys), *_velocities(keys), *found]


def _silence(messages: Sequence[Received]) -> Finding:
    if any(kind_of(one.data) not in (MessageKind.REAL_TIME, MessageKind.SYSEX) for one in messages):
        return note("no key came, but other messages did: the cable is good", "play some keys, and call again")
    alive = " (it is switched on and connected: it sends clock or active sensing)" if messages else ""
    return fault(
        f"no key was heard{alive}",
        "is this the right port (`pianod ports`)? Is the cable in the keyboard's MIDI OUT or USB TO HOST? In the "
        "keyboard's MIDI menu, is transmitting on?",
    )


def _channels(keys: Sequence[Received]) -> list[Finding]:
    channels = Counter(channel_of(one.data) for one in keys)
    if set(channels) == {DRUM_CHANNEL}:
        return [
            fault(
                f"all {len(keys)} keys came on channel 10, which is that of drums: pianod does not hear them",
                "set the keyboard's transmit channel to 1 (its manual: TX CHANNEL, often a key held with FUNCTION)",
            )
        ]
    names = ", ".join(str(channel + 1) for channel in sorted(channels))
    found = [good(f"{len(keys)} keys on channel {names}")]
    if DRUM_CHANNEL in channels:
        found.append(note("some keys came on channel 10, which pianod leaves to drums", "transmit on one channel"))
    return found


def _doubled(keys: Sequence[Received]) -> list[Finding]:
    last: dict[int, Received] = {}
    twice, across = 0, 0
    for one in keys:
        before = last.get(one.data[1])
        if before is not None and one.at_ns - before.at_ns < TWICE_NS:
            twice += 1
            across += channel_of(before.data) != channel_of(one.data)
        last[one.data[1]] = one
    if twice * 4 < len(keys):
        return []
    if across * 2 > twice:
        return [
            fault(
                f"{twice} keys came twice, on two channels: two sounds are layered (DUAL, LAYER, SPLIT)",
                "switch the second sound off, or listen to one channel: --input-channel 1",
                Change("Listen to channel 1", {"input_channel": 1}),
            )
        ]
    return [
        fault(
            f"{twice} keys came twice within {TWICE_NS // 1_000_000} ms",
            "the keyboard reaches pianod by two ways, or a program (a DAW with input monitoring) repeats it: "
            "disconnect one of them",
        )
    ]


def _velocities(keys: Sequence[Received]) -> list[Finding]:
    velocities = sorted(one.data[2] for one in keys)
    lowest, highest = velocities[0], velocities[-1]
    if len(keys) < ENOUGH_KEYS:
        return [note(f"{len(keys)} keys are too few to judge velocities", f"play {ENOUGH_KEYS} or more, soft and loud")]
    if lowest == highest:
        return [
            fault(
                f"every key has velocity {lowest}: the keyboard sends none",
                "set its touch to anything but FIXED; if it has no touch, let pianod find your dynamics by what you "
                "play (--mode velocity --strength 1)",
                Change("Let pianod find the dynamics", {"mode": "velocity", "strength": 1.0}),
            )
        ]
    if highest - lowest < NARROW:
        return [
            note(
                f"velocities lie between {lowest} and {highest} only",
                "if you did play soft and loud: choose another touch curve in the keyboard's menu (NORMAL or MEDIUM)",
            )
        ]
    if velocities[len(keys) // 2] == 127:
        return [
            note(
                "half of the keys or more have the highest velocity, 127",
                "choose a heavier touch curve in the keyboard's menu (HARD, HEAVY)",
            )
        ]
    if highest < 64:
        return [
            note(
                f"no key is louder than velocity {highest}",
                "if you did play loud: choose a lighter touch curve in the keyboard's menu (SOFT, LIGHT)",
            )
        ]
    return [good(f"velocities from {lowest} to {highest}")]


def _pedal(messages: Sequence[Received], duration_ns: int) -> list[Finding]:
    moves = [one for one in messages if kind_of(one.data) is MessageKind.SUSTAIN and one.data[1] == SUSTAIN]
    if not moves:
        return [note("no pedal was heard", "press it twice; plug it in before the keyboard is switched on")]
    values = [one.data[2] for one in moves]
    ends_ns = [one.at_ns for one in moves[1:]] + [max(duration_ns, moves[-1].at_ns)]
    down_ns = sum(
        end_ns - one.at_ns for one, end_ns in zip(moves, ends_ns, strict=True) if one.data[2] >= PEDAL_THRESHOLD
    )
    if min(values) == max(values):
        return [note(f"the pedal sent nothing but {values[0]}", "press it and let it go")]
    if values[-1] >= PEDAL_THRESHOLD and down_ns * 2 > duration_ns - moves[0].at_ns:
        return [
            fault(
                "the pedal is down when it is let go: it is reversed, or you held it to the end",
                "plug it in while the keyboard is off and nobody steps on it, or turn its polarity switch",
            )
        ]
    if min(values) > 0 and max(values) - min(values) > 1 and min(values) >= PEDAL_THRESHOLD // 4:
        return [
            fault(
                f"the pedal never comes up below {min(values)} of 127: it rests half-way",
                "is something under it? Calibrate it in the keyboard's menu, or set it to ON/OFF (SWITCH) there",
            )
        ]
    kind = "a pedal that knows half-way" if len(set(values)) > 2 else "a pedal that is up or down"
    return [good(f"{kind}, {sum(_is_press(*pair) for pair in pairwise([0, *values]))} presses")]


def _is_press(before: int, after: int) -> bool:
    return before < PEDAL_THRESHOLD <= after


def flood_findings(real_time: int, duration_ns: int) -> list[Finding]:
    """Say whether so many system real-time messages within a time are a flood."""
    per_s = real_time / max(duration_ns / 1e9, 1e-3)
    if per_s <= FLOOD_PER_S:
        return []
    return [
        note(
            f"{per_s:.0f} clock or sensing messages a second: a flood; pianod leaves it out",
            "switch MIDI CLOCK OUT or SYNC off in the keyboard, or in the program that sends it",
        )
    ]


def _flood(messages: Sequence[Received], duration_ns: int) -> list[Finding]:
    real_time = Counter(one.data[0] for one in messages if kind_of(one.data) is MessageKind.REAL_TIME)
    if flood := flood_findings(sum(real_time.values()), duration_ns):
        return flood
    if real_time[CLOCK]:
        return [
            note(
                "a MIDI clock comes in",
                "the metronome follows it with --follow-clock; else it does no harm",
                Change("Follow the clock", {"follow_clock": True}),
            )
        ]
    return []
