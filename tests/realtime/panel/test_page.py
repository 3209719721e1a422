"""The page in a real browser against the real daemon: played, answered, steered, silenced, twice at once, and back."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from piano.midi_file import MidiTrack, read_performance, write_performance
from piano.notes import NOTE, PEDAL, Performance
from tests.realtime.panel.browser import Page, start_chromium
from tests.realtime.panel.daemon import Daemon

AXE = Path(__file__).parent / "vendored" / "axe.min.js"
PHRASE = "asdf"
"""Four white keys from middle C on."""

CHANGES = {
    "temperature": 0.7,
    "top_p": 0.9,
    "min_p": 0.05,
    "top_k": 40,
    "greedy": True,
    "seed": 11,
    "composer": "bach",
    "trigger": "key",
    "shortest_pause_s": 0.4,
    "longest_pause_s": 2.5,
    "answer": "phrase",
    "trigger_pedal": "sostenuto",
    "trigger_key": 22,
    "trigger_cc": 70,
    "thru": True,
    "input_channel": 2,
    "max_polyphony": 10,
}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    running = Daemon(tmp_path_factory.mktemp("daemon"))
    yield running
    running.end()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    driver = start_chromium(str(tmp_path_factory.mktemp("profile")))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium: webdriver.Chrome, daemon: Daemon) -> Iterator[Page]:
    page = Page(chromium, daemon.address)
    yield page
    page.show()
    assert page.faults() == []
    page.ask("app.link.ask('panic')")
    page.until("app.status().activity === 'listening'")
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])


def play(page: Page, keys: str = PHRASE) -> None:
    """Play a phrase with the computer's keys."""
    page.find("#keyboard").click()  # a click strikes a key too
    chain = ActionChains(page.driver)
    for key in keys:
        chain.key_down(key).pause(0.1).key_up(key)
    chain.perform()


def test_a_phrase_on_the_page_is_answered_seen_and_heard(page: Page, tmp_path: Path) -> None:
    before = page.ask("app.music.player.notes.length")
    play(page)
    page.until(f"app.music.player.notes.length === {before} + {len(PHRASE)} + 1")
    assert page.ask("app.music.player.notes.slice(-4).map((note) => note.pitch)") == [60, 62, 64, 65]
    page.until("app.music.model.notes.length > 4")
    assert page.until("app.music.ahead(app.link.nowS()).length") > 0, "what is planned is ghosted ahead"
    assert page.find("#activity").text == "playing"
    page.until("app.sound.context?.state === 'running' && app.sound.struck > 5 + 4")
    page.until("app.keyboard.litKeys().size > 0")
    colours = page.ask(
        "(() => { const { width, height } = app.roll.canvas; let blue = 0, amber = 0;"
        " const { data } = app.roll.canvas.getContext('2d').getImageData(0, 0, width, height);"
        " for (let i = 0; i < data.length; i += 4) { if (data[i + 2] > data[i] + 60) blue++;"
        " if (data[i] > data[i + 2] + 60) amber++; } return [blue, amber]; })()"
    )
    assert min(colours) > 50, "both voices are drawn in their colours"
    take = page.driver.execute_async_script(
        "const done = arguments[0]; fetch('/api/take.mid').then((answer) => answer.arrayBuffer())"
        ".then((data) => done(Array.from(new Uint8Array(data))))"
    )
    (tmp_path / "take.mid").write_bytes(bytes(take))
    tracks = read_performance(tmp_path / "take.mid").notes["track"]
    assert {0, 1} <= set(tracks.tolist())


def test_the_mouse_plays_louder_further_down_and_space_is_the_pedal(page: Page) -> None:
    keyboard = page.find("#keyboard")
    height = keyboard.size["height"]
    for part in (0.72, 0.95):
        ActionChains(page.driver).move_to_element_with_offset(
            keyboard, 5, int(height * (part - 0.5))
        ).click_and_hold().pause(0.05).release().perform()
    page.until("app.music.player.notes.length >= 2 && !app.music.player.sounding.size")
    soft, loud = page.ask("app.music.player.notes.slice(-2).map((note) => note.velocity)")
    assert soft < loud
    ActionChains(page.driver).key_down(Keys.SPACE).perform()
    page.until("app.music.player.pedalIsDown")
    ActionChains(page.driver).key_up(Keys.SPACE).perform()
    page.until("!app.music.player.pedalIsDown")


