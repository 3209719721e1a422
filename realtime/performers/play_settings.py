"""How to play, as performers take it: the mode and what each mode is told. Plain data, on any thread."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto

from piano.changes import Chart
from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.sampling.sampler import SamplingSettings
from piano.solve.bounds import LONGEST_HOLD_NS
from piano.tasks.repair_tasks import ANY_KEYBOARD
from piano.tokens.vocabulary import KEYS
from realtime.performers.partner_ear import DuetRole
from realtime.performers.reference import Reference


class Mode(StrEnum):
    """A way of playing."""

    ANSWER = "answer"
    """Call and response: wait for the end of a phrase, then go on in its manner."""
    DUET = "duet"
    """Play along, another voice of the same music."""
    LOOP = "loop"
    """Repeat a phrase, and play the missing voice over each pass of it."""
    VELOCITY = "velocity"
    """Give back each key that is played, as hard as it should have been struck."""


@dataclass(frozen=True, slots=True)
class PauseSettings:
    """The bounds between which the pause adapts, in nanoseconds."""

    shortest_ns: int = 700_000_000
    longest_ns: int = 1_500_000_000


class Length(Enum):
    """How long an answer is."""

    ENDLESS = auto()
    PHRASE = auto()
    """About as long as the phrase that it answers, to the next rest."""
    BARS = auto()
    """So many bars, after as many of the player's: trading."""


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How to listen and how to answer."""

    pause: PauseSettings | None = field(default_factory=PauseSettings)
    """None: only an explicit wish is answered."""
    length: Length = Length.ENDLESS
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    seed: int = 0
    notes_per_s: float | None = None
    """How busy an answer is to be; None: as busy as what it answers, or as pianists are where that tells nothing."""
    most_keys: int = KEYS
    longest_hold_ns: int = LONGEST_HOLD_NS
    expects: bool = False
    """Whether the model has a word in when a phrase is over."""
    joins: bool = False
    """Whether the player may join an answer: a key that does not take it over does not end it."""
    leads_below: int | None = None
    """A MIDI pitch under which the player's keys lead the harmony and end no answer."""
    bars: int = 4
    """How many bars a turn has, where bars are traded."""


@dataclass(frozen=True, slots=True)
class PlayLimits:
    """How the model plays beside someone; pitches and velocities as in MIDI, both ends included."""

    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    seed: int = 0
    lowest_pitch: int = LOWEST_PITCH
    highest_pitch: int = HIGHEST_PITCH
    loudest: int = 127
    louder: int = 0
    """How much louder than it means to the model plays, in steps of MIDI velocity; below 0 softer."""
    restraint: float = 0.0
    """How much less likely each key of the model's own is than the model thinks, in nats; see `PlayLimiter.bias`."""
    most_a_second: int = 16
    """The most keys that the model strikes within any second."""
    role: DuetRole | None = None
    """What the model is beside the player; None leaves that to the model."""
    most_keys: int = KEYS
    longest_hold_ns: int = LONGEST_HOLD_NS


class WhenAlone(StrEnum):
    """What the model does when the player has stopped."""

    END = "end"
    """Release what sounds and wait for the player."""
    HOLD = "hold"
    """Strike nothing new; what sounds ends as it would."""
    CONTINUE = "continue"
    """Play on."""


@dataclass(frozen=True, slots=True)
class DuetSettings:
    """How the model plays along, and what it does when the player has stopped."""

    limits: PlayLimits = field(default_factory=PlayLimits)
    when_alone: WhenAlone = WhenAlone.END
    alone_after_ns: int = 4_000_000_000
    """The player has stopped when nothing was done for so long and no key is held."""


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How a phrase is recorded and how it goes round."""

    limits: PlayLimits = field(default_factory=PlayLimits)
    pause: PauseSettings | None = field(default_factory=PauseSettings)
    """None: only the player's word ends a recording."""
    sounds: bool = True
    """Whether the phrase itself is played back."""
    renews: bool = True
    """Whether each pass has a new answer until one is kept; else only when one is asked for."""
    grid: float = 0.0
    """How far the answers' keys are drawn to the beat, 0 to 1, where beats are kept."""
    finds_hand: bool = True
    """Whether the missing voice is the hand in whose place the phrase does not lie; else the head names it."""


@dataclass(frozen=True, slots=True)
class VelocitySettings:
    """How far the keyboard is believed: `strength` 0 passes its velocities through, 1 ignores them."""

    strength: float = 0.5

    @property
    def task(self) -> str:
        """Return the task under which the model listens."""
        return "velocity" if self.strength == 1 else ANY_KEYBOARD


@dataclass(frozen=True, slots=True)
class PlaySettings:
    """How to play: the mode, how a stream begins, and what each mode is told."""

    answers: AnswerSettings
    head: tuple[int, ...]
    """How the stream begins: its styles, and the opening of what is to be played like."""
    mode: Mode = Mode.ANSWER
    duet: DuetSettings | None = None
    """How to play along; as by default if not given."""
    loop: LoopSettings | None = None
    """How to loop; as by default if not given."""
    velocity: VelocitySettings | None = None
    """How to find velocities; as by default if not given."""
    chart: Chart | None = None
    """The changes that go round with the bars."""
    harmony: float = 0.0
    """How strongly keys lean to the chord, 0 to 1."""
    chord_split: int | None = None
    """A MIDI pitch under which what the player holds is the chord, in place of the changes."""
    reference: Reference | None = None
    """What is to be played like."""
    grid: float = 0.0
    """How far own keys are drawn to the beat, 0 to 1."""

    @property
    def trades(self) -> bool:
        """Whether bars are traded."""
        return self.mode is Mode.ANSWER and self.answers.length is Length.BARS
