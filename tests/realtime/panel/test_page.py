"""The page in a real browser against the real daemon: played, answered, steered, silenced, twice at once, and back."""

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from piano.midi_file import read_performance
from piano.notes import Performance
from realtime.model import EMBEDDED_FOLDER
from tests.realtime.panel.browser import Page, start_chromium
from tests.realtime.panel.daemon import Daemon
from tests.realtime.panel.pieces import scale, write_piece

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
    "longest_note_s": 3.0,
    "mode_by_program": True,
    "mode_cc": 33,
    "metronome": "page",
    "tempo_bpm": 72,
    "beats": 3,
    "send_clock": True,
    "velocity_wait_ms": 20,
    "duet_side": "above",
    "duet_density": 8,
    "loop_renews": False,
}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("daemon")
    write_piece(folder / "takes" / "earlier.mid")
    write_piece(folder / "set" / "first.mid")
    shutil.copytree(EMBEDDED_FOLDER, folder / "models" / "twin")
    shutil.copytree(EMBEDDED_FOLDER, folder / "models" / "broken")
    (folder / "models" / "broken" / "model.onnx").write_bytes(b"no model")
    running = Daemon(folder, 0, "--review", "set", "--models", "models")
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
    page.put("#zoom", 60)
    frame = page.ask("app.roll.frames")
    page.until(f"app.roll.frames > {frame} + 1")
    colours = page.ask(
        "(() => { const { width, height } = app.roll.canvas; let blue = 0, amber = 0;"
        " const { data } = app.roll.canvas.getContext('2d').getImageData(0, 0, width, height);"
        " for (let i = 0; i < data.length; i += 4) { if (data[i + 2] > data[i] + 60) blue++;"
        " if (data[i] > data[i + 2] + 60) amber++; } return [blue, amber]; })()"
    )
    assert min(colours) > 20, "both voices are drawn in their colours"
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
    page.put("[aria-label='Split at key: undivided']", value=False)
    page.put("#setting-duet_split", 60)
    page.until("app.status().settings.duet_split === 60")
    for name, value in CHANGES.items():
        page.put(f"#setting-{name}", value)
    wanted = " && ".join(f"app.status().settings.{name} === {_js(value)}" for name, value in CHANGES.items())
    page.until(wanted)
    other = Page(page.driver, daemon.address)
    other.until(wanted)
    assert other.find("#setting-temperature").get_property("value") == str(CHANGES["temperature"])
    for mode in ("duet", "velocity", "loop", "answer"):
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
    page.until("app.status().presets.includes('calm')")
    page.put("#setting-temperature", 1.7)
    page.until("app.status().settings.temperature === 1.7")
    page.driver.refresh()
    page.until("app.link.isOpen && app.status() !== null")
    page.until("document.getElementById('preset-list').value === 'calm'")
    page.click("#preset-recall")
    page.until("app.status().settings.temperature === 0.3")
    page.click("#preset-forget")
    page.until("app.status().presets.length === 0")
    page.ask(f"app.link.ask('change', {{ settings: {_js(before)} }})")


def test_what_was_played_is_replayed_in_the_page(page: Page) -> None:
    play(page, "ad")
    page.until("app.music.player.notes.length >= 3 && !app.music.player.sounding.size")
    page.ask("app.link.ask('stop')")
    struck = page.ask("app.sound.struck")
    notes = page.ask("app.music.player.notes.length")
    page.click("#tab-pieces")
    page.click("#replay")
    page.until(f"app.sound.struck > {struck}")
    page.click("#replay")
    page.until("!app.replay.isOn && app.roll.backS === 0")
    assert page.ask("app.music.player.notes.length") == notes, "nothing of it reaches the daemon"


def a_file(tmp_path: Path) -> Path:
    return write_piece(tmp_path / "given.mid", count=12)


def fetched(page: Page, path: str | None, where: Path) -> Performance:
    """Return what a link of the page leads to, as a performance."""
    data = page.driver.execute_async_script(
        "const [path, done] = arguments; fetch(path).then((answer) => answer.arrayBuffer())"
        ".then((data) => done(Array.from(new Uint8Array(data))))",
        path,
    )
    where.write_bytes(bytes(data))
    return read_performance(where)


