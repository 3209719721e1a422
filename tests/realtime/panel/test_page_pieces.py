"""Pieces in the page, against the real daemon: a file worked on, a take seen and heard, a data set looked through."""

import json
from pathlib import Path

import mido
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


TASKS = "[...document.querySelectorAll('#job-tasks input')].map((input) => input.value)"
"""What is asked for a file."""


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


def silent(path: Path) -> Path:
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(path)
    return path


REFUSED = {
    "no music.mid": (b"no music at all", "it is no MIDI file: save it as one (.mid) in the program it comes from"),
    "song.mp3": (b"ID3" + bytes(100), "it is no MIDI file: save it as one"),
    "empty.mid": (b"", "it is empty: choose another file"),
    "large.mid": (b"MThd" + bytes(3 << 20), "it has 3 MiB, and a file for this page has at most 1 MiB: the commands"),
    "words.txt": (b"hello", "'hello' is no chord; write it as in Dm7"),
    "silent.mid": (None, "there is no note in it (drums on channel 10 do not count); choose another file"),
}
"""Files that nothing can be done with, what is in them, and what is said of them."""


def test_a_file_that_cannot_work_is_refused_at_once_by_its_name_with_the_way_out(page: Page, tmp_path: Path) -> None:
    page.click("#tab-pieces")
    page.driver.execute_script(
        "window.asked = 0; const { showModal } = HTMLDialogElement.prototype;"
        " HTMLDialogElement.prototype.showModal = function () { asked++; showModal.call(this); };"
    )
    for name, (data, said) in REFUSED.items():
        given = tmp_path / name
        given.write_bytes(silent(given).read_bytes() if data is None else data)
        page.find("#job-file").send_keys(str(given))
        page.until(f"document.getElementById('notice').textContent.startsWith({json.dumps(f'{name}: {said}')})")
        assert page.driver.execute_script("return asked") == 0, f"{name}: nothing was asked"
        assert not page.find("#job-target").is_displayed()
    assert page.find("#notice-box").is_displayed()
    page.until("document.getElementById('notice-box').hidden")


def test_what_cannot_be_read_is_refused_and_of_several_files_one_is_taken(page: Page, tmp_path: Path) -> None:
    folder = "Object.assign(new File([], 'a folder'), { arrayBuffer: () => Promise.reject(new Error('no file')) })"
    page.ask(f"app.job.ask([{folder}])")
    assert page.find("#notice").text.startswith("a folder: it cannot be read (a folder, perhaps, or it has gone)")
    data = list(a_file(tmp_path).read_bytes())
    page.ask(f"app.job.ask(['one.mid', 'two.mid'].map((name) => new File([new Uint8Array({data})], name)))")
    assert page.find("#job-question").text == "What shall be done with one.mid?"
    assert page.ask("document.getElementById('notice').textContent") == (
        "one file at a time: one.mid is taken, two.mid not"
    )
    page.click("#job-cancel")


def test_while_a_file_is_worked_on_no_other_is_asked_for_what_would_be_refused(page: Page, tmp_path: Path) -> None:
    data = list(a_file(tmp_path).read_bytes())
    page.ask("(app.job.isFollowing = true, app.job.job = { name: 'first.mid' })")
    page.ask(f"app.job.ask([new File([new Uint8Array({data})], 'second.mid')])")
    assert page.ask(f"{TASKS}.sort()") == ["changes", "like"]
    assert page.find("#notice").text.startswith("first.mid is still being worked on")
    page.click("#job-cancel")
    page.ask("app.job.isFollowing = false")


def test_a_file_of_chord_names_alone_can_only_give_the_changes(page: Page, tmp_path: Path) -> None:
    track = mido.MidiTrack([mido.MetaMessage("marker", text=name, time=1920) for name in ("Dm7", "G7", "Cmaj7", "A7")])
    mido.MidiFile(tracks=[track]).save(tmp_path / "chords.mid")
    page.click("#tab-pieces")
    page.find("#job-file").send_keys(str(tmp_path / "chords.mid"))
    page.until("app.job.parts.dialog.open")
    assert page.ask(TASKS) == ["changes"]
    page.click("#job-cancel")


def test_a_dropped_file_lights_the_target_and_is_asked_for_the_last_choice_first(page: Page, tmp_path: Path) -> None:
    data = list(a_file(tmp_path).read_bytes())
    page.driver.execute_script(
        "window.drag = (kind) => { const dataTransfer = new DataTransfer();"
        f" dataTransfer.items.add(new File([new Uint8Array({data})], 'dropped.mid'));"
        " window.dispatchEvent(new DragEvent(kind, { dataTransfer, cancelable: true })); };"
    )
    page.driver.execute_script("drag('dragenter')")
    assert page.find("#job-target").is_displayed()
    page.driver.execute_script("drag('dragleave')")
    assert not page.find("#job-target").is_displayed()
    for last in ("perform", "velocities"):
        page.driver.execute_script("drag('dragenter'); drag('drop')")
        page.until("app.job.parts.dialog.open")
        assert not page.find("#job-target").is_displayed()
        assert page.find("#job-question").text == "What shall be done with dropped.mid?"
        page.click(f"#job-tasks input[value={last}]")
        page.click("#job-start")
        page.until(f"document.getElementById('job-name').textContent === '{last}: dropped.mid is done'")
        page.click("#job-close")
        page.driver.execute_script("drag('dragenter'); drag('drop')")
        page.until("app.job.parts.dialog.open")
        assert page.ask(f"[{TASKS}[0], document.activeElement.value]") == [last, last]
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        page.until("!app.job.parts.dialog.open")


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
