"""Locks, secrets and left-over processes of an installation; free ports."""

import json
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from runner import demo, installation, places, processes
from runner.installation import Installation


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setattr(installation, "STATE", tmp_path / ".state")
    return Installation("demo")


def test_only_one_run_takes_an_installation(here: Installation) -> None:
    assert here.take()
    assert not Installation("demo").take()
    here.release()
    assert Installation("demo").take()


def test_secrets_are_private_and_stay(here: Installation) -> None:
    first = here.secrets()
    assert here.secrets() == first
    assert len(set(vars(first).values())) == 5
    assert (here.folder / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_what_a_killed_run_left_is_ended(here: Installation) -> None:
    left = subprocess.Popen(["sleep", "60"], start_new_session=True)
    rows = [[left.pid, processes.identity(left.pid), int(signal.SIGTERM)]]
    (here.folder / "processes.json").write_text(json.dumps(rows))
    here.take()
    assert left.wait(60) == -signal.SIGTERM


def test_a_process_that_took_over_the_number_is_spared(here: Installation) -> None:
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (here.folder / "processes.json").write_text(json.dumps([[other.pid, "earlier", 15]]))
    here.take()
    assert other.poll() is None
    other.kill()
    other.wait()


def test_forgetting_drops_all_but_locks(here: Installation) -> None:
    here.take()
    here.secrets()
    here.forget()
    assert {path.name for path in here.folder.iterdir()} == {"lock", "logs"}


def test_a_taken_port_is_refused_only_when_asked_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(places.StartError, match=f"Port {number} is taken"):
            demo._choose_port(number)
    assert demo._choose_port(None) >= demo.DEFAULT_PORT
