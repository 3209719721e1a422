"""Any text is a request that is carried out or refused in words: `python -m tests.fuzz.control --seconds 60`."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from realtime.control.protocol import encode_status
from realtime.midi.held_notes import HeldNotes
from realtime.panel.page_link import carry_out
from tests.fuzz.drive import fuzz
from tests.realtime.panel.stage import Stage

INSTRUMENTED = (
    "realtime.control.protocol",
    "realtime.panel.page_link",
    "realtime.panel.controls",
    "realtime.control.presets",
)

_STAGES: list[Stage] = []


def _stage() -> Stage:
    """Return one session for all inputs: what came before is part of what is tested."""
    if not _STAGES:
        _STAGES.append(Stage(presets=str(Path(mkdtemp(prefix="pianod-fuzz-")) / "presets.json")))
    return _STAGES[0]


def check(data: bytes) -> None:
    """Carry out requests, a line each, as a page would send them."""
    stage, held = _stage(), HeldNotes()
    for line in data.split(b"\n"):
        answer = carry_out(stage.controls, line.decode("utf-8", "replace"), held)
        if answer is not None and json.loads(answer)["type"] not in ("done", "refused"):
            raise AssertionError(f"no answer of ours: {answer}")
    stage.controls.play(tuple(held.lift()))
    json.loads(encode_status(stage.controls.status()))
    while stage.play.partner.inbox.get(0) is not None:
        pass


def seeds() -> Iterator[bytes]:
    """Yield a request of each kind."""
    requests: tuple[dict[str, object], ...] = (
        {"command": "answer"},
        {"command": "play", "midi": ["903c40", "803c40", "b0407f"]},
        {"command": "change", "settings": {"temperature": 0.5, "composer": "bach", "seed": None, "mode": "duet"}},
        {"command": "choose_port", "direction": "input", "port": "none"},
        {"command": "save_preset", "preset": "mine"},
        {"command": "recall_preset", "preset": "mine"},
        {"command": "choose_model", "model": "none"},
    )
    for request in requests:
        yield json.dumps({"version": 1, "id": 1, **request}).encode()


if __name__ == "__main__":
    fuzz("control", check, seeds(), INSTRUMENTED)
