"""A thing named `pkg.mod:name` is found, or refused in one line that names the option."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from station_sim.errors import LabError
from station_sim.named_object import load_callable


def load(path: str) -> Any:
    return load_callable(path, option="--service", what="factory")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory, not yet where imports are looked for; its modules are forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_name_in_a_module_is_found() -> None:
    assert load_callable is load("station_sim.named_object:load_callable")


def test_a_name_in_a_class_is_found() -> None:
    assert Path.cwd() == load("pathlib:Path.cwd")()


def test_the_current_directory_is_looked_at(here: Path) -> None:
    (here / "named_here.py").write_text("def make():\n    return 7\n")
    assert 7 == load("named_here:make")()


@pytest.mark.parametrize("path", ["json", "json:", ":dumps", "", "json:dumps()", "a/b.py:make"])
def test_another_form_is_refused(path: str) -> None:
    with pytest.raises(LabError) as refused:
        load(path)
    assert f"--service wants pkg.mod:factory, got {path!r}" == str(refused.value)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere:make", "--service nowhere:make: there is no module 'nowhere', neither installed"),
        ("json.nowhere:make", "there is no module 'json.nowhere', neither installed"),
        ("json:make", "--service json:make: json has no 'make'"),
        ("json:JSONEncoder.make", "json has no 'JSONEncoder.make'"),
        ("math:pi", "--service math:pi: pi cannot be called, it is float"),
    ],
)
def test_what_is_not_there_is_named(path: str, words: str) -> None:
    with pytest.raises(LabError) as refused:
        load(path)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("needs_more", "import not_installed_here", "ModuleNotFoundError: No module named"),
        ("half_written", "def (", "SyntaxError: "),
        ("falls_over", "raise ValueError('one\\ntwo')", "ValueError: one two"),
        ("runs_off", "raise SystemExit('usage')", "SystemExit: usage"),
        ("lacks", "import json\njson.nothing", "AttributeError: module 'json' has no"),
    ],
)
def test_an_import_that_fails_says_why(here: Path, name: str, text: str, words: str) -> None:
    (here / f"{name}.py").write_text(text)
    with pytest.raises(LabError) as refused:
        load(f"{name}:make")
    line = str(refused.value)
    assert line.startswith(f"--service {name}:make: importing it failed: {words}")
    assert 1 == len(line.splitlines())
