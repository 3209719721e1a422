"""From settings to a model that plays: the bundle, the endless session over it, the head of its streams."""

from concurrent.futures import Executor

import numpy as np

from inference.bundle import Bundle
from inference.graph_runner import GraphRunner, load_runner
from inference.onnx_session import OnnxSession
from inference.providers import CPU
from inference.rolling_context import RollingContext
from inference.trial import TrialLoad, hold_memory
from piano.sampling.sampler import SamplingSettings
from piano.tokens.styles import DENSITY_EDGES
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.find_bundle import EMBEDDED, open_bundle
from realtime.settings import AnswerGroup, ModelGroup, SamplingGroup

SOURCE_OF_STYLE = {"classical": "recital", "pop": "pop", "jazz": "jazz", "covers": "cover", "rolls": "roll"}
"""The kind of recording that the model knows each style by."""


def open_session(
    bundle: Bundle, settings: ModelGroup, *, spreads: bool = True, helper: Executor | None = None
) -> tuple[RollingContext, str]:
    """Return an endless session of a bundle, and the provider that runs it.

    One thread is enough for the embedded sizes, and leaves the other cores to the sound. Where nobody waits for a
    single token it `spreads` no work, and may have a `helper`: see `RollingContext`.
    """
    return _endless(bundle, _runner_of(bundle, settings), spreads=spreads, helper=helper)


def _runner_of(bundle: Bundle, settings: ModelGroup) -> GraphRunner:
    return load_runner(bundle, provider=settings.provider, threads=settings.threads or 1, half=settings.half)


def _endless(
    bundle: Bundle, runner: GraphRunner, *, spreads: bool = True, helper: Executor | None = None
) -> tuple[RollingContext, str]:
    session = OnnxSession(bundle, runner=runner)
    return RollingContext(session, session.twin(), spreads=spreads, helper=helper), session.provider


def open_for_live(settings: ModelGroup, trial: TrialLoad | None = None) -> tuple[RollingContext, str]:
    """Load the model that the settings name, to be played on for hours; see `open_bundle` and `open_session`.

    One that did not come with the program is held to its memory from then on, and each run of it to its time: a trial
    does not see every token.
    """
    bundle = open_bundle(settings, trial)
    runner = _runner_of(bundle, settings)
    session, provider = _endless(bundle, runner)
    if settings.model != EMBEDDED and provider == CPU:
        hold_memory(bundle)
        runner.limit.start()
    return session, provider


def styles_of(settings: AnswerGroup) -> tuple[str, ...]:
    """Return the names of the styles that the settings ask for."""
    asked = {
        "composer": settings.composer,
        "source": settings.style and SOURCE_OF_STYLE[settings.style],
        "density": None if settings.density is None else int(np.searchsorted(DENSITY_EDGES, settings.density)),
        "mood": settings.mood,
    }
    return tuple(f"{kind}:{name}" for kind, name in asked.items() if name is not None)


def stream_head(settings: AnswerGroup, task: str = "continue") -> tuple[int, ...]:
    """Return the head of a stream that is played on: BOS, the task, and the styles that the settings ask for."""
    return (VOCABULARY.bos, VOCABULARY.task(task), *(VOCABULARY.style(style) for style in styles_of(settings)))


def opening_head(settings: AnswerGroup) -> tuple[int, ...]:
    """Return the head of a stream that begins a piece."""
    return (*stream_head(settings), VOCABULARY.style("opening"))


def sampling_of(settings: SamplingGroup) -> SamplingSettings:
    """Return the settings as the sampler takes them; greedy is a temperature of 0, and nothing is held back."""
    if settings.greedy:
        return SamplingSettings(temperature=0.0)
    return SamplingSettings(
        settings.temperature,
        settings.top_k,
        settings.top_p,
        settings.min_p,
        settings.repetition_guard,
        settings.note_top_p,
        settings.pace_guard,
        settings.recall,
        settings.pulse_guard,
        settings.phrase_guard,
    )