def test_a_file_is_sent_gone_on_with_seen_and_downloaded(page: Page, tmp_path: Path) -> None:
    given = a_file(tmp_path)
    page.click("#tab-pieces")
    page.put("#job-seconds", 3)
    page.find("#job-file").send_keys(str(given))
    page.until("!app.job.parts.progress.hidden")
    page.until("app.viewer.isOpen")
    assert page.find("#notice").text == ""
    assert page.find("#viewer-title").text == "given.mid · before and after"
    assert page.ask("app.viewer.music.player.notes.length") == scale(12).notes.size
    assert page.ask("app.viewer.music.model.notes.length") > 0
    made = fetched(page, page.find("#viewer-file").get_attribute("href"), tmp_path / "made.mid")
    assert made.notes.size > scale(12).notes.size
    page.click("#viewer-close")
    given.write_bytes(b"no music at all")
    page.find("#job-file").send_keys(str(given))
    page.until("document.getElementById('notice').textContent === 'this is no MIDI file'")
    assert ["400" in fault for fault in page.faults()] == [True], "the browser too says that it was refused"


def test_a_file_is_filled_and_seen_before_and_after(page: Page, tmp_path: Path) -> None:
    page.click("#tab-pieces")
    page.put("#job-task", "fill")
    page.put("#job-choice", "melody")
    assert page.ask("app.job.parts.seconds.closest('.row').hidden")
    page.find("#job-file").send_keys(str(a_file(tmp_path)))
    page.until("app.viewer.isOpen")
    assert page.find("#notice").text == ""
    kept = page.ask("app.viewer.music.player.notes.length")
    assert 0 < kept < scale(12).notes.size
    made = fetched(page, "/api/job/made.mid", tmp_path / "made.mid")
    assert made.notes.size == kept + page.ask("app.viewer.music.model.notes.length")
    page.click("#viewer-first")
    page.until("app.viewer.roll.drawn === app.viewer.music.model.notes.length")
    page.click("#viewer-close")


def test_an_earlier_take_is_looked_at_heard_and_read_back(page: Page, tmp_path: Path) -> None:
    page.click("#tab-pieces")
    page.until("app.takes.parts.list.value === 'earlier.mid'")
    page.find("#takes").send_keys(Keys.ENTER)
    page.until("app.viewer.isOpen && app.viewer.roll.drawn > 0")
    notes = scale().notes.size
    assert page.ask("app.viewer.music.player.notes.length") == notes
    assert fetched(page, page.find("#viewer-file").get_attribute("href"), tmp_path / "take.mid").notes.size == notes
    struck = page.ask("app.sound.struck")
    page.click("#viewer-listen")
    page.until(f"app.sound.struck > {struck} && app.viewer.roll.cursor !== null")
    page.click("#viewer-listen")
    page.until("!app.viewer.replay.isOn && app.viewer.roll.cursor === null")
    page.ask("fetch(app.viewer.piece.replay, { method: 'POST' })")
    page.until("app.status().replaying?.name === 'earlier.mid' && app.viewer.roll.cursor !== null")
    page.ask("app.link.ask('stop')")
    page.until("app.status().replaying === null")
    picture = page.driver.execute_async_script(
        "const done = arguments[0]; const make = URL.createObjectURL;"
        "URL.createObjectURL = (blob) => { done([blob.type, blob.size]); return make.call(URL, blob); };"
        "document.getElementById('viewer-picture').click();"
    )
    assert picture[0] == "image/png"
    assert picture[1] > 1000
    page.click("#viewer-close")
    page.until("!app.viewer.isOpen")


def test_a_data_set_is_looked_through_given_and_asked(page: Page) -> None:
    page.click("#tab-pieces")
    page.until("app.review.pieces.length === 1")
    page.put("#review-task", "right_hand")
    page.click("#review-look")
    page.until("app.viewer.isOpen")
    names = [page.find(f"#viewer-{layer}-name").text for layer in ("first", "second")]
    assert names == ["given", "asked"]
    sizes = [page.ask(f"app.viewer.music.{voice}.notes.length") for voice in ("player", "model")]
    assert sum(sizes) == scale().notes.size
    assert min(sizes) > 0
    page.put("#review-task", "random")
    page.until("app.viewer.piece.title.includes('random')")
    page.click("#review-again")
    page.until("app.viewer.piece.picture.endsWith('seed=1')")
    page.click("#viewer-close")


