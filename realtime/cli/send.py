"""`pianod send`: one command of the control API to the pianod that runs, or a look at how it stands."""

import json
from http.client import HTTPConnection, HTTPException
from typing import Any

from realtime.cli.requests import SendRequest
from realtime.control.protocol import NEEDS_MORE, VERSION, CommandName, ControlError
from realtime.settings import PanelGroup

_WITHIN_S = 5.0
_JSON = {"Content-Type": "application/json"}


_CHOICES = {"model": CommandName.CHOOSE_MODEL, "preset": CommandName.RECALL_PRESET}
"""What is chosen by NAME=VALUE beside the settings."""


def run_send(settings: PanelGroup, request: SendRequest) -> int:
    """Send it and print what comes back; ControlError tells why it was refused, or that nobody is there."""
    if request.what == "status":
        print(json.dumps(json.loads(_exchange(settings, "GET", "/api/status", None)), indent=2))
        return 0
    answer = json.loads(_exchange(settings, "POST", "/api/commands", json.dumps(command_of(request.what))))
    if answer.get("type") != "done":
        raise ControlError(str(answer.get("reason", answer)))
    return 0


def command_of(what: str) -> dict[str, Any]:
    """Return a command as the API takes it: its name, or a setting as name=value."""
    name, has_value, value = what.partition("=")
    plain = [command.value for command in CommandName if command not in NEEDS_MORE]
    if has_value and name in _CHOICES:
        return {"version": VERSION, "id": 0, "command": _CHOICES[name], name: value}
    if has_value:
        return {"version": VERSION, "id": 0, "command": CommandName.CHANGE, "settings": {name.strip(): _value(value)}}
    if name not in plain:
        raise ControlError(
            f"{what!r} cannot be sent; these can: status, {', '.join(plain)}, or NAME=VALUE: a setting, model or preset"
        )
    return {"version": VERSION, "id": 0, "command": name}


def _value(text: str) -> Any:
    """Return a value as JSON where it is some, as text where it is not; nothing at all is none."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _exchange(settings: PanelGroup, method: str, path: str, body: str | None) -> bytes:
    place = f"{settings.panel_host}:{settings.panel_port}"
    connection = HTTPConnection(settings.panel_host, settings.panel_port, timeout=_WITHIN_S)
    try:
        connection.request(method, path, body, _JSON)
        answer = connection.getresponse()
        data = answer.read()
    except (OSError, HTTPException) as error:
        raise ControlError(
            f"no pianod answers at {place} ({error}): start it, or say with --panel-port which port it printed"
        ) from error
    finally:
        connection.close()
    if answer.status not in (200, 400):
        raise ControlError(
            f"what answers at {place} refused ({answer.status}): {data.decode('utf-8', 'replace')[:200]}"
        )
    return data
