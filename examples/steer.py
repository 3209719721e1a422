"""Drive a pianod that runs, over its API: play it a phrase, ask for an answer, and listen to what it plays.

    bin/pianod                              # says where its panel is, such as http://127.0.0.1:8765/
    python -m examples.steer 127.0.0.1:8765

docs/control-api.md tells all that can be said; nothing of pianod is imported here.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from websockets.sync.client import ClientConnection, connect

PHRASE = ("903c40", "803c40", "904040", "804040", "904340", "804340")
"""Three keys, each struck and lifted, as MIDI messages in hexadecimal digits."""


def tell(link: ClientConnection, command: str, **more: Any) -> None:
    """Give one command."""
    link.send(json.dumps({"version": 1, "id": 0, "command": command, **more}))


def rows(link: ClientConnection) -> Iterator[list[Any]]:
    """Yield what happens, row by row; a command that is refused ends it."""
    for text in link:
        said = json.loads(text)
        if said["type"] == "refused":
            raise SystemExit(said["reason"])
        if said["type"] == "events":
            yield from said["events"]


def answer_to(address: str, phrase: tuple[str, ...], notes: int) -> list[int]:
    """Play a phrase and return the pitches of the first notes of the answer."""
    pitches: list[int] = []
    with connect(f"ws://{address}/api/live") as link:
        tell(link, "change", settings={"temperature": 0.9})
        for message in phrase:
            tell(link, "play", midi=[message])
        tell(link, "answer")
        for who, what, _, pitch, *_ in rows(link):
            if (who, what) == ("model", "on"):
                pitches.append(pitch)
            if len(pitches) == notes:
                break
        tell(link, "stop")
    return pitches


def main(address: str = "127.0.0.1:8765", notes: str = "12") -> None:
    """Print the answer of the pianod at an address."""
    print("it answers:", *answer_to(address, PHRASE, int(notes)))


if __name__ == "__main__":
    main(*sys.argv[1:])
