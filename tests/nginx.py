"""A real nginx for as long as a block lasts, as docs/operating.md writes it."""

import os
import re
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.sentences import ROOT
from tests.site import free_port

FRAME = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 512; }}
http {{
client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{servers}
}}
"""
DOCUMENTED = re.compile(r"```nginx\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Door:
    """Where it listens, for clients who know its certificate."""

    port: int
    certificate: Path

    def client(self, headers: Mapping[str, str] | None = None) -> httpx2.Client:
        return httpx2.Client(
            base_url=f"https://127.0.0.1:{self.port}", headers=headers, verify=self.trust(), timeout=60
        )

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)


@contextmanager
def as_documented(folder: Path, ports: Sequence[int]) -> Iterator[Door]:
    """The documented configuration before web processes at these ports. The folder is made for it."""
    folder.mkdir()
    door = Door(free_port(), folder / "certificate.pem")
    _certify(folder)
    [written] = DOCUMENTED.findall((ROOT / "docs" / "operating.md").read_text(encoding="utf-8"))
    ours = {
        "listen 443 ssl;": f"listen 127.0.0.1:{door.port} ssl;",
        "/etc/letsencrypt/live/podcast.example.org/fullchain.pem": str(door.certificate),
        "/etc/letsencrypt/live/podcast.example.org/privkey.pem": str(folder / "key.pem"),
        "server 127.0.0.1:8000": " max_fails=0;\n    server ".join(
            ["", *(f"127.0.0.1:{port}" for port in ports)]
        ).removeprefix(" max_fails=0;\n    "),
    }
    for theirs, mine in ours.items():
        assert theirs in written, theirs
        written = written.replace(theirs, mine)
    with _running(written, folder):
        yield door


@contextmanager
def _running(servers: str, folder: Path) -> Iterator[None]:
    user = "user root;" if os.getuid() == 0 else ""  # or it may not enter pytest's folders
    (folder / "nginx.conf").write_text(FRAME.format(folder=folder, servers=servers, user=user), encoding="utf-8")
    command = ["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not (folder / "pid").exists():  # it listens by then
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        yield
    finally:
        process.terminate()
        process.communicate()


def _certify(folder: Path) -> None:
    """A certificate that nginx signs itself, for 127.0.0.1."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / "key.pem")]
    said = ["-subj", "/CN=podcast.example.org", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-days", "2", *key, "-out", str(folder / "certificate.pem"), *said]
    subprocess.run(command, check=True, capture_output=True)
