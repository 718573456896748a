"""Servers on loopback for the components that reach out."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import getpass
import hashlib
import os
import pwd
import shutil
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost (the name, not the address) that signed itself."""

    pem: str
    certificate_file: Path
    key_file: Path

    @property
    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate_file, self.key_file)
        return context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return Certificate(pem.decode(), folder / "cert.pem", folder / "key.pem")


Serve = Callable[..., Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve an aiohttp application on loopback; returns its address."""
    runners: list[web.AppRunner] = []

    async def start(app: web.Application, tls: ssl.SSLContext | None = None) -> str:
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        return f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


class MailServer:
    """A real SMTP server that knows one user and keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.refused: set[str] = set()
        self.never: asyncio.Event | None = None
        self.port = 0
        self.open_to_all = False

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # noqa: N802 - the server's name for it
        if not self.open_to_all and not session.authenticated:
            return "530 sign in first"
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802
        if self.never is not None:
            await self.never.wait()
        self.messages.append(envelope)
        return "250 taken"

    def authenticate(self, server, session, envelope, mechanism, data) -> AuthResult:
        good = (data.login, data.password) == (b"garden", b"pass word")
        return AuthResult(success=good, handled=False)


@pytest.fixture
async def mail_server(certificate: Certificate) -> AsyncIterator[Callable[..., Awaitable[MailServer]]]:
    """Start an SMTP server: ``security`` is tls, starttls or none; a user must sign in unless ``open_to_all``."""
    loop = asyncio.get_running_loop()
    started: list[tuple[asyncio.Server, MailServer]] = []
    talks: list[SMTP] = []

    async def start(security: str, *, open_to_all: bool = False) -> MailServer:
        handler = MailServer()
        handler.open_to_all = open_to_all
        settings: dict[str, Any] = {"loop": loop, "hostname": "localhost"}
        if not open_to_all:
            settings |= {"authenticator": handler.authenticate, "auth_require_tls": security == "starttls"}
        if security == "starttls":
            settings |= {"tls_context": certificate.context, "require_starttls": True}

        def meet() -> SMTP:
            talks.append(SMTP(handler, **settings))
            return talks[-1]

        context = certificate.context if security == "tls" else None
        server = await loop.create_server(meet, "127.0.0.1", 0, ssl=context)
        handler.port = server.sockets[0].getsockname()[1]
        started.append((server, handler))
        return handler

    yield start
    for server, handler in started:
        if handler.never is not None:
            handler.never.set()
        server.close()
    for talk in talks:
        if talk.transport is not None:
            talk.transport.abort()
    await asyncio.sleep(0)


@dataclass(frozen=True)
class FileServer:
    """A real SSH server over a folder; the user garden has a password and a key."""

    port: int
    folder: Path
    host_key: str
    user_key: str
    asked: list[str]


@pytest.fixture
async def file_server(tmp_path: Path) -> AsyncIterator[FileServer]:
    import asyncssh

    folder = tmp_path / "remote"
    folder.mkdir()
    host, user = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")

    asked: list[str] = []

    class Door(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            asked.append(username)
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("garden", "pass word")

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return key.public_data == user.public_data

    acceptor = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Door, server_host_keys=[host], config=[],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder).encode()),
    )  # fmt: skip
    yield FileServer(
        acceptor.get_port(),
        folder,
        host.export_public_key().decode(),
        user.export_private_key().decode(),
        asked,
    )
    acceptor.close()
    await acceptor.wait_closed()


@dataclass(frozen=True)
class Broker:
    """A real MQTT broker: open on one port, with TLS and the user garden on the other."""

    port: int
    tls_port: int


