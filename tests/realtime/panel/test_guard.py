"""Who is let in: the laws of Host, Origin and token, on every kind of door."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from realtime.panel.guard import Door, Guard, is_loopback

LOCAL = Door("127.0.0.1", 8765)
ABROAD = Door("0.0.0.0", 8765, "secret")
HERE = "127.0.0.1:8765"


async def _inner(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})


def enter(
    door: Door, *headers: tuple[str, str], kind: str = "http", query: str = "", path: str = "/", method: str = "GET"
) -> list[Message]:
    """Return what a request with these headers is answered."""
    sent: list[Message] = []
    scope = {
        "type": kind,
        "path": path,
        "method": method,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Guard(_inner, door)(scope, receive, send))
    return sent


def is_in(answer: list[Message]) -> bool:
    return answer[0].get("status") == 200


@pytest.mark.parametrize("host", [HERE, "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_our_own_names_are_let_in(host: str) -> None:
    assert is_in(enter(LOCAL, ("host", host)))
    assert is_in(enter(LOCAL, ("host", host), ("origin", f"http://{host}")))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("host", "evil.example:8765")],
        [("host", "127.0.0.1")],
        [("host", "127.0.0.1:1")],
        [("host", HERE), ("host", HERE)],
        [("host", HERE), ("origin", "http://evil.example")],
        [("host", HERE), ("origin", "null")],
        [("host", HERE), ("origin", "https://127.0.0.1:8765")],
        [("host", HERE), ("origin", "http://127.0.0.1:9999")],
        [("host", HERE), ("origin", "http://localhost:8765")],
        [("host", HERE), ("origin", f"http://{HERE}"), ("origin", "http://evil.example")],
    ],
)
def test_others_are_not(headers: list[tuple[str, str]]) -> None:
    assert enter(LOCAL, *headers)[0]["status"] == 403
    assert enter(LOCAL, *headers, kind="websocket")[0]["type"] == "websocket.close"


def test_a_socket_of_another_site_is_not() -> None:
    answer = enter(LOCAL, ("host", HERE), ("sec-fetch-site", "cross-site"), kind="websocket")
    assert answer[0]["type"] == "websocket.close"


def test_elsewhere_a_token_is_needed() -> None:
    host = ("host", "piano.local:8765")
    assert not is_in(enter(ABROAD, host))
    assert not is_in(enter(ABROAD, host, query="token=wrong"))
    assert not is_in(enter(ABROAD, host, ("cookie", "pianod-token=")))
    assert is_in(enter(ABROAD, host, ("authorization", "Bearer secret")))
    assert is_in(enter(ABROAD, host, ("cookie", "a=b; pianod-token=secret")))
    assert not is_in(enter(ABROAD, host, ("origin", "http://evil.example"), query="token=secret"))
    answer = enter(ABROAD, host, query="token=secret")
    assert is_in(answer)
    cookies = [value for name, value in answer[0]["headers"] if name == b"set-cookie"]
    assert cookies == [b"pianod-token=secret; Path=/; HttpOnly; SameSite=Strict"]


def test_every_answer_is_strict_about_what_a_page_may_do() -> None:
    headers = dict(enter(LOCAL, ("host", HERE))[0]["headers"])
    policy = headers[b"content-security-policy"].decode()
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert headers[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("x", False)]
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


def of_page(path: str, *headers: tuple[str, str], method: str = "GET", door: Door = LOCAL) -> bool:
    """Say whether a request for a path is let in."""
    return is_in(enter(door, ("host", HERE), *headers, path=path, method=method))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "CROSS-SITE", "", "same-origin, cross-site", "new-word"])
@pytest.mark.parametrize(
    "path", ["/", "/static/main.js", "/api/status", "/api/take/picture", "/api/take.mid", "/api/takes"]
)
def test_what_another_site_embeds_is_refused(site: str, path: str) -> None:
    assert not of_page(path, ("sec-fetch-site", site), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image"))
    assert not of_page(path, ("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe"))
    assert not of_page(path, ("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), method="POST")


def test_a_link_opens_the_page_and_nothing_else() -> None:
    link = (("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"))
    assert of_page("/", *link)
    assert not of_page("/api/take.mid", *link)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_page_reads_what_it_shows(site: str) -> None:
    assert of_page("/api/take/picture", ("sec-fetch-site", site))


def test_a_browser_that_does_not_say_where_it_comes_from_needs_the_cookie_of_our_page() -> None:
    assert not of_page("/api/take/picture")
    assert not of_page("/api/take/picture", ("cookie", "pianod-token=guessed"))
    answer = enter(LOCAL, ("host", HERE), path="/")
    [cookie] = [value.decode() for name, value in answer[0]["headers"] if name == b"set-cookie"]
    assert cookie.endswith("HttpOnly; SameSite=Strict")
    assert of_page("/api/take/picture", ("cookie", cookie.partition(";")[0]))


def test_a_script_says_that_it_is_one() -> None:
    assert of_page("/api/status")
    assert of_page("/api/takes", ("x-pianod", "1"))
    assert of_page("/api/commands", method="POST")
