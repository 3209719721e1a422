"""Any file is one of presets that can be listed, recalled and saved to, or is named and left as it is.

python -m tests.fuzz.presets --seconds 60
"""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from realtime.control.protocol import encode_status
from realtime.panel.page_link import carry_out
from tests.fuzz.drive import fuzz
from tests.realtime.panel.stage import Stage

INSTRUMENTED = ("realtime.control.presets", "realtime.control.protocol", "realtime.panel.controls")

SOME = 5

_STAGES: list[tuple[Stage, Path]] = []


def _stage() -> tuple[Stage, Path]:
    """Return one session for all inputs, and the file of its presets."""
    if not _STAGES:
        path = Path(mkdtemp(prefix="pianod-fuzz-")) / "presets.json"
        _STAGES.append((Stage(presets=str(path)), path))
    return _STAGES[0]


def check(data: bytes) -> None:
    """Use a file of presets made of these bytes, as a page would."""
    stage, path = _stage()
    path.write_bytes(data)
    presets = stage.controls._presets
    presets.refresh()
    for name in (*presets.names[:SOME], "mine"):
        _ask(stage, "recall_preset", name)
    was_saved = _ask(stage, "save_preset", "mine")
    if not was_saved and path.read_bytes() != data:
        raise AssertionError("a file that is none of ours was changed")
    if was_saved and not (_ask(stage, "recall_preset", "mine") and "mine" in stage.controls.status().presets):
        raise AssertionError("a preset was lost")
    json.loads(encode_status(stage.controls.status()))
    while stage.play.partner.inbox.get(0) is not None:
        pass


def _ask(stage: Stage, command: str, name: str) -> bool:
    """Ask for something with a preset; return whether it was done."""
    answer = carry_out(stage.controls, json.dumps({"version": 1, "id": 1, "command": command, "preset": name}))
    kind = json.loads(answer or "{}").get("type")
    if kind not in ("done", "refused"):
        raise AssertionError(f"no answer of ours: {answer}")
    return bool(kind == "done")


def seeds() -> Iterator[bytes]:
    """Yield files to begin with, of which some have already been a nuisance elsewhere."""
    yield json.dumps(
        {"mine": {"temperature": 0.5, "composer": "bach"}, "other": {"mode": "duet", "thru": True}}
    ).encode()
    yield b'{"a": {"temperature": NaN}, "b": {"temperature": Infinity, "beats": 1e400}}'
    yield b'{"\\ud800": {"composer": "\\udfff"}, "": {}, " ": {"mode": 3}}'
    yield b'{"a": {"x": ' + b"[" * 400 + b"]" * 400 + b"}}"
    yield b'{"a": {"x": ' + b"[" * 900 + b"]" * 900 + b"}}"
    yield json.dumps({"mine": {"temperature": 0.5}}).encode("utf-16")
    yield b'{"a": {"tempo_bpm": ' + b"9" * 4000 + b"}}"
    yield b'{"a": {"composer": "' + b"a" * ((1 << 20) - 100) + b'"}}'
    yield json.dumps({"n" * 3000: {}, "m" * 500: {"temperature": 0.5}}).encode()


if __name__ == "__main__":
    fuzz("presets", check, seeds(), INSTRUMENTED)
