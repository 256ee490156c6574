"""What serving says when it cannot."""

import socket
from pathlib import Path

import pytest

from podcast_app import people
from podcast_app.times import utcnow
from tests.commands import podcast_app
from tests.podcasts import Place, at


@pytest.mark.long
@pytest.mark.parametrize("command", ["serve", "web"])
def test_a_port_that_is_taken_is_said_in_a_sentence(sqlite_place: Place, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        said = podcast_app(command, "--port", str(port), data_dir=sqlite_place.data_dir)

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == f"Port {port} is taken. Stop what runs there, or choose another: --port.\n"


@pytest.mark.long
def test_a_host_that_is_not_ours_is_said_in_a_sentence(tmp_path: Path) -> None:
    for host in ("192.0.2.1", "nothing.invalid"):
        said = podcast_app("serve", "--host", host, data_dir=tmp_path)

        assert said.returncode == 1
        assert said.stderr.startswith(f"{host} port 8000 cannot be listened on: ")
        assert said.stderr.count("\n") == 1


@pytest.mark.long
def test_a_second_server_that_cannot_start_leaves_the_first_link_good(sqlite_place: Place) -> None:
    with at(sqlite_place) as library:
        link = library.work.database.write(people.first_account_link, utcnow())
        assert link is not None
        with socket.create_server(("127.0.0.1", 0)) as other:
            podcast_app("serve", "--port", str(other.getsockname()[1]), data_dir=sqlite_place.data_dir)

        assert library.work.database.read(people.link, link, "account", utcnow()) is not None
