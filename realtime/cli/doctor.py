"""`pianod doctor`: look at the computer, listen to the keyboard, and say what to do. Main thread.

Its exit code is that of every command: 0 where nothing is wrong (what could be better is not wrong), 2 where something
is to be mended, be it what was found or what it was asked for.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from piano.errors import PortError
from realtime.cli.requests import DoctorRequest
from realtime.doctor.cable import listen, local_control, loop_findings, own_sound_findings, travel_findings
from realtime.doctor.finding import Finding, Grade, fault, in_short
from realtime.doctor.keyboard import keyboard_findings
from realtime.doctor.machine import (
    SEQUENCER,
    model_findings,
    named_port_findings,
    permission_findings,
    priority_findings,
    priority_limit,
    system_findings,
)
from realtime.engine.find_bundle import open_bundle
from realtime.engine.open_model import open_session, stream_head
from realtime.midi.ports import NO_INSTRUMENT, MidiSystem
from realtime.midi.rtmidi_library import AUTO
from realtime.midi.rtmidi_ports import RtmidiSystem, available_apis, open_system
from realtime.settings import Settings
from realtime.threads.clock import NS_PER_S, Clock, MonotonicClock

SIGNS = {Grade.GOOD: "  ok  ", Grade.NOTE: "  --  ", Grade.FAULT: "  !!  "}

CLIENT = "pianod doctor"


class _Teller:
    """Prints findings as soon as they are there, or all of them as JSON at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._sections: list[tuple[str, list[Finding]]] = []

    def tell(self, title: str, found: list[Finding]) -> list[Finding]:
        """Take the findings of one section, and return them."""
        self._sections.append((title, found))
        if not self._as_json:
            print(title)
            for one in found:
                remedy = [f"        {one.remedy}"] if one.remedy else []
                print(f"{SIGNS[one.grade]}{one.says}", *remedy, sep="\n", flush=True)
        return found

    def end(self, *, was_heard: bool) -> int:
        """Return the exit code: 2 where something is to be mended."""
        every = [one for _, found in self._sections for one in found]
        if self._as_json:
            print(
                json.dumps([{"title": title, "findings": list(map(asdict, found))} for title, found in self._sections])
            )
        else:
            print(in_short(every))
            if not was_heard:
                print("To have your keyboard judged:  pianod doctor --listen-s 15")
        return 2 if any(one.grade is Grade.FAULT for one in every) else 0


def run_doctor(settings: Settings, request: DoctorRequest) -> int:
    """Print what was found, with what to do; return 0, or 2 where something is to be mended."""
    clock = MonotonicClock()
    if request.local_control is not None:
        return _set_local_control(settings, request.local_control)
    teller = _Teller(as_json=request.as_json)
    apis = available_apis() if settings.api == AUTO else (settings.api,)
    if settings.api == AUTO and not SEQUENCER.exists():
        apis = tuple(api for api in apis if api != "alsa")  # told by the permissions
    found = [*permission_findings()]
    found += system_findings(apis, lambda api: RtmidiSystem(api, CLIENT), is_named=settings.api != AUTO)
    answers = any(one.grade is Grade.GOOD and one.says.endswith(" answers") for one in found)
    teller.tell("MIDI", found)
    teller.tell("The computer", priority_findings(priority_limit()) + _model(settings, clock))
    if answers:
        system = open_system(settings.api, CLIENT)
        try:
            named = named_port_findings(system.list_ports(), settings.input, settings.output)
            teller.tell("The cables", [*named, *travel_findings(system, clock)])
            if request.listen_s:
                teller.tell("Your keyboard", _keyboard(system, settings, clock, request.listen_s))
        finally:
            system.close()
    elif request.listen_s:
        silent = fault("it cannot be heard", "first there must be a MIDI system, see above")
        teller.tell("Your keyboard", [silent])
    return teller.end(was_heard=request.listen_s > 0)


def _keyboard(system: MidiSystem, settings: Settings, clock: Clock, listen_s: float) -> list[Finding]:
    try:
        return keyboard_part(system, settings, clock, listen_s)
    except PortError as error:
        says, _, remedy = str(error).partition("; ")
        return [fault(f"it cannot be heard: {says}", remedy or "`pianod ports` lists the ports there are")]


def keyboard_part(system: MidiSystem, settings: Settings, clock: Clock, listen_s: float) -> list[Finding]:
    """Listen to the keyboard and judge it; PortError where the port that was asked for is not there."""
    listing = system.list_ports()
    named = settings.input or _only(listing.inputs)
    port = system.open_input(named) if named else system.open_virtual_input(settings.virtual_input)
    duration_ns = int(listen_s * NS_PER_S)
    print(
        f"Listening to {port.name!r} for {listen_s:g} s: play some keys, soft and loud, and press the pedal twice.",
        file=sys.stderr,
        flush=True,
    )
    found = keyboard_findings(listen(port, clock, duration_ns), duration_ns)
    target = settings.output or _only(listing.outputs)
    if target:
        output = system.open_output(target)
        found += loop_findings(output, port, clock, settings.output_channel)
        found += own_sound_findings(port.name, output.name, thru=settings.thru)
        output.close()
    port.close()
    return found


def _set_local_control(settings: Settings, word: str) -> int:
    system = open_system(settings.api, CLIENT)
    try:
        listing = system.list_ports()
        name = settings.output or _only(listing.outputs)
        if name is None:
            raise PortError("no output, or more than one: name the piano's with --output (`pianod ports` lists them)")
        output = system.open_output(name)
        output.send(local_control(settings.output_channel, on=word == "on"))
        print(f"Local Control is {word} on {output.name!r}, if it minds controller 122.")
        output.close()
    finally:
        system.close()
    return 0


def _model(settings: Settings, clock: Clock) -> list[Finding]:
    return model_findings(lambda: open_session(open_bundle(settings), settings), clock, stream_head(settings))


def _only(names: Sequence[str]) -> str | None:
    """Return the one port that is an instrument; None where there are none or several."""
    others = [name for name in names if not name.startswith(NO_INSTRUMENT)]
    return others[0] if len(others) == 1 else None
