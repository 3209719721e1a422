"""How what is read of notes came about, and so how far it is believed: see `piano.solve.solver`."""

from dataclasses import dataclass, field

from piano.notes import NoteArray
from piano.solve.score_timing import TempoSettings
from piano.solve.slips import SLIPS
from piano.tasks.note_noise import NoteNoise
from piano.tasks.onset_noise import estimated_noise_s
from piano.tasks.repair_tasks import ONSET_NOISE_S, PITCH_NOISE_SEMITONES, VELOCITY_NOISE


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of how that which is read came about.

    `noise` lies on notes that are to be cleaned (None: that of the task). `slips` is the share of the keys that were
    missed by a semitone or two: where it is given, pitches are cleaned by the model. A score is played in a `tempo`.
    `seed`: of the lengths that are drawn about those written. Parts are filled in as `fills` says; None: freely.
    """

    seed: int = 0
    noise: NoteNoise | None = None
    slips: float | None = None
    tempo: TempoSettings = field(default_factory=TempoSettings)
    fills: "FillEvidence | None" = field(default_factory=lambda: FillEvidence())


@dataclass(frozen=True, slots=True)
class FillEvidence:
    """How a part is filled in: as what is replaced was (`follows_own`) or as is usual, so many times as dense.

    `twelfths_s` are those of the file's quarter notes, if it has any. See `piano.solve.texture.texture_of`.
    """

    follows_own: bool = False
    density: float = 1.0
    twelfths_s: tuple[float, ...] | None = None


def evidence_found(task: str, read: NoteArray) -> Evidence:
    """Return what the notes themselves tell of the noise on them: what is assumed where nobody says it."""
    onset_s = estimated_noise_s(read["onset_s"]) if task != "clean_pitch" else 0.0
    noise = NoteNoise(onset_s, onset_s if task in ("clean_time", "clean_all") else 0.0)
    return Evidence(noise=noise, slips=SLIPS if task == "clean_pitch" else None)


_TIME = NoteNoise(onset_s=ONSET_NOISE_S, length_s=ONSET_NOISE_S)
TASK_NOISE: dict[str, NoteNoise] = {
    "clean_pitch": NoteNoise(pitch=PITCH_NOISE_SEMITONES),
    "clean_onset": NoteNoise(onset_s=ONSET_NOISE_S),
    "clean_time": _TIME,
    "clean_all": NoteNoise(_TIME.onset_s, _TIME.length_s, PITCH_NOISE_SEMITONES, VELOCITY_NOISE),
}
"""The noise under which `piano.tasks.repair_tasks` lets notes be read."""
