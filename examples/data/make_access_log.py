"""Writes examples/data/access.log: a day of made-up web traffic, always the same, with the flaws of real logs."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

SEED = 20260314
LINES = 22_000
MALFORMED_SHARE = 0.005
START = datetime(2026, 3, 14, 18, tzinfo=UTC)
# requests per hour in relation to each other, from 18:00 on; 04:00 is the quietest, 13:00 the busiest
HOURS = (52, 49, 45, 40, 33, 24, 16, 11, 8, 6, 3, 5, 9, 17, 30, 44, 58, 66, 71, 84, 76, 70, 63, 57)

PAGES = (
    ("/", 1800, 11_200), ("/products", 900, 18_400), ("/products/kettle", 520, 9_800), ("/products/lamp", 430, 9_650),
    ("/products/chair", 390, 10_120), ("/products/desk", 260, 9_900), ("/cart", 310, 4_300), ("/checkout", 180, 5_200),
    ("/search", 640, 7_700), ("/about", 150, 6_100), ("/blog", 330, 13_900), ("/blog/caring-for-wood", 210, 15_400),
    ("/blog/warm-light", 170, 14_800), ("/api/stock", 820, 640), ("/api/cart", 410, 410), ("/login", 240, 2_900),
    ("/static/site.css", 1500, 24_700), ("/static/site.js", 1450, 88_300), ("/static/logo.svg", 1380, 3_150),
    ("/static/hero.webp", 980, 212_000), ("/favicon.ico", 760, 4_286), ("/robots.txt", 190, 212),
    ("/sitemap.xml", 120, 31_800), ("/feed.xml", 140, 22_600), ("/wp-login.php", 95, 0), ("/.env", 60, 0),
    ("/admin", 45, 0), ("/old-catalogue.pdf", 40, 0),
)  # fmt: skip
MISSING = frozenset({"/wp-login.php", "/.env", "/admin", "/old-catalogue.pdf"})
QUERIES = {
    "/search": ("?q=lamp", "?q=oak+desk", "?q=kettle&page=2", "?q=%22warm+light%22"),
    "/products": ("", "", "?page=2", "?sort=price", "?sort=price&page=3"),
    "/": ("", "", "", "", "?utm_source=letter"),
    "/api/stock": ("?item=kettle", "?item=lamp", "?item=chair"),
}
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/133.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) Safari/605.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Firefox/136.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15) Chrome/133.0 Mobile",
)
BOTS = (
    "ExampleBot/2.1 (+https://bot.example/about)",
    "feed-reader/4.0",
    "curl/8.12.1",
    "Mozilla/5.0 (compatible; SurveyBot/1.0; +https://survey.example)",
)
REFERRERS = (
    "-",
    "-",
    "-",
    "https://shop.example/",
    "https://shop.example/products",
    "https://search.example/?q=lamp",
)


def clients(rng: random.Random) -> list[tuple[str, str, float]]:
    """Return visitors as (address, program, weight); addresses are from ranges kept free for documentation."""
    found = []
    for network in ("192.0.2", "198.51.100", "203.0.113"):
        hosts = rng.sample(range(1, 255), 150)
        found += [(f"{network}.{host}", rng.choice(BROWSERS), rng.paretovariate(1.6)) for host in hosts]
    for _ in range(120):
        address = (
            f"2001:db8:{rng.randrange(1, 0x40):x}:{rng.randrange(1, 0xFFF):x}::{rng.randrange(1, 0xFFFF):x}"
        )
        found.append((address, rng.choice(BROWSERS), rng.paretovariate(1.6)))
    for number, bot in enumerate(BOTS):
        found.append((f"203.0.113.{255 - number}" if number else "2001:db8:b07::1", bot, 38.0 - 7 * number))
    return found


def answer(rng: random.Random, path: str, method: str, size: int) -> tuple[int, str]:
    """Return status and size as a server would log them; nothing sent is written as a dash."""
    if path in MISSING:
        return rng.choices(((404, str(rng.randrange(140, 190))), (403, "153")), (9, 1))[0]
    chance = rng.random()
    if chance < 0.012:
        return rng.choice((500, 502, 503)), str(rng.randrange(150, 600))
    if chance < 0.020:
        return 404, str(rng.randrange(140, 190))
    status = 200
    if path.startswith("/static/") and chance < 0.35:
        status = 304
    elif path == "/login" and method == "POST":
        status = rng.choices((302, 401), (3, 1))[0]
    elif path == "/products" and chance < 0.07:
        status = 301
    bare = status in {301, 302, 304} or method == "HEAD"
    return status, "-" if bare else str(max(1, int(size * rng.uniform(0.92, 1.08))))


def method_for(rng: random.Random, path: str) -> str:
    """Return a method that suits the page."""
    if path in {"/login", "/api/cart", "/checkout"}:
        return rng.choices(("POST", "GET"), (3, 2))[0]
    return rng.choices(("GET", "HEAD", "OPTIONS"), (96, 3, 1))[0]


def good_line(rng: random.Random, moment: datetime, visitors: list[tuple[str, str, float]]) -> str:
    """Return one well-formed line in combined format."""
    address, program, _ = rng.choices(visitors, [weight for _, _, weight in visitors])[0]
    path, _, size = rng.choices(PAGES, [weight for _, weight, _ in PAGES])[0]
    method = method_for(rng, path)
    status, sent = answer(rng, path, method, size)
    target = path + rng.choice(QUERIES.get(path, ("",)))
    user = "sari" if path == "/checkout" and rng.random() < 0.3 else "-"
    stamp = moment.strftime("%d/%b/%Y:%H:%M:%S +0000")
    protocol = "HTTP/2.0" if rng.random() < 0.7 else "HTTP/1.1"
    request = f'"{method} {target} {protocol}" {status} {sent}'
    return f'{address} - {user} [{stamp}] {request} "{rng.choice(REFERRERS)}" "{program}"'


def spoil(rng: random.Random, line: str) -> bytes:
    """Return a line as crashes, scanners and full disks leave it."""
    raw = line.encode()
    stamp = line[: line.index('"')]
    return rng.choice((
        raw[: rng.randrange(5, line.index('"') + 8)],
        (stamp + '"\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xFC" 400 157 "-" "-"').encode(),
        stamp.encode() + b'"\xff\xfe\x80\x81\x1b[2J\x9c" 400 0 "-" "-"',
        (stamp + '"-" 408 - "-" "-"').encode(),
        b"\x7fELF\x02\x01\x01 " + raw[:40],
        b"",
        raw.replace(b"[", b"", 1),
    ))  # fmt: skip


def make(lines: int = LINES, seed: int = SEED) -> bytes:
    """Return the whole log."""
    rng = random.Random(seed)
    visitors = clients(rng)
    hours = rng.choices(range(len(HOURS)), HOURS, k=lines)
    seconds = [hour * 3600 + rng.randrange(3600) for hour in hours]
    written = []
    for second in sorted(seconds):
        line = good_line(rng, START + timedelta(seconds=second), visitors)
        written.append(spoil(rng, line) if rng.random() < MALFORMED_SHARE else line.encode())
    return b"\n".join(written) + b"\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("access.log")
    target.write_bytes(make())
