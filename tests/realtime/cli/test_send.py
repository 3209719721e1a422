"""`pianod send` against a panel on a real socket."""

import json
from collections.abc import Iterator

import pytest

from realtime.cli.requests import SendRequest
from realtime.cli.send import run_send
from realtime.control.protocol import NEEDS_MORE, CommandName, ControlError
from realtime.panel.server import PanelServer
from realtime.settings import Settings
from tests.realtime.panel.stage import Stage


@pytest.fixture
def there() -> Iterator[Settings]:
    stage = Stage(panel_port=0)
    with stage.play, PanelServer(stage.settings, stage.controls) as server:
        port = int(server.address.rstrip("/").rpartition(":")[2])
        yield stage.settings.model_copy(update={"panel_port": port})


def test_commands_and_settings_are_sent(there: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    for what in ("answer", "temperature=0.5", "composer=bach", "density=2.5", "density=", "panic"):
        assert run_send(there, SendRequest(what=what)) == 0
    assert run_send(there, SendRequest(what="status")) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert (settings["temperature"], settings["composer"], settings["density"]) == (0.5, "bach", None)


@pytest.mark.parametrize(
    ("what", "fault"),
    [("dance", "cannot be sent"), ("temperature=9", "temperature is 9"), ("api=jack", "cannot be changed")],
)
def test_what_is_refused_is_told(there: Settings, what: str, fault: str) -> None:
    with pytest.raises(ControlError, match=fault):
        run_send(there, SendRequest(what=what))


def test_where_nobody_is_that_is_told() -> None:
    with pytest.raises(ControlError, match="no pianod answers"):
        run_send(Settings(panel_port=1), SendRequest(what="status"))


def test_help_names_all_that_can_be_sent() -> None:
    told = SendRequest.model_fields["what"].description or ""
    assert told.split(", or ")[0].split(", ") == [
        "status",
        *(name.value for name in CommandName if name not in NEEDS_MORE),
    ]
