"""A computer with and without MIDI, permissions, priority and a model that is quick enough."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from piano.errors import BundleError, PortError
from realtime.doctor.finding import Finding, Grade
from realtime.doctor.machine import (
    model_findings,
    permission_findings,
    port_findings,
    priority_findings,
    system_findings,
)
from realtime.midi.memory_ports import MemoryMidiSystem
from realtime.midi.ports import MidiSystem, PortListing
from realtime.threads.clock import NS_PER_MS, ManualClock, MonotonicClock


def grades(found: Sequence[Finding]) -> list[Grade]:
    for one in found:
        assert one.grade is Grade.GOOD or one.remedy, one
    return [one.grade for one in found]


def test_each_system_is_asked_and_what_is_missing_is_told_with_the_way_out() -> None:
    def open_one(api: str) -> MidiSystem:
        if api == "alsa":
            raise PortError("the MIDI system 'alsa' does not answer: load the ALSA sequencer")
        return MemoryMidiSystem(MonotonicClock(), ["Piano"])

    found = system_findings(("alsa", "jack"), open_one)
    assert grades(found) == [Grade.NOTE, Grade.GOOD, Grade.GOOD, Grade.GOOD]
    assert found[0].remedy == "load the ALSA sequencer"
    assert "no MIDI system answers" in system_findings(("alsa",), open_one)[-1].says
    assert "no MIDI system answers" in system_findings((), open_one)[-1].says


def test_ports_of_pianod_and_of_nobody_are_no_instruments() -> None:
    found = port_findings(PortListing("alsa", ("Midi Through:0", "CASIO"), ("pianod in",), has_virtual=True))
    assert grades(found) == [Grade.GOOD, Grade.NOTE]
    assert found[0].says.endswith(": CASIO")


def test_the_sequencer_is_there_and_may_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "seq"
    assert permission_findings(there, platform="darwin") == []
    assert grades(permission_findings(there, platform="linux")) == [Grade.NOTE]
    there.touch()
    assert grades(permission_findings(there, platform="linux")) == [Grade.GOOD]
    monkeypatch.setattr("os.access", lambda *_: False)
    assert grades(permission_findings(there, platform="linux")) == [Grade.FAULT]


@pytest.mark.parametrize(("limit", "expected"), [(None, []), (0, [Grade.NOTE]), (95, [Grade.GOOD]), (-1, [Grade.GOOD])])
def test_real_time_priority(limit: int | None, expected: list[Grade]) -> None:
    assert grades(priority_findings(limit)) == expected


class Model:
    """A model that takes its time on a clock that is moved by hand."""

    def __init__(self, clock: ManualClock, ms: float) -> None:
        self._clock, self._ms = clock, ms

    length = 0

    def feed(self, tokens: Sequence[int]) -> np.ndarray:
        self._clock.advance_to(self._clock.now_ns() + int(self._ms * NS_PER_MS))
        return np.zeros(len(tokens), np.float32)


@pytest.mark.parametrize(("ms", "grade"), [(1.0, Grade.GOOD), (8.0, Grade.NOTE), (40.0, Grade.FAULT)])
def test_the_speed_of_the_model(ms: float, grade: Grade) -> None:
    clock = ManualClock()
    [found] = model_findings(lambda: (Model(clock, ms), "CPU"), clock, (1, 2), 3)  # type: ignore[arg-type,return-value]
    assert grades([found]) == [grade]
    assert f"takes {ms:.1f} ms a token" in found.says


def test_a_model_that_cannot_be_played_is_told() -> None:
    def fail() -> tuple[Model, str]:
        raise BundleError("there is no such bundle")

    [found] = model_findings(fail, ManualClock(), (1,), 3)  # type: ignore[arg-type]
    assert grades([found]) == [Grade.FAULT]
