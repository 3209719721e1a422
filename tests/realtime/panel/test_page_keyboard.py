"""The page by keyboard alone: everything is reached by the Tab key and done by keys."""

from pathlib import Path

from selenium.webdriver.common.keys import Keys

from tests.realtime.panel.browser import Page
from tests.realtime.panel.daemon import Daemon
from tests.realtime.panel.pieces import write_piece


def do(page: Page, selector: str, *keys: str, until: str = "true") -> None:
    """Go to a control by the Tab key, press keys, and wait for what they bring about."""
    page.reach(selector).send_keys(*keys)
    page.until(until)


def test_the_face_for_playing(page: Page, daemon: Daemon) -> None:
    do(page, "[data-face=play]", Keys.ENTER, until="app.faces.shown === 'play'")
    do(page, "[data-way=duet]", Keys.SPACE, until="app.play.mode === 'duet'")
    do(page, "#setting-restraint", Keys.ARROW_RIGHT, until="app.status().settings.restraint === 0.1")
    do(page, "#setting-role", Keys.ARROW_DOWN, until="app.status().settings.role === 'lead'")
    do(page, "[data-way=answer]", Keys.ENTER, until="app.play.mode === 'answer'")
    do(page, "[data-command=answer]", Keys.ENTER, until="app.status().activity === 'playing'")
    do(page, "[data-command=retry]", Keys.ENTER, until="app.music.model.sounding.size > 0")
    do(page, "[data-command=stop]", Keys.ENTER, until="app.status().activity === 'listening'")
    do(page, "#keep", Keys.ENTER, until="document.getElementById('notice').textContent.includes('is kept')")
    for path in daemon.takes.glob("* kept.mid"):
        path.unlink()
    do(page, "#notice-close", Keys.ENTER, until="document.getElementById('notice-box').hidden")
    do(page, "#sound", Keys.SPACE, until="!app.sound.isOn")
    do(page, "#sound", Keys.SPACE, until="app.sound.isOn")
    do(page, "#volume", Keys.ARROW_LEFT, until="app.sound.volume === 0.79")
    notes = page.ask("app.music.player.notes.length")
    do(page, "#keyboard", "a", until=f"app.music.player.notes.length === {notes} + 1")
    do(page, "[data-command=panic]", Keys.ENTER, until="app.status().activity === 'listening'")


def test_the_guide(page: Page) -> None:
    do(page, "#connect", Keys.ENTER, until="app.guide.isOpen && document.activeElement.id === 'guide-title'")
    do(page, "#doctor-keyboard", Keys.ENTER, until="document.querySelector('#doctor-found .finding') !== null")
    for step in (2, 3):
        do(page, "#guide-next", Keys.ENTER, until=f"app.guide.step === {step}")
    struck = page.ask("app.sound.struck")
    do(page, "#guide-page-sound", Keys.ENTER, until=f"app.sound.struck >= {struck} + 4")
    do(page, "#guide-back", Keys.ENTER, until="app.guide.step === 2")
    do(page, "#guide-title", Keys.ESCAPE, until="!app.guide.isOpen && document.activeElement.id === 'connect'")
    do(page, "#connect", Keys.ENTER, until="app.guide.isOpen && document.activeElement.id === 'guide-title'")
    do(page, "#guide-close", Keys.ENTER, until="!app.guide.isOpen && document.activeElement.id === 'connect'")


