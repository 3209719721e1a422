"""Takes in the page: kept by one key, named, marked, deleted, with one date each."""

import re
from collections.abc import Iterator

import pytest

from tests.realtime.panel.browser import Page
from tests.realtime.panel.daemon import Daemon
from tests.realtime.panel.pieces import write_piece

LISTED = "[...app.takes.parts.list.options].map((option) => option.textContent)"


@pytest.fixture
def shelf(page: Page, daemon: Daemon) -> Iterator[Page]:
    """Give a page that shows two takes: one whose name is a date, one with a name."""
    dated = write_piece(daemon.takes / "2026-05-04 20.15.00.mid")
    page.click("#tab-pieces")
    page.until(f"{LISTED}.length === 2")
    yield page
    for path in daemon.takes.iterdir():
        if path != daemon.takes / "earlier.mid":
            path.unlink()
    assert not dated.exists()


def test_each_take_has_one_date(shelf: Page) -> None:
    for words in shelf.ask(LISTED):
        assert len(re.findall(r"\b20\d\d\b", words)) == 1, words


def test_a_take_is_named_starred_and_deleted_when_asked_for_twice(shelf: Page, daemon: Daemon) -> None:
    name = "2026-05-04 20.15.00.mid"
    shelf.put("#takes", name)
    shelf.put("#takes-name", "An <evening>")
    shelf.until(f"{LISTED}.some((words) => words.startsWith('An <evening> · '))")
    shelf.put("#takes", name)
    shelf.click("#takes-star")
    shelf.until(f"{LISTED}[0].startsWith('★ An <evening> · ')")
    shelf.driver.refresh()
    shelf.until(f"app.link.isOpen && {LISTED}[0]?.startsWith('★ An <evening> · ')")
    shelf.click("#tab-pieces")
    shelf.put("#takes", name)
    assert shelf.find("#takes-star").get_property("textContent") == "No star"
    shelf.click("#takes-delete")
    assert shelf.find("#takes-delete").text == "Delete it for good?"
    shelf.find("#takes-star").send_keys("")
    shelf.driver.execute_script("document.getElementById('takes-name').focus()")
    assert shelf.find("#takes-delete").text == "Delete", "whoever goes away did not mean it"
    assert (daemon.takes / name).exists()
    shelf.click("#takes-delete")
    shelf.click("#takes-delete")
    shelf.until(f"{LISTED}.length === 1")
    assert not (daemon.takes / name).exists()


def test_one_key_keeps_the_last_half_minute(shelf: Page, daemon: Daemon) -> None:
    shelf.play("as")
    shelf.find("#keyboard").send_keys("m")
    shelf.until("document.getElementById('notice').textContent.startsWith('the last half minute is kept')")
    shelf.until(f"{LISTED}.some((words) => words.startsWith('kept · '))")
    assert [path.name.endswith(" kept.mid") for path in sorted(daemon.takes.glob("*kept*"))] == [True]
