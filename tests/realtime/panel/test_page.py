"""The page in a real browser against the real daemon: played, answered, steered, silenced, twice at once, and back."""

import json
from pathlib import Path

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.realtime.panel.browser import Page
from tests.realtime.panel.changes import CHANGES
from tests.realtime.panel.daemon import Daemon


def test_a_phrase_on_the_page_is_answered_seen_and_heard(page: Page, tmp_path: Path) -> None:
    page.watch()
    before, struck = page.play(), page.ask("app.sound.struck")
    pitches = f"app.music.player.notes.slice({before} + 1).map(({{ pitch }}) => pitch)"
    assert page.ask(pitches) == [60, 62, 64, 65], "what is played is what is seen"
    page.until("app.seen.rows.some(([who, what]) => who === 'model' && what === 'on')")
    page.until("app.seen.ghosts > 0")
    page.until(f"app.sound.context?.state === 'running' && app.sound.struck > {struck}")
    rows = page.ask("app.seen.rows")
    assert "playing" in page.ask("app.seen.activities")
    planned = {(row[3], row[4]) for row in rows if row[:2] == ["plan", "on"]}
    sounded = {(row[3], row[4]) for row in rows if row[:2] == ["model", "on"]}
    assert sounded <= planned, "each note was planned, and seen ahead of the line, before it sounded"
    page.until("app.seen.lit")
    take = page.fetched("/api/take.mid", tmp_path / "take.mid")
    assert set(take.notes["track"].tolist()) == {0, 1}


def test_the_mouse_plays_louder_further_down_and_space_is_the_pedal(page: Page) -> None:
    keyboard = page.find("#keyboard")
    height = keyboard.size["height"]
    before = page.ask("app.music.player.notes.length")
    for part in (0.72, 0.95):
        ActionChains(page.driver).move_to_element_with_offset(
            keyboard, 5, int(height * (part - 0.5))
        ).click_and_hold().pause(0.05).release().perform()
    page.until(f"app.music.player.notes.length === {before} + 2 && !app.music.player.sounding.size")
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
    changes = {name: value for name, value in CHANGES.items() if name != "mode"}
    for name, value in changes.items():
        if page.ask(f"document.querySelector('#setting-{name} ~ .with-none input') !== null"):
            page.put(f"#setting-{name} ~ .with-none input", value=False)
        page.put(f"#setting-{name}", value)
    wanted = f"Object.entries({json.dumps(changes)}).every(([name, value]) => app.status().settings[name] === value)"
    page.until(wanted)
    other = Page(page.driver, daemon.address)
    other.until(wanted)
    for name, value in changes.items():
        control = other.find(f"#setting-{name}")
        shown = str(control.get_property("checked" if control.get_property("type") == "checkbox" else "value"))
        assert shown == str(value) or float(shown) == value, f"the other page shows {name}"
    for mode in ("duet", "velocity", "loop", "answer"):
        other.put("#setting-mode", mode)
        other.until(f"app.status().mode === '{mode}'")
    page.driver.close()
    page.show()
    page.change(before)
    page.put("#setting-shortest_pause_s", 4.9)
    page.until("document.getElementById('notice').textContent.includes('must not exceed')")


def test_presets_are_kept_and_recalled(page: Page) -> None:
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


def test_what_was_played_is_replayed_in_the_page(page: Page) -> None:
    page.play("ad")
    page.ask("app.link.ask('stop')")
    struck = page.ask("app.sound.struck")
    notes = page.ask("app.music.player.notes.length")
    page.click("#tab-pieces")
    page.click("#replay")
    page.until(f"app.sound.struck > {struck}")
    page.click("#replay")
    page.until("!app.replay.isOn && app.roll.backS === 0")
    assert page.ask("app.music.player.notes.length") == notes, "nothing of it reaches the daemon"


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
    page.play("a")
    page.put("#setting-tempo_bpm", 180)
    page.put("#setting-metronome", "page")
    page.until("app.sound.clicks > 2 && app.roll.grid !== null")
    page.put("#setting-metronome", "off")
    page.until("app.metronome.grid === null")


def test_two_pages_see_the_same(page: Page, daemon: Daemon) -> None:
    other = Page(page.driver, daemon.address)
    page.show()
    before = page.play("gh")
    other.show()
    other.until(f"app.music.player.notes.length === {before} + 3")
    other.click("[data-command=panic]")
    page.driver.close()
