"""That the harness can fail: with a safeguard taken away, the fuzz says so."""

from collections.abc import Callable
from typing import Any

import pytest

from piano.events import NoteOn
from realtime.midi.held_notes import HeldNotes
from realtime.midi.message import bytes_of
from realtime.midi.owed_releases import OwedReleases
from realtime.output.event_queue import EventQueue
from realtime.output.scheduler import Scheduler
from tests.realtime.state_machine.chaos import Chaos
from tests.realtime.state_machine.fuzz import run

WITHIN = 10_000
"""Events; these seeds find it with a third of them."""

Instead = Callable[..., Any]


@pytest.mark.parametrize(
    ("owner", "safeguard", "instead", "seed"),
    [
        pytest.param(EventQueue, "start_afresh", lambda _: [], 5, id="note-offs for a port that is back"),
        pytest.param(EventQueue, "begin_anew", lambda _: [], 3, id="silence after a thread failed"),
        pytest.param(EventQueue, "release_thru", lambda _: [], 2, id="releases when the keyboard is lost"),
        pytest.param(OwedReleases, "note", lambda *_: None, 3, id="releases that nobody heard, kept"),
        pytest.param(HeldNotes, "ends", lambda *_: False, 1, id="releases at a full queue"),
        pytest.param(Scheduler, "forget_own", lambda _: None, 5, id="releases after the model failed"),
    ],
)
def test_a_safeguard_that_is_missing_is_noticed(
    owner: type, safeguard: str, instead: Instead, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, safeguard, instead)
    with pytest.raises(AssertionError) as found:
        run(WITHIN, seed)
    assert found.value.__notes__[0].startswith(f"seed {seed}, session ")


def test_what_a_guardian_left_sounding_is_released_though_it_died_a_moment_ago() -> None:
    chaos = Chaos(is_virtual=True)
    chaos.play(bytes_of(NoteOn(60, 70)))
    chaos.kill_guardian()
    chaos.settle()
