"""A run on a clock that is moved by hand: of what went out it keeps the take, and no more."""

import tracemalloc

from piano.events import NoteOff, NoteOn
from realtime.engine.offline_run import OfflineRun
from realtime.files.draw_pieces import partner_settings
from realtime.midi.memory_ports import MemoryOutputPort
from realtime.settings import Settings
from realtime.threads.clock import ManualClock
from tests.support.scripted_play import MS, S
from tests.support.session_models import model_of_chance

SETTINGS = partner_settings(Settings(panel=False, takes=None), 1, is_new=True)

MOST_BYTES = 16
"""A message takes 12 in the take, which has some to spare."""


def test_what_goes_out_goes_over_the_port_and_into_the_take() -> None:
    clock = ManualClock()
    port = MemoryOutputPort(clock)
    runs = [OfflineRun(model_of_chance(), SETTINGS, clock, port), OfflineRun(model_of_chance(), SETTINGS)]
    for run in runs:
        run.hand_over()
        run.run_until(5 * S)
        run.finish()
    sent = [(sent.at_ns, sent.data) for sent in port.sent]
    assert len(sent) > 20
    assert [run.partner.take.sent for run in runs] == [sent, sent]


def test_a_message_that_went_out_is_kept_in_some_bytes() -> None:
    run = OfflineRun(model_of_chance(), SETTINGS)

    def send(first: int, last: int) -> int:
        """Strike and release so many keys; return how much memory is in use."""
        for number in range(first, last):
            run.partner.scheduler.schedule(10 * number * MS, NoteOn(60, 64))
            run.partner.scheduler.schedule(10 * number * MS + 5 * MS, NoteOff(60))
            run.clock.advance_to(10 * number * MS + 5 * MS)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        kept = -send(0, 2000) + send(2000, 6000)
    finally:
        tracemalloc.stop()
    assert len(run.partner.take.sent) == 12_000
    assert kept < MOST_BYTES * 8000
