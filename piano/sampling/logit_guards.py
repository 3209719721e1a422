"""What changes the logits of one stream before a token is drawn, in one order: whoever draws, live or for files.

    memory        what was played comes back (`piano.sampling.memory`), not for ever (`piano.sampling.recall_guard`)
    releases      keys that are down come up (`piano.sampling.key_releases`)
    recent keys   none goes down again sooner than a finger can, or beside another (`piano.sampling.recent_keys`)
    restrikes     keys are not hammered (`piano.sampling.restrike_guard`)
    few keys      no two or three keys go round and round (`piano.sampling.few_keys_guard`)
    phrase        keys lie as those that were heard (`piano.sampling.phrase_guard`)
    pulse         onsets fall where the pulse of the last seconds has them (`piano.sampling.pulse_guard`)
    pedal         it comes up again, and in a new piece it is used as pianists do (`piano.sampling.pedal_guard`)
    repetition    a figure does not come for ever (`piano.sampling.repetition_guard`)
    density       the music is as busy as it is to be (`piano.sampling.density_guard`)

Plain state of whoever owns the stream. The memory follows tokens and is told of them by that owner; the guards follow
the notes of our own role, and the phrase those that were heard.
"""

from collections.abc import Mapping, Sequence

from piano.events import Role
from piano.sampling.density_guard import DensityGuard
from piano.sampling.few_keys_guard import FewKeysGuard
from piano.sampling.key_releases import with_releases
from piano.sampling.memory import Memory
from piano.sampling.pedal_guard import PedalGuard, with_lift
from piano.sampling.phrase_guard import PhraseGuard
from piano.sampling.pulse_guard import PulseGuard
from piano.sampling.recall_guard import RecallGuard
from piano.sampling.recent_keys import RecentKeysGuard
from piano.sampling.repetition_guard import RepetitionGuard
from piano.sampling.restrike_guard import RestrikeGuard
from piano.sampling.sampler import SamplingSettings
from piano.session import Logits
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import VOCABULARY, Kind


class LogitGuards:
    """The guards of one stream, and its memory: one of its own if none is given."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = Memory() if memory is None else memory
        self._begin()

    def _begin(self) -> None:
        self._figures, self._pace, self._recent = RepetitionGuard(), DensityGuard(), RecentKeysGuard()
        self._phrase, self._pedal, self._recall = PhraseGuard(), PedalGuard(), RecallGuard()
        self._restrikes, self._few, self._pulse = RestrikeGuard(), FewKeysGuard(), PulseGuard()

    def hear(self, pitch: int) -> None:
        """Take it that the next key of our own role is one that somebody else struck, and we go on from it."""
        self._recall.hear()
        self._restrikes.hear()
        self._few.hear()
        self._pulse.hear()
        self._phrase.hear(pitch)

    def strike(self, pitch: int, step: int, *, pedal_is_down: bool) -> None:
        """Take the next key of our own that went down, at a step no earlier than the one before.

        The memory has been told of it.
        """
        self._recall.push(self.memory.repetition(Role.OWN))
        self._figures.push(pitch)
        self._pace.push(step)
        self._recent.push(pitch, step)
        self._restrikes.push(pitch, step)
        self._few.push(pitch)
        self._pulse.push(step)
        self._pedal.push(pedal_is_down=pedal_is_down)

    def rollback(self, notes: int) -> None:
        """Forget all but the first `notes` keys; the memory is left as it is."""
        self._figures.rollback(notes)
        self._pace.rollback(notes)
        self._recent.rollback(notes)
        self._restrikes.rollback(notes)
        self._few.rollback(notes)
        self._pulse.rollback(notes)
        self._pedal.rollback(notes)
        self._recall.rollback(notes)

    def restart(self, head: Sequence[int] = ()) -> None:
        """Forget all keys, and hear those of a stream's head, which are to be played like; the memory stays."""
        self._begin()
        step, steps = 0, []
        for token in head:
            kind, value = VOCABULARY.kinds[token], int(VOCABULARY.values[token])
            if kind == Kind.TIME:
                step += value
            elif kind == Kind.ON:
                self._phrase.hear(value)
                steps.append(step)
        self._pulse.learn(steps)

    def notes_per_s(self, step: int) -> float | None:
        """Return how busy our role was of late, seen from a step; None if there was no note."""
        return self._pace.notes_per_s(step)

    def adjust(
        self,
        logits: Logits,
        mask: Mask,
        settings: SamplingSettings,
        step: int,
        pressed: Mapping[int, int] | None,
        under_pedal: int = 0,
        *,
        notes_per_s: float | None = None,
        chooses_keys: bool = True,
        recalls_when: bool = True,
    ) -> Logits:
        """Return logits, (vocab,), as they are to be drawn from at a step, among the tokens of a mask, (vocab,).

        `pressed` are the keys that our role holds, each with the step at which it went down; None where the velocity of
        a key comes next. `under_pedal` is how many keys it has struck since it pressed the pedal. `notes_per_s` is how
        busy the stream is to be; without it nothing keeps it to a density or a rhythm. Without `chooses_keys` they are
        given, as those of a score, and come however soon. Without `recalls_when` the memory says which keys go down,
        not when. Logits are never changed in place.
        """
        is_free = notes_per_s is not None
        recall = settings.recall * self._recall.share_left(is_free=is_free)
        pulse = settings.pulse_guard if is_free else 0.0
        logits = self.memory.adjust(logits, recall, mask, pulse, tells_when=recalls_when)
        if pressed is not None:
            logits = with_releases(logits, pressed, step, mask)
            if chooses_keys:
                logits = self._restrikes.adjust(self._recent.adjust(logits, step), step)
            if chooses_keys and is_free:
                logits = self._few.adjust(logits, mask)
            logits = self._phrase.adjust(logits, mask, settings.phrase_guard)
            if is_free:
                logits = with_lift(logits, under_pedal, mask) if settings.phrase_guard else logits
                logits = self._pulse.adjust(logits, step, settings.pulse_guard)
            if is_free and self._phrase.is_empty:
                logits = self._pedal.adjust(logits, settings.phrase_guard)
        logits = self._figures.penalise(logits, settings.repetition_guard)
        if notes_per_s is not None:
            logits = self._pace.penalise(logits, step, notes_per_s, settings.pace_guard)
        return logits

    def copy(self) -> "LogitGuards":
        """Return independent guards in the same state."""
        other = LogitGuards(self.memory.copy())
        other._figures, other._pace, other._recent = self._figures.copy(), self._pace.copy(), self._recent.copy()
        other._phrase, other._pedal, other._recall = self._phrase.copy(), self._pedal.copy(), self._recall.copy()
        other._restrikes, other._few, other._pulse = self._restrikes.copy(), self._few.copy(), self._pulse.copy()
        return other
