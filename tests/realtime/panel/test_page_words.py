"""What the page says once for each change, what Escape closes, and how what came from a file is taken back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.realtime.panel.browser import Page
from tests.realtime.panel.pieces import write_piece

SPY = (
    "window.said = []; new MutationObserver(() => said.push(document.getElementById('announcer').textContent))"
    ".observe(document.getElementById('announcer'), { childList: true });"
)


def said(page: Page) -> list[str]:
    """Return what was announced since the last time."""
    words: list[str] = page.driver.execute_script("return said.splice(0)")
    return words


@pytest.fixture
def heard(page: Page) -> Page:
    """Give a page whose announcements are remembered."""
    page.driver.execute_script(SPY)
    return page


def test_a_preset_that_is_kept_recalled_or_forgotten_is_said_once(heard: Page) -> None:
    heard.click("#preset-save")
    assert said(heard) == ["give the preset a name first"]
    heard.put("#preset-name", "calm")
    for button, done in (("save", "is kept"), ("recall", "is in force"), ("forget", "is forgotten")):
        heard.click(f"#preset-{button}")
        heard.until(f"document.getElementById('notice').textContent === 'the preset calm {done}'")
        heard.until(f"app.status().presets.length === {int(button != 'forget')}")
        assert said(heard) == [f"the preset calm {done}"]


LOOPS = """
(() => {
  const told = [];
  const steering = Object.create(Object.getPrototypeOf(app.steering));
  steering.announce = (text) => told.push(text);
  const loop = (passes, course) => ({ mode: "loop", loop: { length_s: 2, layers: 0, passes, course } });
  const none = { mode: "loop", loop: null };
  for (const status of [none, loop(0, "renew"), loop(1, "renew"), loop(2, "hold"), none]) steering.sayLoop(status);
  return told;
})()
"""


def test_what_a_loop_comes_to_is_said_and_not_each_pass(page: Page) -> None:
    assert page.ask(LOOPS) == ["0 layers: another answer comes at the seam", "0 layers: this answer stays", "no loop"]


def test_commands_that_change_no_turn_are_said(heard: Page) -> None:
    heard.click("[data-command=new_piece]")
    heard.until("document.getElementById('announcer').textContent === 'what was played is forgotten'")
    said(heard)
    tapped = "{ settings: { chord_split: null }, beat_from: 'taps', chart: null, trade: null }"
    heard.ask(f"app.time.take({tapped}, {{ origin: 0, period: 0.5, beats: 4 }})")
    assert said(heard) == ["tapped: 120 beats a minute"]


def test_escape_closes_one_thing_at_a_time_and_then_silences(page: Page) -> None:
    page.click("#tab-pieces")
    page.until("app.takes.parts.list.value === 'earlier.mid'")
    page.click("#takes-look")
    page.until("app.viewer.isOpen")
    page.click("[data-command=answer]")
    page.until("app.status().activity === 'playing'")
    page.find("#viewer-title").send_keys(Keys.ESCAPE)
    assert page.ask("[app.viewer.isOpen, document.activeElement.id]") == [False, "takes-look"]
    assert page.ask("app.status().activity") == "playing", "what plays goes on"
    page.find("#takes-name").send_keys(Keys.ESCAPE)
    page.until("app.status().activity === 'listening' && !app.music.model.sounding.size")


def test_escape_closes_the_guide_of_the_first_time_and_leaves_the_hands_at_the_keys(page: Page) -> None:
    page.driver.execute_script("localStorage.removeItem('pianod-guided')")
    page.driver.refresh()
    page.until("app.link.isOpen && app.status() !== null && app.guide.isOpen")
    page.find("body").send_keys(Keys.ESCAPE)
    assert page.ask("[app.guide.isOpen, document.activeElement.id]") == [False, "keyboard"]
    page.driver.refresh()
    page.until("app.link.isOpen && app.status() !== null")
    assert not page.ask("app.guide.isOpen"), "it was seen"


def test_escape_closes_what_was_made_of_a_file_and_learns_nothing(page: Page, tmp_path: Path) -> None:
    page.click("#tab-pieces")
    page.begin(write_piece(tmp_path / "piece.mid"), "velocities")
    page.until("!app.job.parts.look.hidden")
    page.click("#job-look")
    page.until("app.viewer.isOpen")
    page.find("#viewer-zoom").send_keys(Keys.ESCAPE)
    assert page.ask("[app.viewer.isOpen, document.activeElement.id]") == [False, "job-look"]
    page.click("#tab-steer")
    page.click("#setting-trigger_key ~ .learn button")
    page.find("body").send_keys(Keys.ESCAPE)
    assert page.find("#setting-trigger_key ~ .learn button").text == "Learn"


@pytest.fixture
def holding(heard: Page, tmp_path: Path) -> Iterator[Page]:
    """Give the play face with a chart and a file to play like."""
    heard.face("play")
    (tmp_path / "two five.txt").write_text("Dm7 | G7 | Cmaj7 | %")
    for given, task in ((write_piece(tmp_path / "song.mid"), "like"), (tmp_path / "two five.txt", "changes")):
        heard.begin(given, task)
        heard.until("!document.getElementById('notice-box').hidden")
        heard.driver.execute_script("document.getElementById('notice-close').click()")
    heard.until("document.querySelectorAll('.held-row:not([hidden])').length === 2")
    said(heard)
    yield heard
    heard.ask(
        "Promise.all([fetch('/api/like/none', { method: 'POST' }), fetch('/api/chart/none', { method: 'POST' })])"
    )
    heard.until("app.status().like === null && app.status().chart === null")


def test_what_came_from_a_file_stands_by_its_name_and_is_taken_back(holding: Page) -> None:
    names = "[...document.querySelectorAll('.held-row:not([hidden])')].map((row) => row.textContent)"
    assert holding.ask(names) == ["Plays like song.midRemove", "Plays over two five.txtRemove"]
    holding.find("#chart-keys button:nth-child(5)").click()
    holding.until("app.status().settings.chart_key === 'Eb'")
    assert holding.ask("app.status().chart.name") == "two five.txt", "in another key too"
    holding.reach(".held-row[data-kind=like] button").send_keys(Keys.ENTER)
    holding.until("app.status().like === null")
    holding.until("document.activeElement.ariaLabel === 'Remove: Plays over two five.txt'")
    assert said(holding) == ["pianod plays like no file any more"]
    holding.driver.switch_to.active_element.send_keys(Keys.ENTER)
    holding.until("app.status().chart === null && document.getElementById('held').hidden")
    assert holding.ask("document.activeElement.id") == "keyboard"
    assert said(holding) == ["pianod plays over no changes any more"]


def test_changes_that_were_typed_stand_by_what_was_typed(page: Page) -> None:
    page.face("play")
    for typed, shown in (("blues", "blues"), ("C | F", "C | F")):
        page.change({"chart": typed})
        page.until(f"document.querySelector('.held-row[data-kind=chart] b').textContent === '{shown}'")
    page.click(".held-row[data-kind=chart] button")
    page.until("app.status().chart === null")
