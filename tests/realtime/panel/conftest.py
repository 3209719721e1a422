"""One daemon and one Chromium for all tests of the page; presets of the tests are the tests' own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from realtime.engine.find_bundle import EMBEDDED_FOLDER
from realtime.panel.server import PanelServer
from tests.realtime.panel.browser import Page, start_chromium
from tests.realtime.panel.daemon import Daemon
from tests.realtime.panel.pieces import LONG, write_piece
from tests.realtime.panel.stage import Stage


@pytest.fixture(autouse=True)
def _presets_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIANOD_PRESETS", str(tmp_path / "presets.json"))


@pytest.fixture(scope="package")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("daemon")
    write_piece(folder / "takes" / "earlier.mid", LONG)
    write_piece(folder / "set" / "first.mid")
    shutil.copytree(EMBEDDED_FOLDER, folder / "models" / "twin")
    shutil.copytree(EMBEDDED_FOLDER, folder / "models" / "broken")
    (folder / "models" / "broken" / "model.onnx").write_bytes(b"no model")
    running = Daemon(folder, 0, "--review", "set", "--models", "models")
    yield running
    running.end()


@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    driver = start_chromium(str(tmp_path_factory.mktemp("profile")))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium: webdriver.Chrome, daemon: Daemon) -> Iterator[Page]:
    """Give a page of its own; it must have nothing to complain of, and leaves the daemon listening and as it was."""
    page = Page(chromium, daemon.address)
    page.faults()  # what pages before it complained of: one whose daemon was ended, one of a stranger
    before = page.ask("app.status().settings")
    yield page
    page.show()
    assert page.faults() == []
    page.change(before)
    page.ask("app.link.ask('panic')")
    page.until("app.status().activity === 'listening' && !app.music.model.sounding.size")
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Give a session with its controls, on the machine's clock, and no server."""
    stage = Stage(panel_port=0)
    with stage.play:
        yield stage


@pytest.fixture
def server(stage: Stage) -> Iterator[PanelServer]:
    """Give a panel of that session on a real socket."""
    with PanelServer(stage.settings, stage.controls) as server:
        yield server
