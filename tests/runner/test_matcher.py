"""The matcher is compiled once per state of its files, and a failure stops nothing."""

import pytest

from runner import matcher


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Sources and a folder for machine code of our own; `compiler` says how compiling ends."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "walk.py").write_text("first")
    monkeypatch.setattr(matcher, "SOURCES", sources)
    monkeypatch.setenv("MATCHER_CACHE", str(tmp_path / "cache"))
    compiler(tmp_path, monkeypatch, "exit 0")
    return tmp_path


def compiler(folder, monkeypatch, ending):
    program = folder / "python"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/calls"\n{ending}\n')
    program.chmod(0o700)
    monkeypatch.setattr(matcher, "PYTHON", program)


def calls(folder):
    return (folder / "calls").read_text().count("financing.matching.national.warm")


def test_it_is_compiled_once_for_each_state_of_its_files(folder):
    matcher.await_compiled(matcher.start_compiling())
    assert matcher.start_compiling() is None
    (folder / "sources" / "walk.py").write_text("second")
    matcher.await_compiled(matcher.start_compiling())
    assert matcher.start_compiling() is None
    assert calls(folder) == 2


def test_what_failed_or_was_stopped_is_tried_again(folder, monkeypatch):
    said = []
    monkeypatch.setattr(matcher, "say", said.append)
    compiler(folder, monkeypatch, "echo no compiler here; exit 3")
    matcher.await_compiled(matcher.start_compiling())
    assert "no compiler here" in said[-1]
    compiler(folder, monkeypatch, "sleep 60")
    stopped = matcher.start_compiling()
    matcher.stop_compiling(stopped)
    assert not stopped.running
    compiler(folder, monkeypatch, "exit 0")
    matcher.await_compiled(matcher.start_compiling())
    assert matcher.start_compiling() is None