def test_another_model_takes_over_while_it_plays(page: Page) -> None:
    page.click("[data-command=answer]")
    page.until("app.status().activity === 'playing' && app.music.model.notes.length > 0")
    tokens = page.ask("app.status().stream_tokens")
    page.put("#model", "twin")
    page.until("app.status().model === 'twin'")
    assert page.ask("app.status().activity") == "playing"
    assert page.ask("app.status().stream_tokens") >= tokens, "it knows what was played"
    notes = page.ask("app.music.model.notes.length")
    page.put("#model", "broken")
    page.until("document.getElementById('model-state').textContent.includes('broken')")
    page.until(f"app.status().model === 'twin' && app.music.model.notes.length > {notes}")
    page.put("#model", "embedded")
    page.until("app.status().model === 'embedded'")


def test_the_metronome_clicks_in_the_page(page: Page) -> None:
    play(page, "a")
    page.put("#setting-tempo_bpm", 180)
    page.put("#setting-metronome", "page")
    page.until("app.sound.clicks > 2 && app.roll.grid !== null")
    page.put("#setting-metronome", "off")
    page.until("app.metronome.grid === null")


AN_HOUR = """
(() => {
  const now = app.link.nowS();
  const from = now - 3600;
  for (let index = 0; index < 36000; index++) {
    const who = index % 2 ? "player" : "model";
    const at = from + index * 0.1;
    const pitch = 30 + ((index * 7) % 60);
    app.music.take([who, "on", at, pitch, 40 + (index % 80)]);
    app.music.take([who, "off", at + 0.25, pitch, 0]);
    if (index % 20 === 0) app.music.take([who, "pedal", at, 0, index % 40 ? 1 : 0]);
  }
  app.music.take(["player", "on", from + 1, 21, 60]);
  return app.music.player.notes.length + app.music.model.notes.length;
})()
"""
"""Ten notes a second for an hour, and a key that was held ever since."""


def test_an_hour_of_music_costs_a_frame_no_more_than_what_is_seen(page: Page) -> None:
    assert page.ask(AN_HOUR) >= 36_000
    for seconds, back in ((12, 0), (12, 1800), (60, 600)):
        page.put("#zoom", seconds)
        page.driver.execute_script("document.getElementById('back').max = 3600")
        page.put("#back", back)
        frame = page.ask("app.roll.frames")
        page.until(f"app.roll.frames > {frame} + 2")
        seen = page.ask("app.roll.drawn")
        assert 0 < seen <= seconds * 10 + 20, "what is drawn is what is seen"
        looked = page.ask("app.music.player.looked + app.music.model.looked")
        assert looked <= (seconds + 2 * 10) * 10 + 20, "and little else is looked at"
        spent_ms = page.ask(
            "(() => { const begin = performance.now(); for (let i = 0; i < 60; i++) app.roll.draw();"
            " return (performance.now() - begin) / 60; })()"
        )
        print(f"{seconds} s seen, {back} s back: {seen} notes, {spent_ms:.2f} ms of script a frame")
    page.put("#zoom", 12)
    page.put("#back", 0)
    page.driver.refresh()
    page.until("app.link.isOpen && app.status() !== null")


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


@pytest.mark.parametrize("tab", ["steer", "pieces", "health"])
def test_nothing_serious_is_said_against_its_accessibility(page: Page, tab: str) -> None:
    page.click(f"#tab-{tab}")
    if tab == "pieces":
        page.until("app.takes.parts.list.value === 'earlier.mid'")
        page.click("#takes-look")
        page.until("app.viewer.isOpen")
    page.driver.execute_script(AXE.read_text())
    found = page.driver.execute_async_script("axe.run().then(arguments[0])")
    serious = [
        (fault["id"], [node["target"] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("mode", ["answer", "duet", "velocity", "loop"])
def test_every_control_has_a_label_and_is_reached_by_keyboard(page: Page, mode: str) -> None:
    page.put("#setting-mode", mode)
    page.until(f"app.status().mode === '{mode}'")
    page.until("document.getElementById('loop').hidden === (app.status().mode !== 'loop')")
    for tab in ("steer", "pieces", "health"):
        page.click(f"#tab-{tab}")
        bare = page.driver.execute_script(
            "return [...document.querySelectorAll('button, select, input, a[href]')].filter((control) =>"
            " control.checkVisibility() && !control.disabled &&"
            " ((control.tabIndex < 0 && control.role !== 'tab') ||"
            " !(control.labels?.length || control.ariaLabel || control.getAttribute('aria-labelledby') ||"
            "   control.textContent.trim()))).map((control) => control.outerHTML)"
        )
        assert bare == []
    page.find("#tab-health").send_keys(Keys.ARROW_RIGHT)
    assert page.find("#tab-steer").get_attribute("aria-selected") == "true"
    page.put("#setting-mode", "answer")
    page.until("app.status().mode === 'answer'")


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
