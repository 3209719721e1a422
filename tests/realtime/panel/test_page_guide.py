"""From the box to the first duet: the guide of four steps, what the doctor finds, what the page offers by itself."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.realtime.panel.browser import Page

STATUS: dict[str, Any] = {
    "has_midi": True,
    "input": "pianod in",
    "output": "pianod out",
    "inputs": [],
    "outputs": [],
    "players": [],
    "listeners": [],
    "heard": 0,
    "gone": [],
}
"""A MIDI system with nothing wired."""


@pytest.fixture
def guided(page: Page) -> Iterator[Page]:
    """Give a page that was never opened before."""
    page.face("play")
    page.driver.execute_script("localStorage.removeItem('pianod-guided')")
    page.driver.refresh()
    page.until("app.link.isOpen && app.status() !== null")
    yield page
    page.ask("app.guide.close()")


def test_who_comes_for_the_first_time_is_guided_to_play(guided: Page) -> None:
    title = "document.getElementById('guide-title').textContent"
    assert guided.ask(f"[app.guide.isOpen, {title}]") == [True, "What do you have?"]
    assert "There is no MIDI system here" in guided.find("#guide").text
    guided.click("#guide-next")
    assert guided.ask(title) == "Is the keyboard heard?"
    assert guided.ask("document.activeElement.id") == "guide-title", "who hears the page is told the step"
    guided.ask("app.keyboard.press('a hand', 61, 70)")
    guided.until("document.getElementById('guide-heard').textContent === 'C♯4'")
    guided.ask("app.keyboard.releaseAll()")
    guided.click("#guide-next")
    struck = guided.ask("app.sound.struck")
    guided.click("#guide-page-sound")
    guided.until(f"app.sound.struck >= {struck} + 4")
    guided.click("#guide-next")
    guided.click("#guide-next")
    assert not guided.find("#guide").is_displayed()
    assert guided.find("#roll").is_displayed()
    guided.driver.refresh()
    guided.until("app.link.isOpen && app.status() !== null")
    assert not guided.ask("app.guide.isOpen"), "once is enough"
    guided.click("#connect")
    assert guided.ask("app.guide.isOpen")


def test_the_doctor_looks_at_the_computer_from_the_guide(page: Page) -> None:
    page.click("#connect")
    page.click("#doctor-look")
    page.until("document.querySelectorAll('#doctor-found .finding').length > 1")
    said = page.find("#doctor-found").text
    assert "no MIDI system answers" in said
    assert "the model is " in said
    assert "docs/connect.md tells how to come by one" in said, "what to do stands beside it"
    page.click("#guide-close")
    page.click("#tab-health")
    assert page.find("#panel-health #doctor-found").is_displayed(), "they stand in the studio, too"


def test_the_keyboard_is_judged_and_a_button_mends_it(page: Page) -> None:
    page.click("#tab-health")
    for velocity in [64] * 10:
        page.ask(f"app.link.play([0x90, 60, {velocity}], [0x80, 60, 0])")
    page.until("app.music.player.notes.length >= 10")
    note = {"grade": "note", "says": "no keyboard", "remedy": "plug one in"}
    page.ask(f"app.doctor.show([{{ findings: [{json.dumps(note)}] }}])")
    assert page.ask("app.doctor.parts.state.textContent").startswith("1 of 1 findings could be better")
    page.ask("app.doctor.show([{ findings: [] }])")
    page.click("#doctor-keyboard")
    page.until("document.querySelectorAll('#doctor-found .finding').length > 1")
    finding = {"grade": "fault", "says": "no dynamics", "remedy": "mend it"}
    finding_with_change = {**finding, "change": {"button": "Mend", "settings": {"mode": "velocity", "strength": 1.0}}}
    page.ask(f"app.doctor.show([{{ findings: [{json.dumps(finding_with_change)}] }}])")
    page.click("#doctor-found button")
    page.until("app.status().mode === 'velocity' && app.status().settings.strength === 1")


def offered(page: Page, *statuses: dict[str, Any], sound: bool = False) -> list[str]:
    """Return what is offered after some statuses, one after the other, and what its buttons say."""
    found: list[str] = page.driver.execute_async_script(
        "const [statuses, sound, done] = arguments; import('/static/offers.js').then(({ Offers }) => {"
        " const box = document.createElement('p'); window.used = [];"
        " const push = (what) => () => used.push(what);"
        " const steps = { use: (port) => used.push(port), sound: push('sound'), guide: push('guide') };"
        " const say = (text) => used.push(`said ${text}`);"
        " const offers = new Offers(box, steps, say, say); window.offerBox = box;"
        " for (const status of statuses) offers.take(status, sound);"
        " done([...box.children].map((part) => part.textContent)); });",
        list(statuses),
        sound,
    )
    return found


def test_a_keyboard_that_appears_is_offered_once(page: Page) -> None:
    wired = {**STATUS, "players": ["a"], "listeners": ["b"]}
    casio = {**wired, "inputs": ["CASIO USB-MIDI:CASIO USB-MIDI 20:0"]}
    question = "CASIO USB-MIDI was plugged in: use it?"
    assert offered(page, wired, casio, casio) == [question, "Use it", "Not now"]
    assert page.driver.execute_script("return used") == [f"said {question}"], "it is said once"
    page.driver.execute_script("offerBox.querySelector('button').click()")
    assert page.driver.execute_script("return used.at(-1)") == casio["inputs"][0]
    assert offered(page, casio, casio) == [], "what was there before is no news"
    assert offered(page, wired, casio, {**casio, "input": casio["inputs"][0]}) == [], "it is in use"
    assert offered(page, wired, casio, wired) == [], "it is gone"


def test_where_nothing_is_wired_the_own_sound_is_offered(page: Page) -> None:
    bare = "Nothing is wired to pianod yet: no keyboard and no sound."
    assert offered(page, STATUS) == [bare, "Connect my piano", "Sound in this page", "Not now"]
    page.driver.execute_script("offerBox.querySelectorAll('button')[1].click()")
    assert page.driver.execute_script("return used.at(-1)") == "sound"
    assert offered(page, STATUS, sound=True)[0] == "No keyboard is wired to pianod yet."
    assert offered(page, {**STATUS, "players": ["a keyboard"]})[0] == "No sound is wired to pianod yet."
    assert offered(page, {**STATUS, "input": "CASIO", "inputs": ["CASIO"], "listeners": ["a synth"]}) == []
    assert offered(page, {**STATUS, "players": None, "listeners": None, "heard": 3}) == [], (
        "nobody knows, and keys came"
    )
    assert offered(page, {**STATUS, "has_midi": False}) == [], "there is nothing to wire"


CASIO = {**STATUS, "input": "CASIO:CASIO 20:0", "inputs": ["CASIO:CASIO 20:0"], "listeners": ["a synthesiser"]}
IS_GONE = "CASIO is gone: unplugged, switched off, or its program has ended."


def test_a_keyboard_that_was_wired_and_is_unplugged_is_told_by_its_name_and_so_is_its_return(page: Page) -> None:
    gone = {"what": "input", "name": CASIO["input"], "returns": True}
    away = {**CASIO, "inputs": [], "gone": [gone]}
    again = {**CASIO, "input": "CASIO:CASIO 24:0", "inputs": ["CASIO:CASIO 24:0"]}
    said = f"{IS_GONE} As soon as it is back, pianod listens to it again."
    assert offered(page, CASIO, away, away) == [said, "Connect my piano", "Not now"]
    assert page.driver.execute_script("return used") == [f"said {said}"], "it is said once"
    assert offered(page, away) == [said, "Connect my piano", "Not now"], "a page that was opened later knows, too"
    early = {**away, "inputs": again["inputs"]}
    assert offered(page, CASIO, away, early) == [said, "Connect my piano", "Not now"], "it is not offered as another"
    assert offered(page, CASIO, away, again, again) == []
    assert page.driver.execute_script("return used") == [f"said {said}", "said CASIO is back"]
    other = {**CASIO, "input": "Roland", "inputs": ["Roland"]}
    assert offered(page, CASIO, away, other) == []
    assert page.driver.execute_script("return used") == [f"said {said}"], "another took its place"


def test_what_was_wired_by_hand_is_to_be_wired_again(page: Page) -> None:
    wired = {**STATUS, "players": ["CASIO:CASIO 20:0"], "listeners": ["a synthesiser"]}
    keyboard = {"what": "input", "name": "CASIO:CASIO 20:0", "returns": False}
    sound = {"what": "output", "name": "a synthesiser", "returns": False}
    away = {**wired, "players": [], "gone": [keyboard]}
    again = "When it is back, wire it to pianod again, or choose it here."
    assert offered(page, wired, away)[0] == f"{IS_GONE} {again}"
    both = {**away, "listeners": [], "gone": [keyboard, sound]}
    assert offered(page, both)[0] == f"{IS_GONE} {again} {IS_GONE.replace('CASIO', 'a synthesiser')} {again}"
    one = {**STATUS, "gone": [keyboard]}
    assert offered(page, one)[0] == f"{IS_GONE} {again} No sound is wired to pianod yet."


def test_a_midi_system_that_no_longer_answers_is_told_by_its_name(page: Page) -> None:
    gone = {"what": "system", "name": "jack", "returns": True}
    away = {**CASIO, "inputs": [], "gone": [gone]}
    said = "The MIDI system jack no longer answers. As soon as it is back, pianod takes its ports up again."
    assert offered(page, CASIO, away)[0] == said
    assert offered(page, CASIO, away, CASIO) == []
    assert page.driver.execute_script("return used") == [f"said {said}", "said the MIDI system jack is back"]
