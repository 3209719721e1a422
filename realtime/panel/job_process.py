"""`python -m realtime.panel.job_process`: one job of the panel, in a process of its own.

Its request comes as JSON on standard input, the file lies in the working folder as `given.mid`. What is made of it is
written beside it: `made.mid`, and `picture.json` with what was there before and after. How far it is goes out on
standard output, a line `progress SHARE` at a time.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from inference.trial import memory_of
from piano.errors import PianodError
from piano.midi.document import MidiDocument
from piano.midi.file import MidiTrack, write_performance
from piano.solve.solver import solve
from realtime.engine.find_bundle import open_bundle
from realtime.engine.from_settings import seed_of
from realtime.engine.offline_run import OfflineRun
from realtime.engine.open_model import open_session, sampling_of, styles_of
from realtime.files.continuation import DrawProgress, PieceLength, go_on
from realtime.files.deferred_session import DeferredSession
from realtime.files.draw_pieces import CONTINUATION, PRIMER, partner_settings, read_primer
from realtime.files.file_tasks import pose_file
from realtime.files.posed import TaskSettings
from realtime.files.requests import ContinueRequest
from realtime.files.task_requests import CleanRequest, FillRequest, PerformRequest, TaskRequest, VelocitiesRequest
from realtime.panel.job_request import GIVEN, MADE, PICTURE, JobRequest
from realtime.panel.memory_limit import TOO_MUCH, limit_memory
from realtime.panel.reading import picture_of
from realtime.settings import Settings

_FINEST = 0.005

ReportShare = Callable[[float], None]


def run_job(request: JobRequest, report: ReportShare) -> None:
    """Make what is asked for of `given.mid`; PianodError says why that cannot be."""
    settings = Settings.model_validate(dict(request.settings))
    if request.task == "continue":
        picture = _continue(settings, request.seconds, report)
    else:
        picture = _solve(settings, task_request_of(request), report)
    Path(PICTURE).write_text(json.dumps(picture_of(picture)), encoding="utf-8")


def _continue(settings: Settings, seconds: int, report: ReportShare) -> Sequence[MidiTrack]:
    primer = read_primer(ContinueRequest(out=Path(MADE), file=Path(GIVEN)))
    session, _ = open_session(_bundle_of(settings), settings, spreads=False)
    deferred = DeferredSession(session)
    run = OfflineRun(deferred, partner_settings(settings, seed_of(settings), is_new=False))

    def tell(progress: DrawProgress) -> None:
        report(progress.seconds / seconds)

    made = go_on(run, primer, PieceLength(seconds=seconds), tell, deferred=deferred)
    tracks = [MidiTrack(PRIMER, primer), MidiTrack(CONTINUATION, made.performance)]
    write_performance(Path(MADE), tracks)
    return tracks


def _bundle_of(settings: Settings) -> Bundle:
    """Load the model that the settings name, and let this process take what such a model takes."""
    bundle = open_bundle(settings)
    limit_memory(beside=memory_of(bundle))
    return bundle


def task_request_of(request: JobRequest) -> TaskRequest:
    """Return what is wanted in the words of the command line."""
    files, choice = (GIVEN,), request.choice
    match request.task:
        case "fill":
            return FillRequest(files=files, keep=choice)
        case "velocities":
            return VelocitiesRequest(files=files, from_nothing=choice == "from nothing")
        case "clean":
            return CleanRequest.model_validate({"files": files, choice: True})
        case "perform":
            return PerformRequest(files=files, order_only=choice == "the order of its keys alone")
    raise ValueError(f"there is no task {request.task!r}")


def _solve(settings: Settings, wish: TaskRequest, report: ReportShare) -> Sequence[MidiTrack]:
    document = MidiDocument.read(Path(GIVEN))
    playing = TaskSettings(sampling_of(settings), styles_of(settings), settings.strength)
    posed = pose_file(document, wish, playing, seed_of(settings))
    session = OnnxSession(_bundle_of(settings), provider=settings.provider, threads=settings.threads or 1)
    count, answers = len(posed.exercises), []
    for index, exercise in enumerate(posed.exercises):

        def tell(share: float, done: int = index) -> None:
            report((done + share) / count)

        answers.append(solve(session, exercise, replace(posed.request, report=tell)))
    outcome = posed.outcome(answers)
    Path(MADE).write_bytes(outcome.document.to_bytes())
    return outcome.picture


def main() -> int:
    """Do the job; 2 and a line on standard error where it cannot be done."""
    limit_memory()
    last = -1.0

    def report(share: float) -> None:
        nonlocal last
        if share - last >= _FINEST:
            last = share
            print(f"progress {share:.4f}", flush=True)

    try:
        run_job(JobRequest(**json.load(sys.stdin)), report)
    except PianodError as error:
        print(f"pianod: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"pianod: {TOO_MUCH}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
