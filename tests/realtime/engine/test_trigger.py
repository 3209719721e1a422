"""What asks for an answer, and what is swallowed with it."""

import pytest

from realtime.engine.trigger import PEDALS, Trigger, Verdict

MUSIC, ASKS, SWALLOWED = Verdict.MUSIC, Verdict.ASKS, Verdict.SWALLOWED


@pytest.mark.parametrize(
    ("trigger", "message", "verdict"),
    [
        (Trigger(), "90 15 40", MUSIC),
        (Trigger(), "b0 43 7f", MUSIC),
        (Trigger(key=21), "90 15 40", ASKS),
        (Trigger(key=21), "95 15 40", ASKS),
        (Trigger(key=21), "90 15 00", SWALLOWED),
        (Trigger(key=21), "80 15 40", SWALLOWED),
        (Trigger(key=21), "90 16 40", MUSIC),
        (Trigger(key=21), "a0 15 40", MUSIC),
        (Trigger(controller=PEDALS["soft"]), "b0 43 40", ASKS),
        (Trigger(controller=PEDALS["soft"]), "b3 43 7f", ASKS),
        (Trigger(controller=PEDALS["soft"]), "b0 43 3f", SWALLOWED),
        (Trigger(controller=PEDALS["soft"]), "b0 40 7f", MUSIC),
        (Trigger(controller=PEDALS["soft"]), "90 43 7f", MUSIC),
        (Trigger(controller=PEDALS["sostenuto"]), "b0 42 7f", ASKS),
        (Trigger(key=21, controller=80), "f0 15 f7", MUSIC),
        (Trigger(key=21, controller=80), "b0 50", MUSIC),
    ],
)
def test_verdicts(trigger: Trigger, message: str, verdict: Verdict) -> None:
    assert trigger.judge(bytes.fromhex(message)) is verdict
