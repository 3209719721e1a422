"""What sessions on the manual clock send, as fingerprints: the demo's phrases, played to each way of playing."""

from collections.abc import Callable, Iterator, Mapping

from inference.onnx_session import Session
from realtime.cli.demo import demo_settings
from realtime.cli.demo_phrases import NAMES, read_phrase
from realtime.engine.commands import Command, HandOver, Keep, NewPiece, Retry, Undo
from realtime.engine.find_bundle import open_bundle
from realtime.engine.open_model import open_session
from realtime.midi.performance_messages import messages_of
from realtime.settings import Settings
from realtime.threads.clock import ManualClock
from tests.support.partner_with_thru import PartnerWithThru
from tests.support.scripted_play import S
from tests.support.session_models import model_of_chance
from tests.unchanged.files import fingerprint

SETTINGS: Mapping[str, Settings] = {
    "demo": demo_settings(Settings(panel=False, seed=11)),
    "answer": Settings(panel=False, thru=True, density=5.0, composer="chopin", longest_note_s=2.0),
    "phrase": Settings(panel=False, answer="phrase", trigger="pedal", temperature=0.9, top_p=0.95),
    "duet": Settings(panel=False, mode="duet", thru=True, restraint=-2.0, duet_hand="right", when_alone="continue"),
    "duet-split": Settings(panel=False, mode="duet", restraint=-2.0, duet_split=60, duet_louder=5, max_polyphony=3),
    "loop": Settings(panel=False, mode="loop", thru=True),
    "velocity": Settings(panel=False, mode="velocity", strength=0.7),
}
TOLD: Mapping[str, tuple[tuple[float, Command], ...]] = {
    "answer": ((9.0, Retry()), (14.0, NewPiece())),
    "phrase": ((6.0, HandOver()),),
    "loop": ((8.0, Keep()), (13.0, Undo()), (16.0, HandOver())),
}
LENGTH_S = 20.0


def session_records(
    names: frozenset[str] | None = None, session: Callable[[], Session] | None = None
) -> Iterator[tuple[str, str]]:
    """Yield a name and a fingerprint for what each session sends to its port, moments included.

    `session` makes the model, the one that comes with the program unless given.
    """
    for name, settings in SETTINGS.items():
        if names is None or name in names:
            yield f"session/{name}", fingerprint(_played(name, settings, (session or _embedded)()))


def chance_records() -> Iterator[tuple[str, str]]:
    """Yield the same of a model of chance, whose logits no processor changes."""
    for name, value in session_records(session=lambda: model_of_chance(3)):
        yield f"chance/{name}", value


def _embedded() -> Session:
    settings = Settings(panel=False)
    return open_session(open_bundle(settings), settings)[0]


def _played(name: str, settings: Settings, session: Session) -> bytes:
    """Return all that went out, a line for each message: its moment and its bytes."""
    desk = PartnerWithThru(settings, session, ManualClock())
    first = messages_of(read_phrase(NAMES[0]), S)
    second = messages_of(read_phrase(NAMES[1]), 11 * S)
    desk.play(first)
    desk.play(second)
    for at_s, command in TOLD.get(name, ()):
        desk.run.run_until(round(at_s * S))
        desk.run.tell(command)
    desk.run.run_until(round(LENGTH_S * S))
    desk.run.finish()
    lines = [f"{at_ns} {data.hex()}" for at_ns, data in desk.run.partner.take.sent]
    passed = [f"{sent.at_ns} {sent.data.hex()}" for sent in desk.port.sent]
    return "\n".join((*lines, "port", *passed)).encode()