def test_commands_by_their_buttons(page: Page) -> None:
    page.click("[data-command=answer]")
    page.until("app.status().activity === 'playing' && app.music.model.sounding.size > 0")
    answers = page.ask("app.status().answers")
    first = page.ask("app.music.model.notes.length")
    page.click("[data-command=retry]")
    page.until(f"app.music.model.notes.length > {first} && app.status().activity === 'playing'")
    assert page.ask("app.status().answers") == answers
    page.click("[data-command=stop]")
    page.until("app.status().activity === 'listening' && !app.music.model.sounding.size")
    page.click("[data-command=answer]")
    page.until("app.music.model.sounding.size > 0")
    page.find("#keyboard").send_keys(Keys.ESCAPE)
    page.until("app.status().activity === 'listening' && app.status().sounding.length === 0")
    page.until("!app.music.model.sounding.size && !app.music.ahead(app.link.nowS()).length")
    page.click("[data-command=new_piece]")
    page.until("app.status().stream_tokens < 4")


def test_every_control_reaches_the_engine_and_another_page(page: Page, daemon: Daemon) -> None:
    before = page.ask("app.status().settings")
    page.click("[aria-label='Notes a second: as you play']")
    page.until("app.status().settings.density !== null")
    for name, value in CHANGES.items():
        page.put(f"#setting-{name}", value)
    wanted = " && ".join(f"app.status().settings.{name} === {_js(value)}" for name, value in CHANGES.items())
    page.until(wanted)
    other = Page(page.driver, daemon.address)
    other.until(wanted)
    assert other.find("#setting-temperature").get_property("value") == str(CHANGES["temperature"])
    for mode in ("duet", "velocity", "answer"):
        other.put("#setting-mode", mode)
        other.until(f"app.status().mode === '{mode}'")
    other.ask(f"app.link.ask('change', {{ settings: {_js(before)} }})")
    page.driver.close()
    page.show()
    page.until("app.status().settings.density === null")
    page.put("#setting-shortest_pause_s", 4.9)
    page.until("document.getElementById('notice').textContent.includes('must not exceed')")


def test_presets_are_kept_and_recalled(page: Page) -> None:
    before = page.ask("app.status().settings")
    page.put("#setting-temperature", 0.3)
    page.until("app.status().settings.temperature === 0.3")
    page.put("#preset-name", "calm")
    page.click("#preset-save")
    page.put("#setting-temperature", 1.7)
    page.until("app.status().settings.temperature === 1.7")
    page.driver.refresh()
    page.until("app.link.isOpen && app.status() !== null")
    assert page.find("#preset-list").get_property("value") == "calm"
    page.click("#preset-recall")
    page.until("app.status().settings.temperature === 0.3")
    page.click("#preset-forget")
    page.ask(f"app.link.ask('change', {{ settings: {_js(before)} }})")


def test_what_was_played_is_replayed_in_the_page(page: Page) -> None:
    play(page, "ad")
    page.until("app.music.player.notes.length >= 3 && !app.music.player.sounding.size")
    page.ask("app.link.ask('stop')")
    struck = page.ask("app.sound.struck")
    notes = page.ask("app.music.player.notes.length")
    page.click("#replay")
    page.until(f"app.sound.struck > {struck}")
    page.click("#replay")
    page.until("!app.replay.isOn && app.roll.backS === 0")
    assert page.ask("app.music.player.notes.length") == notes, "nothing of it reaches the daemon"


