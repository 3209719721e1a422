"""Who may speak to the panel: Host, Origin and token are checked before anything else sees a request.

A page of a stranger in the same browser must reach nothing. Its requests carry its own Origin, or say by Sec-Fetch-Site
that they come from elsewhere (an image, a script, a form), and are refused; if it makes its own name point at this
machine (DNS rebinding), they carry that name as Host and are refused. A browser that says nothing of the kind needs
what no page of a stranger can send: the cookie that our page is given, or a header (`X-Pianod: 1`, for scripts too).
On another address than loopback every visitor needs the token: from the address that was printed, a cookie, a header.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

COOKIE = "pianod-token"
OWN_HEADER = "x-pianod"
"""A header that no page of another origin may send without asking first, which is refused."""

_OPEN_TO_SCRIPTS = ("/api/status",)
_OURS = ("same-origin", "none")
"""What Sec-Fetch-Site says of our page, and of an address that somebody typed; whatever else it says is elsewhere."""

_POLICY_VIOLATION = 1008

_FIXED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "midi=(self), camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",
}


def is_loopback(host: str) -> bool:
    """Say whether an address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_in_url(host: str) -> str:
    """Return an address as it stands in a URL: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True, slots=True)
class Door:
    """Where the panel is served, and what a visitor needs."""

    host: str
    port: int
    token: str | None = None
    """What every visitor needs; None where the panel is served to this machine alone."""
    pass_of_page: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    """What our page is given as a cookie on this machine."""

    @property
    def cookie(self) -> str:
        """Return the value of the cookie that shows where a request comes from."""
        return self.token or self.pass_of_page

    def knows(self, host_header: str) -> bool:
        """Say whether a Host is one of ours; with a token any is, for the token is what a stranger lacks."""
        if self.token is not None:
            return bool(host_header)
        names = {"localhost", "127.0.0.1", "[::1]", host_in_url(self.host)}
        return host_header.lower() in {f"{name}:{self.port}" for name in names}

    def is_own_origin(self, origin: str, host_header: str) -> bool:
        """Say whether a page of ours sends this Origin."""
        parts = urlsplit(origin)
        return parts.scheme == "http" and parts.netloc.lower() == host_header.lower()


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._app(scope, receive, self._dressed(scope, headers, send))
        elif scope["type"] == "websocket":
            await WebSocketClose(_POLICY_VIOLATION, refusal)(scope, receive, send)
        else:
            await PlainTextResponse(refusal, 403)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        """Return why a request is refused; None if it is not."""
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._door.knows(host):
            return "This is not an address of the panel. Open it by the address that pianod printed."
        origins = headers.getlist("origin")
        if origins and (len(origins) > 1 or not self._door.is_own_origin(origins[0], host)):
            return "Pages of other origins may not speak to the panel."
        if headers.get("sec-fetch-site", "none") not in _OURS and not _opens_the_page(scope, headers):
            return "Pages of other sites may not speak to the panel."
        if _may_be_a_strangers(scope, headers) and not self._has_token(scope, headers):
            return "Open the panel by the address that pianod printed, or send the header X-Pianod: 1 from a script."
        if self._door.token is not None and not self._has_token(scope, headers):
            return "The panel needs its token here. Open it by the address that pianod printed."
        return None

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        given = [headers.get("authorization", "").removeprefix("Bearer ")]
        given += parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        if cookie is not None:
            given.append(cookie.value)
        token = self._door.cookie.encode()
        return any(hmac.compare_digest(text.encode(), token) for text in given)

    def _dressed(self, scope: Scope, headers: Headers, send: Send) -> Send:
        """Return a `send` that adds the headers of every answer, and the cookie where the token came in the address."""
        policy = _content_policy(headers.get("host", ""))
        by_address = self._door.token is not None and b"token=" in scope.get("query_string", b"")
        wants_cookie = by_address or (self._door.token is None and scope["path"] == "/")

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer["Content-Security-Policy"] = policy
                for name, value in _FIXED_HEADERS.items():
                    answer[name] = value
                if wants_cookie:
                    answer.append("Set-Cookie", f"{COOKIE}={self._door.cookie}; Path=/; HttpOnly; SameSite=Strict")
            await send(message)

        return dressed


def _opens_the_page(scope: Scope, headers: Headers) -> bool:
    """Say whether somebody follows a link to the panel, which shows it and does nothing else."""
    return (
        scope["type"] == "http"
        and scope["path"] == "/"
        and scope.get("method", "GET") in ("GET", "HEAD")
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest", "document") == "document"
    )


def _may_be_a_strangers(scope: Scope, headers: Headers) -> bool:
    """Say whether a request reads what takes work to make, and nothing says where it comes from.

    A request that writes carries its Origin in every browser.
    """
    return (
        scope["type"] == "http"
        and scope.get("method", "GET") in ("GET", "HEAD")
        and scope["path"].startswith("/api/")
        and scope["path"] not in _OPEN_TO_SCRIPTS
        and not {"sec-fetch-site", OWN_HEADER, "origin"} & set(headers)
    )


def _content_policy(host: str) -> str:
    """Return the content security policy: our own files, our own socket, nothing else."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
