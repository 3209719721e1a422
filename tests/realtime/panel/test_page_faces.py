"""The two faces of the page: what each shows, that it is remembered, and that the hand finds what it needs."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.realtime.panel.browser import Page

NARROW = (390, 844)
FINGER = 40
"""Pixels that a finger needs."""

VISIBLE_ROWS = "[...document.querySelectorAll('#knobs .row')].map((row) => row.querySelector('label').htmlFor)"
LIVE = "[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log], output:not([aria-live=off])"


@pytest.fixture
def playing(page: Page) -> Iterator[Page]:
    """Give the page with the face for playing, in its own size again afterwards."""
    page.face("play")
    yield page
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("way", ["duet", "loop", "velocity", "answer"])
def test_a_way_of_playing_is_one_button_with_its_knobs(playing: Page, way: str) -> None:
    playing.click(f"[data-way={way}]")
    playing.until(f"app.status().mode === '{way}' && app.play.mode === '{way}'")
    pressed = "[...document.querySelectorAll('.way[aria-pressed=true]')].map((way) => way.dataset.way)"
    assert playing.ask(pressed) == [way]
    assert playing.find(f"[data-way={way}] span").text.endswith("."), "a sentence says what it is"
    assert 2 <= len(playing.ask(VISIBLE_ROWS)) <= 3
    assert playing.find("#loop").is_displayed() == (way == "loop")
    assert playing.find("#loop [data-command=keep]").is_displayed() == (way == "loop")


def test_a_knob_of_this_face_is_that_of_the_other(playing: Page) -> None:
    label = "document.querySelector('label[for=setting-temperature]').textContent"
    assert playing.ask(label) == "How bold"
    playing.put("#setting-temperature", 0.4)
    playing.until("app.status().settings.temperature === 0.4")
    playing.face("studio")
    assert playing.ask(label) == "Temperature"
    assert playing.find("#settings #setting-temperature").get_property("value") == "0.4"
    assert playing.ask(VISIBLE_ROWS) == []


def test_the_settings_are_whole_after_the_daemon_was_away(playing: Page) -> None:
    rows = "document.querySelectorAll('#setting-temperature').length"
    playing.ask("app.link.socket.close()")
    playing.until("!app.link.isOpen")
    playing.until("app.link.isOpen && app.play.mode !== null")
    assert (playing.ask(rows), len(playing.ask(VISIBLE_ROWS))) == (1, 3)


def test_the_face_is_remembered(playing: Page) -> None:
    assert playing.find("#ways-title").is_displayed()
    assert not playing.find("#tabs").is_displayed()
    playing.click("[data-face=studio]")
    playing.driver.refresh()
    playing.until("app.link.isOpen && app.status() !== null")
    assert playing.find("#tabs").is_displayed()
    assert not playing.find("#ways-title").is_displayed()


@pytest.mark.parametrize("face", ["play", "studio"])
def test_stop_and_panic_are_in_reach_of_a_thumb(playing: Page, face: str) -> None:
    playing.resize(*NARROW)
    playing.face(face)
    for place in ("0", "document.body.scrollHeight"):
        playing.driver.execute_script(f"window.scrollTo(0, {place})")
        for command in ("stop", "panic", "answer"):
            box = playing.driver.execute_script(
                f"return document.querySelector('[data-command={command}]').getBoundingClientRect().toJSON()"
            )
            assert box["top"] > NARROW[1] * 0.75
            assert box["bottom"] <= NARROW[1]
            assert box["height"] >= FINGER
    assert playing.driver.execute_script("return document.documentElement.scrollWidth") <= NARROW[0], (
        "nothing sticks out"
    )


def test_who_is_on_is_said_once_by_the_only_live_region(playing: Page) -> None:
    playing.until("app.status().activity === 'listening'")
    live = f"[...document.querySelectorAll('{LIVE}')].map((element) => element.id)"
    assert playing.ask(live) == ["announcer"]
    playing.driver.execute_script(
        "window.said = []; new MutationObserver(() => said.push(document.getElementById('announcer').textContent))"
        ".observe(document.getElementById('announcer'), { childList: true });"
    )
    playing.click("[data-command=answer]")
    playing.until("document.getElementById('turn').textContent === 'pianod plays'")
    playing.find("#keyboard").send_keys(Keys.ESCAPE)
    playing.until("document.getElementById('turn').textContent === 'Your turn: it listens'")
    assert playing.driver.execute_script("return said") == ["pianod plays", "Your turn: it listens"]


def test_no_figure_of_a_key_is_shown(playing: Page) -> None:
    """Keys have names: a setting that is a MIDI pitch has no place on this face."""
    keys = {
        "setting-duet_split",
        "setting-duet_lowest",
        "setting-duet_highest",
        "setting-trigger_key",
        "setting-tap_key",
    }
    for way in ("duet", "loop", "velocity", "answer"):
        playing.click(f"[data-way={way}]")
        playing.until(f"app.play.mode === '{way}'")
        assert not keys & set(playing.ask(VISIBLE_ROWS))
