"""What a port says when something is sent: what comes back, how long a message travels, and the piano's own keys."""

from collections.abc import Sequence

import numpy as np

from piano.errors import PortError
from realtime.doctor.finding import Change, Finding, fault, good, note
from realtime.midi.message import split
from realtime.midi.port_events import Received
from realtime.midi.ports import InputPort, MidiSystem, OutputPort
from realtime.threads.clock import NS_PER_MS, NS_PER_S, Clock

PROBE = 119
"""A controller that means nothing to anybody: it makes no sound."""

LOCAL_CONTROL = 122
LOOP = "pianod doctor loop"
PROBES = 200
WITHIN_NS = NS_PER_S // 2


def local_control(channel: int, *, on: bool) -> bytes:
    """Return the message that tells a piano whether its keys play its own sound; `channel` from 1."""
    return bytes((0xB0 + channel - 1, LOCAL_CONTROL, 127 if on else 0))


def probe(channel: int) -> bytes:
    """Return a message that makes no sound and changes nothing; `channel` from 1."""
    return bytes((0xB0 + channel - 1, PROBE, 85))


def listen(port: InputPort, clock: Clock, duration_ns: int) -> list[Received]:
    """Return what comes in within a time, with moments from its beginning; at least what is there already."""
    began_ns = clock.now_ns()
    heard: list[Received] = []
    while True:
        while (data := port.poll()) is not None:
            at_ns = clock.now_ns() if port.arrived_ns is None else port.arrived_ns
            heard += [Received(at_ns - began_ns, message) for message in split(data)]
        if clock.now_ns() - began_ns >= duration_ns:
            return heard
        port.wait()


def loop_findings(output: OutputPort, port: InputPort, clock: Clock, channel: int) -> list[Finding]:
    """Say whether what goes out comes in again."""
    sent = probe(channel)
    output.send(sent)
    return [loop_finding(is_loop=comes_back(sent, listen(port, clock, WITHIN_NS // 2)))]


def comes_back(sent: bytes, heard: Sequence[Received]) -> bool:
    """Say whether a message that went out is among those that came in, on whatever channel."""
    return any(one.data[1:] == sent[1:] for one in heard if len(one.data) == 3)


def loop_finding(*, is_loop: bool) -> Finding:
    """Say whether what goes out comes in again."""
    if is_loop:
        return note(
            "what pianod sends comes back to it: there is a loop, by the keyboard's MIDI THRU or a program between",
            "pianod leaves its own notes out, but other programs may not: switch MIDI THRU or ECHO off",
        )
    return good("what pianod sends does not come back to it")


def own_sound_findings(input_name: str, output_name: str, *, thru: bool) -> list[Finding]:
    """Say what is to be minded where the keyboard is the sound, too."""
    if not is_same_device(input_name, output_name):
        return []
    if thru:
        return [
            fault(
                f"{output_name!r} is keyboard and sound: with thru each key sounds twice, by itself and by pianod",
                "leave --thru off, or switch Local Control off: pianod doctor --local-control off",
                Change("Do not pass my keys on", {"thru": False}),
            )
        ]
    return [
        good(f"{output_name!r} is keyboard and sound; its own keys sound by themselves (Local Control on, thru off)")
    ]


def is_same_device(one: str, other: str) -> bool:
    """Say whether two ports are those of one instrument, as far as their names tell."""
    return one.partition(":")[0].strip().lower() == other.partition(":")[0].strip().lower()


def travel_findings(system: MidiSystem, clock: Clock, probes: int = PROBES) -> list[Finding]:
    """Measure how long a message takes from one port of ours through the system to another."""
    if not system.list_ports().has_virtual:
        return [note("this system has no virtual ports, through which the way of a message could be measured")]
    try:
        output = system.open_virtual_output(LOOP)
        port = system.open_input(LOOP)
    except PortError as error:
        return [note(f"the way of a message could not be measured: {error}")]
    try:
        return [_judged(_travels_ms(output, port, clock, probes), probes)]
    finally:
        port.close()
        output.close()


def _travels_ms(output: OutputPort, port: InputPort, clock: Clock, probes: int) -> list[float]:
    travels = []
    for number in range(probes):
        sent = bytes((0xB0, PROBE, number % 128))
        sent_ns = clock.now_ns()
        output.send(sent)
        while clock.now_ns() - sent_ns < WITHIN_NS:
            if port.poll() == sent:
                travels.append((clock.now_ns() - sent_ns) / NS_PER_MS)
                break
            port.wait()
    return travels


def _judged(travels_ms: Sequence[float], probes: int) -> Finding:
    if len(travels_ms) < probes:
        return fault(
            f"{probes - len(travels_ms)} of {probes} messages were lost on the way through the MIDI system",
            "start the MIDI system again (JACK: restart jackd; ALSA: sudo modprobe -r snd-seq-midi, then again)",
        )
    middle, late = np.percentile(travels_ms, (50, 99))
    says = f"a message travels {middle:.1f} ms through the MIDI system, {late:.1f} ms at worst (99 of 100)"
    if late < 10:
        return good(says)
    return note(says, "a smaller period of the audio server (JACK: -p 128 -n 2), fewer programs beside it")
