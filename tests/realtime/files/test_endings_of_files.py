"""`--ending`: new music comes to its end by the length asked for."""

from pathlib import Path

import pytest

from piano.events import NoteOff, NoteOn
from realtime.engine.listening import EngineSettings
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.files.continuation import NOTHING, Continuation, PieceLength, go_on
from realtime.files.task_requests import ContinueFilesRequest, NewPiecesRequest
from realtime.performers.play_settings import AnswerSettings, Length, PlaySettings
from tests.support.scripted_play import S
from tests.support.session_models import HEAD, model_of_chance


def made(length: PieceLength, seed: int = 1) -> Continuation:
    playing = PlaySettings(AnswerSettings(pause=None, length=Length.ENDLESS, seed=seed), HEAD)
    listening = EngineSettings(ending_ns=round((length.ending_s or 0.0) * S))
    return go_on(OfflineRun(model_of_chance(seed), PartnerSettings(playing, listening)), NOTHING, length)


@pytest.mark.parametrize("seed", range(4))
def test_the_last_keys_go_down_before_the_end_and_come_up_by_it(seed: int) -> None:
    ended = made(PieceLength(12.0, ending_s=4.0), seed)
    onsets = [timed.at_ns for timed in ended.events if isinstance(timed.event, NoteOn)]
    assert max(onsets) <= (12.0 - 0.35 * 4.0) * S + 20_000_000
    assert max(timed.at_ns for timed in ended.events) <= 12.1 * S
    assert not ended.is_short


def test_without_it_the_music_is_cut_off() -> None:
    cut = made(PieceLength(12.0))
    assert max(timed.at_ns for timed in cut.events if isinstance(timed.event, NoteOn)) > 11.3 * S


def test_a_length_in_notes_is_reached_and_then_ended() -> None:
    ended = made(PieceLength(notes=40, ending_s=3.0))
    struck = [timed for timed in ended.events if isinstance(timed.event, NoteOn)]
    assert len(struck) >= 40
    assert len(struck) == sum(isinstance(timed.event, NoteOff) for timed in ended.events)
    assert ended.events[-1].at_ns - struck[39].at_ns <= 4 * S


def test_both_commands_can_ask_for_it() -> None:
    continued = ContinueFilesRequest(files=("idea.mid",), ending=True)
    assert continued.of_file(Path("idea.mid"), Path("out.mid")).ending
    assert NewPiecesRequest(out=Path("new.mid"), ending=True).ending
    assert not NewPiecesRequest(out=Path("new.mid")).ending
