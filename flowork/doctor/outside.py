"""Judges the way in from outside: the public address, its certificate, and the tunnel's token."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

import httpx

from flowork.client.addresses import is_loopback
from flowork.doctor.finding import Finding, Level, judge
from flowork.doctor.services import HEALTH

SECONDS = 5.0
_TUNNEL_PARTS = {"a", "t", "s"}


def check_outside(environ: Mapping[str, str]) -> list[Finding]:
    """Judge what the settings say about the way in; nothing where there is none."""
    url, token = environ.get("GATEWAY_PUBLIC_URL") or "", environ.get("CLOUDFLARED_TOKEN") or ""
    findings = [] if not token else [_tunnel(token, url)]
    if url and not is_loopback(url):
        findings += _public(url.rstrip("/"))
    return findings


def _tunnel(token: str, url: str) -> Finding:
    try:
        whole = set(json.loads(base64.b64decode(token, validate=True))) >= _TUNNEL_PARTS
    except (binascii.Error, ValueError, TypeError):
        whole = False
    if not whole:
        advice = "Copy the whole token of the tunnel from the dashboard into CLOUDFLARED_TOKEN."
        return Finding("tunnel", Level.FAIL, "CLOUDFLARED_TOKEN is not a tunnel's token", advice)
    return judge(
        "tunnel",
        "a token is set",
        good=bool(url) and not is_loopback(url),
        advice="Set GATEWAY_PUBLIC_URL to the tunnel's address, else the gateway refuses its visitors.",
        otherwise=Level.FAIL,
    )


def _public(url: str) -> list[Finding]:
    secure = judge(
        "TLS",
        url,
        good=url.startswith("https://"),
        advice="Put a tunnel or a proxy with a certificate before it, and set GATEWAY_PUBLIC_URL to https://….",
        otherwise=Level.FAIL,
    )
    try:
        with httpx.Client(timeout=SECONDS) as http:
            answer = http.get(url + HEALTH)
        healthy = answer.is_success and answer.json().get("status") == "healthy"
        text = "answers" if healthy else f"answers with status {answer.status_code}, not as a gateway"
    except httpx.ConnectError as error:
        healthy, text = False, f"cannot be reached ({_short(error)})"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
        healthy, text = False, f"no answer of a gateway ({type(error).__name__})"
    advice = "Check the route of the tunnel or proxy to port 8000, its certificate and GATEWAY_ALLOWED_HOSTS."
    return [secure, judge("public address", f"{url} {text}", good=healthy, advice=advice)]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