@pytest.fixture
async def broker(tmp_path: Path, certificate: Certificate) -> AsyncIterator[Broker]:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed: the MQTT steps are not tested")
    folder = tmp_path / "broker"
    folder.mkdir()
    shutil.copy(certificate.certificate_file, folder / "cert.pem")
    shutil.copy(certificate.key_file, folder / "key.pem")
    salt = b"twelve bytes"
    digest = hashlib.pbkdf2_hmac("sha512", b"pass word", salt, 101)
    hashed = f"$7$101${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
    (folder / "users").write_text(f"garden:{hashed}\n")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    plain, tls = free_port(), free_port()
    (folder / "mosquitto.conf").write_text(
        f"user {getpass.getuser()}\nper_listener_settings true\n"
        f"listener {plain} 127.0.0.1\nallow_anonymous true\n"
        f"listener {tls} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/users\n"
        f"certfile {folder}/cert.pem\nkeyfile {folder}/key.pem\n"
    )
    process = await asyncio.create_subprocess_exec(
        program, "-c", str(folder / "mosquitto.conf"), stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    for port in (plain, tls):
        await until_open(port)
    yield Broker(plain, tls)
    process.terminate()
    await process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def until_open(port: int) -> None:
    """Wait until a program that was started takes connections."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)  # a foreign program gives no other sign
            else:
                writer.close()
                await writer.wait_closed()
                return


@dataclass(frozen=True)
class Mailbox:
    """A real IMAP server with the mailbox of the user garden; `put` lays a message into it."""

    port: int
    tls_port: int
    maildir: Path
    owner: str

    def put(self, name: str, content: bytes) -> None:
        path = self.maildir / "new" / name
        path.write_bytes(content)
        give(path, self.owner)

    def inside(self, folder: str = "") -> list[str]:
        """The names of the messages of a folder, with the flags they have."""
        place = self.maildir / folder
        return sorted(path.name for part in ("cur", "new") for path in (place / part).iterdir())


@pytest.fixture
async def mailbox(certificate: Certificate) -> AsyncIterator[Mailbox]:
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("dovecot is not installed: fetching e-mail is not tested")
    folder = Path(tempfile.mkdtemp(prefix="flowork-imap-"))  # a short path that the server's user may enter
    owner = "nobody" if os.getuid() == 0 else getpass.getuser()  # a server never opens the mail of root
    for part in ("", "run", "mail", "mail/new", "mail/cur", "mail/tmp", "mail/.Done", "mail/.Gr&APw-n"):
        (folder / part).mkdir(exist_ok=True)
        (folder / part).chmod(0o755)
    for part in ("new", "cur", "tmp"):
        (folder / "mail/.Done" / part).mkdir()
        (folder / "mail/.Gr&APw-n" / part).mkdir()
    for path in ((folder / "mail"), *(folder / "mail").rglob("*")):
        give(path, owner)
    (folder / "users").write_text("garden:{PLAIN}pass word\nsari:{PLAIN}Gießkanne\n")
    made = Mailbox(free_port(), free_port(), folder / "mail", owner)
    (folder / "dovecot.conf").write_text(_dovecot_settings(folder, made, certificate))
    process = await asyncio.create_subprocess_exec(
        program, "-F", "-c", str(folder / "dovecot.conf"), stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for port in (made.port, made.tls_port):
            await until_open(port)
        yield made
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        shutil.rmtree(folder)


def _dovecot_settings(folder: Path, mailbox: Mailbox, certificate: Certificate) -> str:
    own = (
        ""
        if os.getuid() == 0
        else f"default_internal_user = {mailbox.owner}\ndefault_login_user = {mailbox.owner}\n"
    )
    facts = pwd.getpwnam(mailbox.owner)
    return f"""
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate.certificate_file}
ssl_key = <{certificate.key_file}
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{mailbox.maildir}
first_valid_uid = 1
{own}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={facts.pw_uid} gid={facts.pw_gid} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {mailbox.port}
  }}
  inet_listener imaps {{
    port = {mailbox.tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


def give(path: Path, owner: str) -> None:
    if os.getuid() == 0:
        shutil.chown(path, owner)
