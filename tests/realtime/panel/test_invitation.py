"""How another device comes to the panel: the address that it can open, the QR code of it, and what is said with it."""

from ipaddress import ip_address

import pytest

from realtime.cli import live
from realtime.panel.guard import Door
from realtime.panel.invitation import Invitation, invitation_of, reachable_host
from realtime.panel.server import PanelServer
from tests.realtime.panel.clients import get
from tests.realtime.panel.stage import Stage


@pytest.mark.parametrize(
    ("host", "others_reach"), [("192.168.1.20", "192.168.1.20"), ("piano.local", "piano.local"), ("fe80::1", "fe80::1")]
)
def test_a_host_that_others_reach_stays(host: str, others_reach: str) -> None:
    assert reachable_host(host) == others_reach


@pytest.mark.parametrize(("host", "version"), [("0.0.0.0", 4), ("::", 6)])
def test_every_address_becomes_one_that_can_be_opened(host: str, version: int) -> None:
    found = ip_address(reachable_host(host))
    assert found.version == version
    assert not found.is_multicast


def test_the_token_stands_in_the_address_and_the_code_says_the_same() -> None:
    invitation = invitation_of(Door("192.168.1.20", 8765, "secret"))
    assert invitation == Invitation("http://192.168.1.20:8765/?token=secret")
    assert invitation_of(Door("127.0.0.1", 8765)) is None
    other = Invitation("http://192.168.1.20:8765/?token=another")
    for code in (Invitation.svg, Invitation.text):
        assert code(invitation) == code(Invitation(invitation.address)) != code(other)
    assert b"<script" not in invitation.svg()


def test_the_page_is_told_and_nobody_without_the_token() -> None:
    stage = Stage(panel_port=0, panel_host="0.0.0.0")
    with stage.play, PanelServer(stage.settings, stage.controls) as server:
        assert server.invitation is not None
        place, _, token = server.address.removeprefix("http://").partition("/?token=")
        assert token
        assert "not encrypted" in said(server, "/api/invitation", token)
        assert server.address in said(server, "/api/invitation", token)
        assert "<svg" in said(server, "/api/invitation.svg", token)
        for path in ("/api/invitation", "/api/invitation.svg"):
            assert "its token" in said(server, path, "guessed")
        assert place.endswith(f":{server.port}")


def said(server: PanelServer, path: str, token: str) -> str:
    return get(server, path, at=f"127.0.0.1:{server.port}", Authorization=f"Bearer {token}")[1].decode()


def test_a_panel_for_this_machine_alone_invites_nobody() -> None:
    stage = Stage(panel_port=0)
    with stage.play, PanelServer(stage.settings, stage.controls) as server:
        assert get(server, "/api/invitation") == (200, b'{"address": null}')
        assert get(server, "/api/invitation.svg")[0] == 404


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_shows_the_code(
    is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation = Invitation("http://192.168.1.20:8765/?token=secret")
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal, raising=False)
    live._invite(invitation)
    shown = capsys.readouterr().err
    assert (invitation.text() in shown) is is_terminal
