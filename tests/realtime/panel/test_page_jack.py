"""The page beside a real MIDI system: nothing is wired, and then a keyboard is plugged in, used and heard."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from selenium import webdriver

from tests.realtime.panel.browser import Page
from tests.realtime.panel.daemon import Daemon
from tests.support.jack import JackServer
from tests.support.programs import need_midi_library

KEYBOARD = """
import sys
from realtime.midi.rtmidi_ports import open_system
port = open_system("jack", client="CASIO").open_virtual_output("USB-MIDI")
print("ready", flush=True)
for line in sys.stdin:
    port.send(bytes.fromhex(line))
"""
"""A program that is a keyboard: it plays the messages that it is told."""

OFFER = "document.getElementById('offer').textContent"


def test_a_keyboard_that_is_plugged_in_is_offered_used_and_heard(chromium: webdriver.Chrome, tmp_path: Path) -> None:
    need_midi_library()
    with JackServer() as server, ExitStack() as stack:
        daemon = Daemon(tmp_path, 0, "--api", "jack", jack_server=server.name)
        stack.callback(daemon.process.kill)
        page = Page(chromium, daemon.address)
        page.until(f"{OFFER}.startsWith('Nothing is wired to pianod yet: no keyboard and no sound.')")
        assert page.ask("app.status().inputs.length + app.status().outputs.length") == 0, "no port of its own"
        page.click("#offer button:nth-of-type(2)")
        page.until(f"app.sound.isOn && {OFFER}.startsWith('Nothing is wired to pianod yet: no keyboard.')")
        keyboard = subprocess.Popen(
            [sys.executable, "-c", KEYBOARD], env=server.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        stack.callback(keyboard.kill)
        assert keyboard.stdin is not None
        assert keyboard.stdout is not None
        assert keyboard.stdout.readline() == b"ready\n"
        page.until(f"{OFFER}.includes('USB-MIDI was plugged in: use it?')")
        page.click("#offer button:nth-of-type(1)")
        page.until(f"app.status().input.includes('USB-MIDI') && {OFFER} === ''")
        keyboard.stdin.write(b"903c40\n803c40\n")
        keyboard.stdin.flush()
        page.until("app.music.player.notes.length === 1")
        keyboard.communicate()
        daemon.end()
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])
