"""Who may ask, and for what: hosts, a token, origins, odd addresses, sizes; and what every answer forbids a browser.

Without a token, an app that listens on this machine alone answers only under this machine's own names: a page on the
web whose name is pointed at 127.0.0.1 ("DNS rebinding") has another name in its requests. With a token any name will
do: the cookie is of the name under which the token was given.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Container, Iterable
from urllib.parse import quote, unquote, urlencode

import flask
from dash.exceptions import DependencyException
from werkzeug.exceptions import HTTPException

from gavel_dash.settings import Settings, is_loopback

#: A callback's body holds what is selected and drawn, never files.
MOST_BODY_BYTES = 8 * 2**20
MOST_PATH_CHARACTERS = 1024
COOKIE = "gavel-dash-token"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": under that a form's POST has no origin, and the one that asks for the token would be refused.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

_POLICY = {
    "default-src": "'self'",
    # Plotly and AG Grid make style elements and attributes as they draw, which neither hash nor nonce can name.
    "style-src": "'self' 'unsafe-inline'",
    # Pictures and films on their way to a file.
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "font-src": "'self' data:",  # AG Grid's icons
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

#: A worker has the policy of its own script. The player's has no DOM, and opens files at addresses that a user types.
_WORKER = "/assets/player/worker/worker.mjs"

_ASK = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Gavel Dash</title>{refresh}</head>
<body><form method="post"><label>{sentence} <input type="password" name="token" autofocus required></label>
<button>Open</button></form></body></html>
"""


def secure(
    server: flask.Flask,
    settings: Settings,
    script_hashes: Callable[[], Iterable[str]] = tuple,
    callbacks: Container[str] = (),
) -> None:
    """Guard a server: check every request before a route sees it, and put the security headers on every answer.

    Parameters
    ----------
    server : flask.Flask
    settings : Settings
        Its `token` and `host` decide who may ask.
    script_hashes : callable
        Sources of the inline scripts of its pages, as a Content-Security-Policy spells them (``'sha256-...'``). Asked
        for every page: Dash adds a script when the first request comes.
    callbacks : container of str
        What its callbacks are called, as a browser names the one it asks for.
    """
    server.config.update(MAX_CONTENT_LENGTH=MOST_BODY_BYTES, MAX_FORM_MEMORY_SIZE=2**16, MAX_FORM_PARTS=16)
    is_open = not settings.token and not is_loopback(settings.host)

    @server.before_request
    def check() -> flask.Response | None:
        if sentence := _address_problem():
            return _refuse(400, sentence)
        if sentence := _origin_problem():
            return _refuse(403, sentence)
        if settings.token:
            if answer := _ask_for_token(settings.token):
                return answer
        elif not is_open and not is_loopback(_host_name()):
            ways = "set GAVEL_DASH_TOKEN, or HOST if all may read the sweep"
            return _refuse(403, f"this app answers on its own machine only, not as {_host_name()!r}: {ways}")
        if sentence := _callback_problem(callbacks):
            return _refuse(400, sentence)
        return None

    @server.after_request
    def forbid(response: flask.Response) -> flask.Response:
        policy = dict(_POLICY)
        if response.mimetype == "text/html":
            policy["script-src"] = " ".join(["'self'", *script_hashes()])
        elif flask.request.path == _WORKER:
            policy["connect-src"] = "'self' http: https:"
        response.headers["Content-Security-Policy"] = "; ".join(f"{name} {policy[name]}" for name in policy)
        response.headers.update(_HEADERS)
        return response

    @server.errorhandler(HTTPException)
    def say(error: HTTPException) -> flask.Response | HTTPException:
        if error.code is None or error.code < 400:
            return error
        if error.code == 413:
            return _refuse(413, f"a request may hold at most {MOST_BODY_BYTES:,} bytes")
        return error if error.response else _refuse(error.code, error.description or error.name)

    @server.errorhandler(DependencyException)
    def no_such_script(error: DependencyException) -> flask.Response:
        return _refuse(404, "there is no such script")


def inline_script_hashes(index: str) -> list[str]:
    """Of each inline script of a page's HTML, what a Content-Security-Policy calls it."""
    scripts = re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    return [f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]


