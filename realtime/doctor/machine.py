"""What a computer offers: MIDI systems and their permissions, ports, real-time priority, and the speed of the model."""

import os
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from piano.errors import PianodError, PortError
from piano.session import Session
from realtime.doctor.finding import Finding, fault, good, note
from realtime.midi.ports import NO_INSTRUMENT, Direction, MidiSystem, PortListing, find_port
from realtime.threads.clock import NS_PER_MS, Clock

SEQUENCER = Path("/dev/snd/seq")
TOKENS = 200
FAST_MS, SLOW_MS = 5.0, 15.0
"""A note is three tokens; a key is heard within two."""


def system_findings(
    apis: Sequence[str], open_one: Callable[[str], MidiSystem], *, is_named: bool = False
) -> list[Finding]:
    """Say which MIDI systems answer; `open_one` raises PortError for one that does not.

    One that was asked for by name and does not answer is a fault; of several any one will do.
    """
    found, answers = [], False
    for api in apis:
        try:
            system = open_one(api)
        except PortError as error:
            says, _, remedy = str(error).partition(": ")
            found.append((fault if is_named else note)(says, remedy.partition(". `pianod demo`")[0]))
            continue
        answers = True
        try:
            found += [good(f"the MIDI system {api} answers"), *port_findings(system.list_ports())]
        finally:
            system.close()
    if not answers:
        found.append(
            note(
                "no MIDI system answers: pianod plays in its page, by the mouse, the computer's keys, or a keyboard "
                "that the browser sees",
                "docs/connect.md tells how to come by one",
            )
        )
    return found


def port_findings(listing: PortListing) -> list[Finding]:
    """Say what there is to play on."""
    inputs, outputs = (
        [name for name in names if not name.startswith(NO_INSTRUMENT)] for names in (listing.inputs, listing.outputs)
    )
    found = []
    for names, what, remedy in (
        (
            inputs,
            "keyboard or program to listen to",
            "plug the keyboard in and switch it on; its driver, if it needs one",
        ),
        (
            outputs,
            "sound to play on",
            "start a synthesiser (qsynth, or fluidsynth: docs/connect.md) or a DAW",
        ),
    ):
        if names:
            found.append(good(f"{what}: {', '.join(names)}"))
        else:
            found.append(note(f"no {what} ({listing.api})", remedy))
    return found


def named_port_findings(listing: PortListing, input_name: str | None, output_name: str | None) -> list[Finding]:
    """Say whether the ports that were asked for by name are there."""
    found = []
    for direction, name in ((Direction.INPUT, input_name), (Direction.OUTPUT, output_name)):
        if name is not None:
            try:
                index = find_port(listing, direction, name)
            except PortError as error:
                says, _, remedy = str(error).partition("; ")
                found.append(fault(says, remedy))
            else:
                found.append(good(f"the {direction} that is asked for is there: {listing.names(direction)[index]}"))
    return found


def permission_findings(sequencer: Path = SEQUENCER, *, platform: str = sys.platform) -> list[Finding]:
    """Say whether ALSA's sequencer is there and may be used; nothing where there is no ALSA."""
    if not platform.startswith("linux"):
        return []
    if not sequencer.exists():
        return [note(f"ALSA's sequencer {sequencer} is not there", "sudo modprobe snd-seq; in a container: use JACK")]
    if not os.access(sequencer, os.R_OK | os.W_OK):
        return [
            fault(
                f"you may not use ALSA's sequencer {sequencer}",
                "sudo usermod -aG audio $USER, then log out and in again",
            )
        ]
    return [good(f"ALSA's sequencer {sequencer} may be used")]


def priority_findings(limit: int | None) -> list[Finding]:
    """Say what real-time priority the system grants at most; None where it has no such limit."""
    if limit is None:
        return []
    if limit > 0 or limit == -1:
        return [good("real-time priority is granted")]
    return [
        note(
            "real-time priority is not granted: notes may be a few milliseconds late while the computer is busy",
            "type: echo '@audio - rtprio 95' | sudo tee /etc/security/limits.d/audio.conf; "
            "sudo usermod -aG audio $USER; then log out and in again",
        )
    ]


def priority_limit() -> int | None:
    """Return the limit of this process; None where the system has none."""
    if not sys.platform.startswith("linux"):
        return None
    import resource

    return resource.getrlimit(resource.RLIMIT_RTPRIO)[0]


def model_findings(
    open_model: Callable[[], tuple[Session, str]], clock: Clock, tokens: Sequence[int], count: int = TOKENS
) -> list[Finding]:
    """Say what runs the model and how long a token takes; `tokens` are what it is fed, one at a time, in turns."""
    try:
        session, provider = open_model()
    except PianodError as error:
        return [fault(f"the model cannot be played: {error}", "take the embedded one: --model embedded")]
    times_ms = []
    for number in range(count):
        began_ns = clock.now_ns()
        session.feed([tokens[number % len(tokens)]])
        times_ms.append((clock.now_ns() - began_ns) / NS_PER_MS)
    middle = statistics.median(times_ms)
    says = f"it takes {middle:.1f} ms a token, by {provider}"
    if middle < FAST_MS:
        return [good(f"the model is quick enough here: {says}")]
    if middle < SLOW_MS:
        return [
            note(
                f"the model is quick enough for answers, tight for duets: {says}", "close what keeps the computer busy"
            )
        ]
    return [
        fault(
            f"the model is too slow here to play along: {says}",
            "close what keeps the computer busy, try --threads 2, a smaller model",
        )
    ]
