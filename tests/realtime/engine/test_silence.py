"""What a report ends is silent before the engine, which may hang in the model, has its turn; the rest sounds on."""

import pytest

from piano.events import NoteOn, Pedal
from realtime.engine.messages import PortReport
from realtime.midi import port_events
from realtime.midi.message import bytes_of
from realtime.midi.ports import Direction
from realtime.output.voice_tracker import SoundingNotes
from realtime.settings import Settings
from tests.support.partner_with_thru import PartnerWithThru
from tests.support.scripted_play import S

KEY = (0, 60)


@pytest.mark.parametrize(
    ("report", "ends_keys", "ends_own"),
    [
        (port_events.PlayerGone("keys", "it is no longer connected"), True, True),
        (port_events.PortLost(Direction.INPUT, "keys", "unplugged"), True, True),
        (port_events.SystemLost("memory", "killed"), True, True),
        (port_events.ThreadRevived(Direction.INPUT, "on purpose"), True, True),
        (port_events.Stalled(5 * S), True, True),
        (port_events.ListenersGone(("synth",)), False, True),
        (port_events.PortReturned(Direction.INPUT, "keys"), False, False),
        (port_events.ThreadRevived(Direction.OUTPUT, "on purpose"), False, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_is_silent_before_the_engine_has_its_turn(report: PortReport, ends_keys: bool, ends_own: bool) -> None:
    desk = PartnerWithThru(Settings(mode="duet", thru=True, panel=False))
    scheduler = desk.run.partner.scheduler
    desk.deliver(bytes_of(NoteOn(KEY[1], 70)))
    for event in (NoteOn(72, 70), Pedal(down=True)):
        scheduler.send_now(event)
    scheduler.schedule(desk.run.clock.now_ns() + 60 * S, NoteOn(40, 60))
    desk.run.partner.receive(report)
    own = SoundingNotes() if ends_own else SoundingNotes(own=(72,), own_pedal=True)
    assert scheduler.status().sounding == SoundingNotes(own.own, () if ends_keys else (KEY,), own.own_pedal)
    assert scheduler.status().pending == (0 if ends_own else 1)
