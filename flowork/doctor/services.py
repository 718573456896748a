"""Judges the running services: reachable, owned, isolated, clocks in step, and safe settings for where they listen."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from importlib import metadata
from ipaddress import ip_address
from pathlib import Path

import httpx

from flowork.client.addresses import is_loopback
from flowork.doctor.finding import Finding, Level, judge
from flowork.doctor.isolation import judge_isolation
from flowork.places import Address
from flowork.supervisor.ownership import engine_status
from flowork.supervisor.ports import DEFAULT_HOST
from flowork.supervisor.secrets import FILE

HEALTH = "/api/v1/system/health"
MAX_SKEW_SECONDS = 60
_TIMEOUT_SECONDS = 3.0
_START = "Start it with `flowork up`, or name its address in GATEWAY_URL."


def check_gateway(url: str) -> list[Finding]:
    """Judge whether a gateway answers at the address, and its clock against ours."""
    try:
        with httpx.Client(trust_env=not is_loopback(url), timeout=_TIMEOUT_SECONDS) as http:
            response = http.get(url + HEALTH)
        healthy = response.is_success and response.json().get("status") == "healthy"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError):
        return [Finding("gateway", Level.WARN, f"nothing answers at {url}", _START)]
    findings = [
        judge("gateway", url, good=healthy, advice="It answers, but not as a healthy gateway; see its log.")
    ]
    try:
        skew = parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time_ns() / 1e9
    except (KeyError, ValueError):
        return findings
    text = f"{abs(skew):.0f} s apart from the gateway's"
    advice = "Set the clocks right (network time): signatures are valid for five minutes."
    return [
        *findings,
        judge("clock", text, good=abs(skew) < MAX_SKEW_SECONDS, advice=advice, otherwise=Level.FAIL),
    ]


def check_engine(address: Address | None, service_secret: str) -> list[Finding]:
    """Judge the engine of this machine by what it tells about itself."""
    if address is None:
        return [Finding("engine", Level.NOTE, "no engine runs with this data folder")]
    status = engine_status(address.url, service_secret)
    if status is None:
        advice = "Start it with `flowork up`; or GATEWAY_SECRET_TOKEN is not the engine's."
        return [Finding("engine", Level.WARN, f"no answer from {address.url}", advice)]
    linked = str(status.get("link"))
    return [
        Finding("engine", Level.OK, f"{address.socket}, version {status.get('version')}"),
        judge_version("engine", str(status.get("version"))),
        judge(
            "link",
            linked,
            good=linked in {"connected", "off"},
            advice="The engine does not reach its gateway.",
        ),
        judge(
            "owner",
            str(status.get("owner")) if status.get("owner_pinned") else "not pinned",
            good=bool(status.get("owner_pinned")),
            advice="Open the claim link that `flowork up` shows, or set FLOWORK_OWNER_ADDRESS.",
        ),
        judge_isolation(str(status.get("isolation"))),
    ]


def judge_version(service: str, version: str) -> Finding:
    """Judge the version of a service against that of this program."""
    own = metadata.version("flowork")
    return judge(
        "version",
        f"{service} {version}, command line {own}",
        good=version == own,
        advice="Parts of different versions may not understand each other; upgrade all and restart them.",
    )


def check_exposure(environ: Mapping[str, str]) -> list[Finding]:
    """Judge whether what is reachable from outside insists on bound signatures."""
    pairs = (
        ("ENGINE_SOCKET_HOST", "ENGINE_ENVELOPE"),
        ("GATEWAY_HOST", "GATEWAY_SIGNATURES"),
    )
    findings = []
    for host_setting, form_setting in pairs:
        host = environ.get(host_setting) or DEFAULT_HOST
        form = environ.get(form_setting) or "documented"
        good = form == "bound" or _local(host)
        advice = (
            f"It is reachable from outside; set {form_setting}=bound unless clients need the documented form."
        )
        hint = (
            "" if form == "bound" else "; set bound before a tunnel or proxy makes it reachable from outside"
        )
        findings.append(
            judge(
                form_setting, f"{form}, listening on {host}{hint if good else ''}", good=good, advice=advice
            )
        )
    return findings


def service_secret(environ: Mapping[str, str], data_dir: Path) -> str:
    """Return the secret that gateway and engine share, or an empty string."""
    if given := environ.get("GATEWAY_SECRET_TOKEN"):
        return given
    try:
        return str(json.loads((data_dir / FILE).read_text("utf-8"))["service_secret"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