def test_the_studio(page: Page) -> None:
    do(page, "[data-face=studio]", Keys.ENTER, until="app.faces.shown === 'studio'")
    do(page, "[data-command=tap]", Keys.ENTER)
    do(page, "[data-command=new_piece]", Keys.ENTER, until="app.status().stream_tokens < 4")
    do(page, "#setting-chart", "C | F", Keys.TAB, until="app.status().chart?.bars.length === 2")
    do(page, "#setting-metronome", Keys.ARROW_DOWN, until="app.status().settings.metronome === 'page'")
    do(page, "#preset-name", "calm")
    do(page, "#preset-save", Keys.ENTER, until="app.status().presets.includes('calm')")
    do(page, "#preset-recall", Keys.ENTER)
    do(page, "#preset-forget", Keys.ENTER, until="app.status().presets.length === 0")
    do(page, "#tab-steer", Keys.ARROW_RIGHT, until="document.activeElement.id === 'tab-pieces'")
    do(page, "#tab-pieces", Keys.ARROW_RIGHT, until="!document.getElementById('panel-health').hidden")
    do(page, "#zoom", Keys.ARROW_RIGHT, until="app.roll.seconds === 13")


def test_a_key_is_learned_and_told_by_its_name(page: Page) -> None:
    do(page, "#setting-trigger_key ~ .learn button", Keys.ENTER)
    page.ask("app.keyboard.press('a hand', 61, 70)")
    page.until("app.status().settings.trigger_key === 61")
    page.ask("app.keyboard.releaseAll()")
    shown = "document.querySelector('#setting-trigger_key ~ .learn b').textContent"
    page.until(f"{shown} === 'C♯4'")
    page.change({"duet_split": 58})
    page.until("document.getElementById('setting-duet_split').getAttribute('aria-valuetext') === 'B♭3'")
    page.ask("app.keyboard.press('a hand', 62, 70)")
    page.until("app.music.player.sounding.has(62)")
    page.ask("app.keyboard.releaseAll()")
    assert page.ask("app.status().settings.trigger_key") == 61, "it is learned once"


def test_a_controller_is_learned_from_the_pedal_that_is_moved(page: Page) -> None:
    do(page, "#setting-trigger_cc ~ .learn button", Keys.ENTER)
    page.until("document.querySelector('#setting-trigger_cc ~ .learn button').textContent === 'Move it'")
    moving = "(app.link.play([0xb0, 67, 127]), app.status().settings.trigger_cc === 67)"
    page.until(moving)
    page.until("document.querySelector('#setting-trigger_cc ~ .learn b').textContent === 'soft pedal'")
    page.ask("app.link.play([0xb0, 11, 90])")
    assert page.ask("app.status().settings.trigger_cc") == 67, "it is learned once"


SPY = (
    "(app.asked = [], app.link.ask = ((ask) => (name, more) => (app.asked.push(name), ask.call(app.link, name, more)))"
    "(app.link.ask), true)"
)
"""From now on what is asked of pianod is remembered."""


def test_a_loop_and_an_ending(page: Page) -> None:
    do(page, "[data-face=play]", Keys.ENTER, until="app.faces.shown === 'play'")
    do(page, "[data-way=loop]", Keys.ENTER, until="app.play.mode === 'loop'")
    do(page, "[data-face=studio]", Keys.ENTER, until="!document.getElementById('loop').hidden")
    page.ask(SPY)
    for command in ("take", "keep", "undo", "clear"):
        do(page, f"[data-command={command}]", Keys.ENTER, until=f"app.asked.includes('{command}')")
    do(page, "[data-command=end]", Keys.ENTER, until="app.asked.includes('end')")