def _refuse(status: int, sentence: str) -> flask.Response:
    return flask.Response(f"{sentence}\n", status=status, mimetype="text/plain")


def _host_name() -> str:
    """The name under which the browser asks, without its port; empty where it is no name."""
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?|([A-Za-z0-9._-]+)(?::\d+)?", flask.request.host)
    return (match[1] or match[2]).lower() if match else ""


def _address_problem() -> str | None:
    """What is wrong with an address that no link of the app has: no run, page or asset needs any of it."""
    try:  # as they came, before Flask makes them tidy
        path, query = (flask.request.environ[part].encode("latin-1").decode() for part in ("PATH_INFO", "QUERY_STRING"))
    except UnicodeError:
        return "an address must be UTF-8"
    if len(path) > MOST_PATH_CHARACTERS:
        return f"an address may have at most {MOST_PATH_CHARACTERS:,} characters"
    # As a careless reader further in might take it: decoded twice, lookalikes made plain, backslashes turned.
    plain = unicodedata.normalize("NFKC", unquote(unquote(path))).replace("\\", "/")
    if ".." in plain.split("/") or "//" in path:
        return "an address names a run, a page or an asset, never a path"
    if "\0" in plain + unquote(query):
        return "an address may not hold NUL"
    return None


def _origin_problem() -> str | None:
    """Whether another site's page sends this. Browsers say so with every POST; what is no browser sends neither."""
    if flask.request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    site, origin = flask.request.headers.get("Sec-Fetch-Site"), flask.request.origin
    if site in ("same-origin", "none"):
        return None
    if site is None and (origin is None or origin.partition("://")[2] == flask.request.host):
        return None
    return "this request comes from a page of another site"


def _callback_problem(callbacks: Container[str]) -> str | None:
    """What is wrong with a callback's body, before Dash takes it apart."""
    if flask.request.path != "/_dash-update-component" or flask.request.method != "POST":
        return None
    body = flask.request.get_json()
    if not isinstance(body, dict) or any(not isinstance(body.get(part, []), list) for part in ("inputs", "state")):
        return "a callback's request is an object with lists of inputs and state"
    if not isinstance(body.get("output"), str) or body["output"] not in callbacks or "outputs" not in body:
        return "there is no such callback; reload the page"
    return None


def _ask_for_token(token: str) -> flask.Response | None:
    """None for who has the token; who brings it gets a cookie and the address without it; others are asked for it."""
    request = flask.request
    given = request.args.get("token") or (request.form.get("token") if _is_form() else None)
    if given is not None:
        if _is_same(given, token):
            return _let_in(token)
    elif _is_same(request.cookies.get(COOKIE, ""), _cookie_of(token)) or _is_same(_bearer(), token):
        return None
    sentence = "This app asks for its access token." if given is None else "That is not the access token of this app."
    # A strict cookie stays at home when a link of another site leads here. The page asks once more, as one of ours.
    refresh = '<meta http-equiv="refresh" content="0">' if request.headers.get("Sec-Fetch-Site") == "cross-site" else ""
    page = _ASK.format(sentence=sentence, refresh=refresh)
    headers = {"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"}
    return flask.Response(page, status=401, mimetype="text/html", headers=headers)


def _let_in(token: str) -> flask.Response:
    query = [pair for pair in flask.request.args.items(multi=True) if pair[0] != "token"]
    address = quote(flask.request.path) + ("?" + urlencode(query) if query else "")
    response = flask.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE, _cookie_of(token), httponly=True, samesite="Strict", secure=flask.request.is_secure, path="/"
    )
    return response


def _is_form() -> bool:
    return flask.request.mimetype == "application/x-www-form-urlencoded"


def _bearer() -> str:
    authorization = flask.request.authorization
    return (authorization.token or "") if authorization and authorization.type == "bearer" else ""


def _cookie_of(token: str) -> str:
    """The same from every worker of a server, and not the token itself."""
    return hmac.new(_bytes(token), b"gavel-dash cookie", hashlib.sha256).hexdigest()


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(_bytes(given), _bytes(expected))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
