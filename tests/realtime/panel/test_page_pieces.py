"""Pieces in the page, against the real daemon: a file worked on, a take seen and heard, a data set looked through."""

from pathlib import Path

from selenium.webdriver.common.keys import Keys

from tests.realtime.panel.browser import Page
from tests.realtime.panel.pieces import LONG, scale, write_piece

AMBER = """
(() => {
  const { canvas } = app.viewer.roll;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let index = 0; index < data.length; index += 4) if (data[index] > data[index + 2] + 60) count++;
  return count;
})()
"""
"""How much of the picture is in the colour of the first layer."""


def a_file(tmp_path: Path) -> Path:
    return write_piece(tmp_path / "given.mid", count=12)


def test_a_file_is_sent_gone_on_with_seen_and_downloaded(page: Page, tmp_path: Path) -> None:
    given = a_file(tmp_path)
    page.click("#tab-pieces")
    page.watch()
    page.begin(given, "continue", seconds=10)
    page.until("!document.getElementById('job-look').hidden")
    assert page.ask("app.seen.progress") == 2, "how far it is was shown, and then no more"
    assert page.find("#job-name").text == "continue: given.mid is done"
    assert not page.ask("app.viewer.isOpen"), "the roll is not replaced unasked"
    page.click("#job-look")
    page.until("app.viewer.isOpen")
    assert page.find("#viewer-title").text == "given.mid · before and after"
    assert page.ask("app.viewer.music.player.notes.length") == scale(12).notes.size
    made = page.fetched(page.find("#viewer-file").get_attribute("href"), tmp_path / "made.mid")
    assert made.notes.size == scale(12).notes.size + page.ask("app.viewer.music.model.notes.length")
    assert (made.notes["track"] == 0).sum() == scale(12).notes.size
    page.click("#viewer-close")
    page.click("#job-close")
    assert not page.find("#job-strip").is_displayed()


def test_a_fault_names_the_file_and_goes_away(page: Page, tmp_path: Path) -> None:
    given = tmp_path / "no music.mid"
    given.write_bytes(b"no music at all")
    page.click("#tab-pieces")
    page.begin(given, "clean")
    page.until("document.getElementById('notice').textContent === 'no music.mid: this is no MIDI file'")
    assert ["400" in fault for fault in page.faults()] == [True], "the browser too says that it was refused"
    assert page.find("#notice-box").is_displayed()
    page.until("document.getElementById('notice-box').hidden")


def test_a_dropped_file_lights_the_target_and_is_asked_for_the_last_choice_first(page: Page) -> None:
    page.driver.execute_script(
        "window.drag = (kind) => { const dataTransfer = new DataTransfer();"
        " dataTransfer.items.add(new File(['no music'], 'dropped.mid'));"
        " window.dispatchEvent(new DragEvent(kind, { dataTransfer, cancelable: true })); };"
    )
    page.driver.execute_script("drag('dragenter')")
    assert page.find("#job-target").is_displayed()
    page.driver.execute_script("drag('dragleave')")
    assert not page.find("#job-target").is_displayed()
    tasks = "[...document.querySelectorAll('#job-tasks input')].map((input) => input.value)"
    for last in ("perform", "velocities"):
        page.driver.execute_script("drag('dragenter'); drag('drop')")
        assert not page.find("#job-target").is_displayed()
        assert page.find("#job-question").text == "What shall be done with dropped.mid?"
        page.click(f"#job-tasks input[value={last}]")
        page.click("#job-start")
        page.until("!document.getElementById('notice-box').hidden")
        page.driver.execute_script("drag('dragenter'); drag('drop')")
        assert page.ask(f"[{tasks}[0], document.activeElement.value]") == [last, last]
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        page.until("!app.job.parts.dialog.open")
    assert ["400" in fault for fault in page.faults()] == [True, True]


def test_a_file_is_filled_and_seen_before_and_after(page: Page, tmp_path: Path) -> None:
    page.click("#tab-pieces")
    page.begin(a_file(tmp_path), "fill", "melody")
    page.until("!document.getElementById('job-look').hidden")
    page.click("#job-look")
    page.until("app.viewer.isOpen")
    assert page.find("#notice").text == ""
    kept = page.ask("app.viewer.music.player.notes.length")
    assert 0 < kept < scale(12).notes.size
    made = page.fetched("/api/job/made.mid", tmp_path / "made.mid")
    assert made.notes.size == kept + page.ask("app.viewer.music.model.notes.length")
    assert page.ask(AMBER) > 0
    page.click("#viewer-first")
    assert page.ask(AMBER) == 0, "what is hidden is not drawn"
    page.click("#viewer-close")


def test_an_earlier_take_is_looked_at_heard_and_read_back(page: Page, tmp_path: Path) -> None:
    page.click("#tab-pieces")
    page.until("app.takes.parts.list.value === 'earlier.mid'")
    page.find("#takes").send_keys(Keys.ENTER)
    page.until("app.viewer.isOpen")
    assert page.ask(AMBER) > 0
    notes = scale(LONG).notes.size
    assert page.ask("app.viewer.music.player.notes.length") == notes
    assert page.fetched(page.find("#viewer-file").get_attribute("href"), tmp_path / "take.mid").notes.size == notes
    struck = page.ask("app.sound.struck")
    page.click("#viewer-listen")
    page.until(f"app.sound.struck > {struck} && app.viewer.roll.cursor !== null")
    page.until("app.keyboard.litKeys().size > 0 && app.keyboard.held.size === 0")
    page.click("#viewer-listen")
    page.until("!app.viewer.replay.isOn && app.viewer.roll.cursor === null")
    page.until("app.keyboard.litKeys().size === 0")
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
    wanted = page.driver.execute_async_script(
        "const done = arguments[0]; const ask = fetch; window.fetch = (place, ...rest) => { window.fetch = ask;"
        " done(place); return ask('/api/takes'); }; document.getElementById('viewer-sound').hidden = false;"
        " document.getElementById('viewer-sound').click();"
    )
    assert wanted == "/api/takes/earlier.wav", "the sound is made by pianod's machine"
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