def test_takes_and_files(page: Page, tmp_path: Path) -> None:
    page.find("#tab-steer").send_keys(Keys.ARROW_RIGHT)
    page.until("app.takes.parts.list.value === 'earlier.mid'")
    opened = "app.viewer.isOpen && document.activeElement.id === 'viewer-title'"
    do(page, "#takes", Keys.ENTER, until=opened)
    do(page, "#viewer-first", Keys.SPACE, until="app.viewer.music.player.isHidden")
    do(page, "#viewer-at", Keys.ARROW_RIGHT, until="document.getElementById('viewer-at').value === '0.1'")
    do(page, "#viewer-listen", Keys.ENTER, until="app.viewer.parts.listen.textContent === 'Play here'")
    page.reach("#viewer-picture")
    page.reach("#viewer-file")
    do(page, "#viewer-close", Keys.ENTER, until="!app.viewer.isOpen && document.activeElement.id === 'takes'")
    do(page, "#takes-star", Keys.ENTER, until="app.takes.chosen.star")
    do(page, "#takes-star", Keys.ENTER, until="!app.takes.chosen.star")
    do(page, "#takes-delete", Keys.ENTER, until="app.takes.isAsking")
    do(page, "#takes", Keys.ENTER, until=opened)
    do(page, "#viewer-at", Keys.ESCAPE, until="!app.viewer.isOpen && document.activeElement.id === 'takes'")
    do(page, "#review-pieces", Keys.ENTER, until=opened)
    assert not page.ask("app.takes.isAsking")
    do(page, "#viewer-close", Keys.ENTER, until="!app.viewer.isOpen")
    nothing = tmp_path / "nothing.mid"
    nothing.write_bytes(b"no music")
    page.reach("#job-file").send_keys(str(nothing))
    page.until("document.getElementById('notice').textContent.startsWith('nothing.mid: ')")
    page.reach("#job-file").send_keys(str(write_piece(tmp_path / "piece.mid")))
    page.until("app.job.parts.dialog.open && document.activeElement.type === 'radio'")
    first = page.ask("app.job.task.task")
    page.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    page.until(f"app.job.task.task !== '{first}'")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until("!app.job.parts.dialog.open && document.activeElement.id === 'job-file'")


def test_a_model_is_chosen(page: Page, daemon: Daemon) -> None:
    notes = page.ask("app.music.player.notes.length")
    do(page, "#model", "tw", until="app.status().model === 'twin'")
    assert page.ask("document.activeElement.id") == "model", "who chose is still there"
    do(page, "#model", Keys.HOME, until="app.status().model === 'embedded'")  # letters so soon would go on from "tw"
    assert page.find("#model").get_property("value") == "embedded"
    assert page.ask("app.music.player.notes.length") == notes, "letters in a list are no keys"
    assert not list(daemon.takes.glob("* kept.mid")), "nor do they keep a take"


def test_a_take_is_named(page: Page, daemon: Daemon) -> None:
    notes = page.ask("app.music.player.notes.length") + 1
    do(page, "#keyboard", "a", until=f"app.music.player.notes.length === {notes}")
    page.find("#tab-steer").send_keys(Keys.ARROW_RIGHT)
    page.until("app.takes.parts.list.value === 'earlier.mid'")
    do(page, "#takes-name", "My dream", Keys.ENTER, until="app.takes.chosen.title === 'My dream'")
    do(
        page,
        "#takes-name",
        Keys.CONTROL,
        "a",
        Keys.NULL,
        Keys.DELETE,
        Keys.ENTER,
        until="app.takes.chosen.title === 'earlier'",
    )
    assert [path.name for path in daemon.takes.glob("*.mid")] == ["earlier.mid"], "M in a name keeps no take"
    assert page.ask("app.music.player.notes.length") == notes, "letters of a name are no keys"
    do(page, "#take-look", Keys.ENTER, until="app.viewer.isOpen && app.viewer.piece.title === 'This session'")
    do(page, "#viewer-close", Keys.ENTER, until="document.activeElement.id === 'take-look'")


def test_a_data_set_is_looked_through(page: Page) -> None:
    page.find("#tab-steer").send_keys(Keys.ARROW_RIGHT)
    page.until("app.review.pieces.length === 1")
    listed = "app.review.parts.pieces.options.length"
    do(page, "#review-filter", "no such", until=f"{listed} === 0")
    do(page, "#review-filter", Keys.CONTROL, "a", Keys.NULL, "first", until=f"{listed} === 1")
    do(page, "#review-task", "right", until="app.review.parts.task.value === 'right_hand'")
    do(page, "#review-look", Keys.ENTER, until="app.viewer.isOpen && app.viewer.piece.title.includes('right hand')")
    do(page, "#review-again", Keys.ENTER, until="app.viewer.piece.picture.endsWith('seed=1')")
    do(page, "#viewer-close", Keys.ENTER, until="!app.viewer.isOpen")


