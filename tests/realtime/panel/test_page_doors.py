"""Who gets at the page: everybody by keyboard and by name, no page of a stranger, and again when the daemon is back."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from tests.realtime.panel.browser import REBOUND, Page
from tests.realtime.panel.daemon import Daemon, free_port
from tests.realtime.panel.pieces import write_piece

AXE = Path(__file__).parent / "vendored" / "axe.min.js"


SIGHTS = {
    "steer": "document.getElementById('tab-steer').click()",
    "pieces": "document.getElementById('tab-pieces').click(); await app.takes.refresh(); await app.takes.open()",
    "health": "document.getElementById('tab-health').click()",
    "play": "app.faces.show('play')",
    "loop": "app.faces.show('play');"
    " await app.link.ask('change', { settings: { mode: 'loop', chart: 'C | F | G | C' } })",
    "what do you have": "app.faces.show('play'); app.guide.open()",
    "is it heard": "app.faces.show('play'); app.guide.open(); app.guide.go(2)",
    "is there sound": "app.faces.show('play'); app.guide.open(); app.guide.go(3)",
    "found": "document.getElementById('tab-health').click();"
    " await app.doctor.look('/api/doctor/keyboard', 'judging what was heard')",
    "a file": "await app.job.ask([new File([new Uint8Array(FILE)], 'song.mid')])",
    "held": "app.faces.show('play'); app.held.take({ like: 'song.mid', chart: { name: 'blues' } });"
    " app.held.take = () => {}",
    "a message": "app.announcer.tell('song.mid: this is no MIDI file')",
    "an offer": "app.offers.show('CASIO was plugged in: use it?', [['Use it', () => {}]])",
}
"""All that there is to see, and how it comes about."""


@pytest.mark.parametrize("sight", SIGHTS)
def test_nothing_is_said_against_its_accessibility(page: Page, sight: str, tmp_path: Path) -> None:
    made = SIGHTS[sight].replace("FILE", str(list(write_piece(tmp_path / "song.mid").read_bytes())))
    page.ask(f"(async () => {{ await app.job.refresh(); {made}; }})()")
    page.driver.execute_script(AXE.read_text())
    found = page.driver.execute_async_script("axe.run().then(arguments[0])")
    said = [
        (fault["impact"], fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found["violations"]
    ]
    assert said == []
    if sight == "a file":
        page.click("#job-cancel")


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


STRANGER = """
const [place, done] = arguments;
const told = (socket) => new Promise((answer) => {
  socket.onmessage = () => answer("told");
  socket.onclose = () => answer("refused");
});
const body = '{"version":1,"id":1,"command":"answer"}';
const read = (address, options) => fetch(address, options).then((answer) => answer.status, () => "refused");
Promise.all([
  told(new WebSocket(`ws://${place}/api/live`)),
  read(`http://${place}/api/status`),
  read(`http://${place}/api/commands`, { method: "POST", headers: { "Content-Type": "application/json" }, body }),
  read(`http://${place}/api/commands`, { method: "POST", mode: "no-cors", body }),
]).then(done);
"""
"""All that a page can try: the socket, to read, to command, and to command without wanting to know the answer."""


def answers_given(driver: webdriver.Chrome, daemon: Daemon) -> int:
    driver.get(daemon.address)
    given: int = driver.execute_async_script(
        "fetch('/api/status').then((answer) => answer.json()).then((status) => arguments[0](status.answers))"
    )
    return given


def test_a_page_of_another_origin_reaches_nothing(chromium: webdriver.Chrome, daemon: Daemon, elsewhere: str) -> None:
    chromium.switch_to.new_window("tab")
    before = answers_given(chromium, daemon)
    chromium.get(elsewhere)
    outcome = chromium.execute_async_script(STRANGER, f"127.0.0.1:{daemon.port}")
    assert outcome == ["refused", "refused", "refused", 0]
    assert answers_given(chromium, daemon) == before, "nothing that a strange page posts is carried out"
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])


def test_a_name_that_is_made_to_mean_this_machine_reaches_nothing(chromium: webdriver.Chrome, daemon: Daemon) -> None:
    chromium.switch_to.new_window("tab")
    before = answers_given(chromium, daemon)
    place = f"{REBOUND}:{daemon.port}"
    chromium.get(f"http://{place}/")
    assert "This is not an address of the panel" in chromium.find_element("tag name", "body").text
    outcome = chromium.execute_async_script(STRANGER, place)
    assert outcome == ["refused", 403, 403, 403], "it is no other origin, and yet refused"
    assert answers_given(chromium, daemon) == before
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])


def test_the_page_comes_back_when_the_daemon_does(chromium: webdriver.Chrome, tmp_path: Path) -> None:
    first = Daemon(tmp_path, free_port())
    page = Page(chromium, first.address)
    page.play("a")
    said = first.end()
    assert "heard" in said
    page.until("!app.link.isOpen")
    second = Daemon(tmp_path, first.port)
    page.until("app.link.isOpen && app.music.player.notes.length === 0")
    page.until("document.getElementById('activity').textContent === 'listening'")
    second.end()
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])