def test_a_file_is_sent_gone_on_with_seen_and_downloaded(page: Page, tmp_path: Path) -> None:
    given = tmp_path / "given.mid"
    notes = np.array([(0.25 * index, 0.2, 60 + 2 * (index % 5), 70, 0) for index in range(24)], NOTE)
    write_performance(given, [MidiTrack("mine", Performance(notes, np.array([], PEDAL)))])
    page.put("#job-seconds", 3)
    page.find("#job-file").send_keys(str(given))
    page.until("app.job.progress.hidden === false")
    page.until("app.job.progress.hidden")
    assert page.find("#notice").text == ""
    assert page.ask("app.job.music.player.notes.length") == len(notes)
    assert page.ask("app.job.music.model.notes.length") > 0
    made = page.driver.execute_async_script(
        "const done = arguments[0]; fetch('/api/job/made.mid').then((answer) => answer.arrayBuffer())"
        ".then((data) => done(Array.from(new Uint8Array(data))))"
    )
    (tmp_path / "made.mid").write_bytes(bytes(made))
    assert len(read_performance(tmp_path / "made.mid").notes) > len(notes)
    given.write_bytes(b"no music at all")
    page.find("#job-file").send_keys(str(given))
    page.until("document.getElementById('notice').textContent === 'this is no MIDI file'")
    assert ["400" in fault for fault in page.faults()] == [True], "the browser too says that it was refused"


def test_two_pages_see_the_same(page: Page, daemon: Daemon) -> None:
    other = Page(page.driver, daemon.address)
    page.show()
    play(page, "gh")
    page.until("app.music.player.notes.length >= 3")
    count = page.ask("app.music.player.notes.length")
    other.show()
    other.until(f"app.music.player.notes.length >= {count}")
    other.click("[data-command=panic]")
    page.driver.close()


def test_nothing_serious_is_said_against_its_accessibility(page: Page) -> None:
    page.driver.execute_script(AXE.read_text())
    found = page.driver.execute_async_script("axe.run().then(arguments[0])")
    serious = [
        (fault["id"], [node["target"] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []


class StrangersPage(BaseHTTPRequestHandler):
    """A page of another origin, with no policy of its own."""

    def do_GET(self) -> None:
        """Answer with an empty page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), StrangersPage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_of_another_origin_reaches_nothing(chromium: webdriver.Chrome, daemon: Daemon, elsewhere: str) -> None:
    chromium.switch_to.new_window("tab")
    chromium.get(elsewhere)
    outcome = chromium.execute_async_script(
        "const [place, done] = arguments; const socket = new WebSocket(`ws://${place}/api/live`);"
        "socket.onmessage = () => done('told'); socket.onclose = () => done('refused');",
        f"127.0.0.1:{daemon.port}",
    )
    read = chromium.execute_async_script(
        'const [address, done] = arguments; const body = \'{"version":1,"id":1,"command":"answer"}\';'
        "fetch(address, { method: 'POST', mode: 'no-cors', body }).then(() => done('sent'), () => done('refused'));",
        f"{daemon.address}api/commands",
    )
    assert read in ("sent", "refused")
    chromium.get(daemon.address)
    assert (
        chromium.execute_async_script(
            "const done = arguments[0]; fetch('/api/status').then((answer) => answer.json())"
            ".then((status) => done(status.activity))"
        )
        == "listening"
    ), "nothing that a strange page posts is carried out"
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])
    assert outcome == "refused"


def test_the_page_comes_back_when_the_daemon_does(chromium: webdriver.Chrome, tmp_path: Path) -> None:
    first = Daemon(tmp_path)
    page = Page(chromium, first.address)
    play(page, "a")
    page.until("app.music.player.notes.length === 2")
    said = first.end()
    assert "heard" in said
    page.until("!app.link.isOpen")
    second = Daemon(tmp_path, first.port)
    page.until("app.link.isOpen && app.music.player.notes.length === 0")
    page.until("document.getElementById('activity').textContent === 'listening'")
    second.end()
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])


def _js(value: object) -> str:
    return json.dumps(value)
