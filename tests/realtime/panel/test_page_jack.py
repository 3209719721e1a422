"""The page beside a real MIDI system: a keyboard is plugged in, used, heard, pulled out, and back."""

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


def plugged_in(server: JackServer, stack: ExitStack) -> "subprocess.Popen[str]":
    """Return the keyboard, once it is there."""
    keyboard = subprocess.Popen(
        [sys.executable, "-c", KEYBOARD],
        env=server.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(keyboard.kill)
    assert keyboard.stdout is not None
    assert keyboard.stdout.readline() == "ready\n"
    return keyboard


def test_a_keyboard_is_offered_used_and_heard_and_told_of_when_it_goes_and_returns(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    need_midi_library()
    with JackServer() as server, ExitStack() as stack:
        daemon = Daemon(tmp_path, 0, "--api", "jack", jack_server=server.name)
        stack.callback(daemon.process.kill)
        page = Page(chromium, daemon.address)
        page.until(f"{OFFER}.startsWith('Nothing is wired to pianod yet: no keyboard and no sound.')")
        assert page.ask("app.status().inputs.length + app.status().outputs.length") == 0, "no port of its own"
        page.click("#offer button:nth-of-type(2)")
        page.until(f"app.sound.isOn && {OFFER}.startsWith('No keyboard is wired to pianod yet.')")
        keyboard = plugged_in(server, stack)
        page.until(f"{OFFER}.includes('USB-MIDI was plugged in: use it?')")
        page.click("#offer button:nth-of-type(1)")
        page.until(f"app.status().input.includes('USB-MIDI') && {OFFER} === ''")
        keyboard.communicate("903c40\n803c40\n")  # and is unplugged
        page.until("app.music.player.notes.length === 1")
        page.until(f"{OFFER}.includes('USB-MIDI is gone: unplugged')")
        page.until(f"{OFFER}.includes('As soon as it is back, pianod listens to it again.')")
        page.driver.refresh()
        page.until(f"{OFFER}.includes('USB-MIDI is gone: unplugged')")
        keyboard = plugged_in(server, stack)
        page.until(
            f"document.getElementById('notice').textContent.endsWith('USB-MIDI is back') && !{OFFER}.includes('gone')"
        )
        keyboard.communicate("903e40\n803e40\n")
        page.until("app.music.player.notes.length === 2")
        daemon.end()
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])