def test_the_changes_are_moved(page: Page) -> None:
    page.change({"chart": "ii | V | I", "chart_key": "C"})
    page.until("!document.getElementById('chart-keys').hidden")
    do(page, "#chart-keys button:nth-child(2)", Keys.TAB, Keys.SPACE)
    page.until("app.status().settings.chart_key === 'Db'")
    steps = "document.querySelector('#chart-keys button').getAttribute('aria-pressed')"
    before = page.ask(steps)
    do(page, "#chart-keys button", Keys.ENTER, until=f"{steps} !== '{before}'")
    do(page, "#chart-keys button", Keys.ENTER, until=f"{steps} === '{before}'")


def test_what_is_made_of_a_file(page: Page, tmp_path: Path) -> None:
    page.find("#tab-steer").send_keys(Keys.ARROW_RIGHT)
    page.reach("#job-file").send_keys(str(write_piece(tmp_path / "piece.mid")))
    page.until("app.job.parts.dialog.open && document.activeElement.type === 'radio'")
    while page.ask("app.job.task.task") != "velocities":
        page.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.until("!app.job.parts.look.hidden")
    do(page, "#job-look", Keys.ENTER, until="app.viewer.isOpen && app.viewer.music.model.notes.length > 0")
    do(page, "#viewer-close", Keys.ENTER, until="!app.viewer.isOpen")
    do(page, "#job-close", Keys.ENTER, until="document.getElementById('job-strip').hidden")


def test_what_went_by(page: Page) -> None:
    notes = page.ask("app.music.player.notes.length")
    do(page, "#keyboard", "a", until=f"app.music.player.notes.length === {notes} + 1")
    do(page, "#back", Keys.ARROW_RIGHT, until="app.roll.backS > 0")
    do(page, "#back", Keys.HOME, until="app.roll.backS === 0")
    do(page, "#tab-steer", Keys.ARROW_RIGHT, until="!document.getElementById('panel-pieces').hidden")
    do(page, "#replay", Keys.ENTER, until="app.replay.isOn")
    do(page, "#replay", Keys.ENTER, until="!app.replay.isOn")
    page.reach("#take")
    do(page, "#tab-pieces", Keys.ARROW_RIGHT, until="!document.getElementById('panel-health').hidden")
    do(page, "#doctor-look", Keys.ENTER, until="document.querySelector('#doctor-found .finding') !== null")


def test_an_offer_is_taken_up_and_a_take_deleted(page: Page, daemon: Daemon) -> None:
    page.ask("app.offers.take = () => {}")  # there is no MIDI system, which would take the offer back
    page.ask("app.offers.show('CASIO was plugged in: use it?', [['Use it', () => { app.taken = true; }]])")
    do(page, "#offer button", Keys.ENTER, until="app.taken")
    notes = page.ask("app.music.player.notes.length")
    do(page, "#keyboard", "a", until=f"app.music.player.notes.length === {notes} + 1")
    do(page, "#keyboard", "m", until="document.getElementById('notice').textContent.includes('is kept')")
    (kept,) = daemon.takes.glob("* kept.mid")
    page.find("#tab-steer").send_keys(Keys.ARROW_RIGHT)
    page.until(f"[...app.takes.parts.list.options].some((each) => each.value === '{kept.name}')")
    is_first = page.ask("app.takes.parts.list.options[0].value") == kept.name
    do(page, "#takes", Keys.HOME if is_first else Keys.END, until=f"app.takes.chosen.name === '{kept.name}'")
    do(page, "#takes-delete", Keys.ENTER, until="app.takes.isAsking")
    do(page, "#takes-delete", Keys.ENTER, until="app.takes.parts.list.options.length === 1")
    assert not kept.exists()
