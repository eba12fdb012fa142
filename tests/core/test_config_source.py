"""A reload reads the file of the configuration's module, and takes all of it or nothing."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from data_analysis import AsyncDataAnalysisService, ConfigurationError, DataAnalysisService
from tests.core.world import DATA

NAME = "edited_configuration"
KAFKA = {"bootstrap_servers": ["127.0.0.1:1"], "group_id": "g"}
BOTH = pytest.mark.parametrize("kind", [AsyncDataAnalysisService, DataAnalysisService])


class Edited:
    """A module of configuration and its file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write(window_size=4)
        importlib.invalidate_caches()
        self.module: Any = importlib.import_module(NAME)

    def write(self, *, window_size: int, more: str = "") -> None:
        """Write the whole file: one topic, one module."""
        detail = {"fields": ["totalPower"], "modules": ["m"], "window_size": window_size}
        text = f"TOPIC_DETAIL = { ({DATA: detail})!r}\nMODULE_DEPENDENCIES = {{}}\n"
        self.path.write_text(f"{text}KAFKA_CONFIG = {KAFKA!r}\n{more}\n")


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edited]:
    monkeypatch.syspath_prepend(tmp_path)
    yield Edited(tmp_path / f"{NAME}.py")
    sys.modules.pop(NAME, None)


def _window_size(service: Any) -> int:
    size: int = service.dispatcher.settings.topics[DATA].window_size
    return size


@BOTH
def test_an_edited_file_is_read(kind: Any, edited: Edited) -> None:
    service = kind("m", config=edited.module)
    edited.write(window_size=9, more="ADDED = 7")
    assert None is service.reload_config()
    assert 9 == _window_size(service)
    assert 9 == edited.module.TOPIC_DETAIL[DATA]["window_size"], "the module says it too"
    assert 7 == edited.module.ADDED
    edited.write(window_size=5)
    service.reload_config()
    assert 5 == _window_size(service)


@BOTH
@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ("TOPIC_DETAIL[", r"cannot be run: SyntaxError: .*; mend the file"),
        ("raise SystemExit(3)", r"cannot be run: SystemExit: 3; mend the file"),
        ("import no_such_module_at_all", r"cannot be run: ModuleNotFoundError: .*; mend the file"),
        (
            f"TOPIC_DETAIL[{DATA!r}]['window_size'] = 0",
            r"\['window_size'\] must be an integer >= 1",
        ),
        ("MODULE_DEPENDENCIES = {'m': ['m']}", r"must have no cycle, got m -> m"),
        ("del TOPIC_DETAIL", r"TOPIC_DETAIL must be a dict with string keys, got nothing"),
        ("KAFKA_CONFIG = {}", r"KAFKA_CONFIG has changed, .*; restart the service"),
    ],
)
def test_a_file_that_is_not_good_is_refused_as_a_whole(
    kind: Any, more: str, refusal: str, edited: Edited
) -> None:
    service = kind("m", config=edited.module)
    before = dict(vars(edited.module))
    settings = service.dispatcher.settings
    edited.write(window_size=9, more=f"ADDED = 7\n{more}")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=refusal) as met:
            service.reload_config()
        assert "\n" not in str(met.value)
        assert settings is service.dispatcher.settings
        assert before == vars(edited.module)
    edited.write(window_size=6)
    service.reload_config()
    assert 6 == _window_size(service)


@BOTH
def test_a_file_that_is_gone_is_named(kind: Any, edited: Edited) -> None:
    service = kind("m", config=edited.module)
    edited.path.unlink()
    with pytest.raises(ConfigurationError, match=f"{NAME}.py cannot be read: .*; put it back"):
        service.reload_config()
    assert 4 == _window_size(service)


@BOTH
def test_what_a_file_says_no_more_is_what_it_is_by_default(kind: Any, edited: Edited) -> None:
    edited.write(window_size=4, more="STATION_TIMEZONE = 'UTC'")
    importlib.reload(edited.module)
    service = kind("m", config=edited.module)
    assert "UTC" == str(service.dispatcher.settings.timezone)
    edited.write(window_size=4)
    service.reload_config()
    assert "Asia/Shanghai" == str(service.dispatcher.settings.timezone)


@BOTH
def test_two_services_of_one_file_each_read_it(kind: Any, edited: Edited) -> None:
    services = [kind("m", config=edited.module) for _ in range(2)]
    edited.write(window_size=9)
    for service in services:
        service.reload_config()
        assert 9 == _window_size(service)


@BOTH
def test_a_module_that_is_changed_in_memory_is_taken_as_it_is(kind: Any, edited: Edited) -> None:
    service = kind("m", config=edited.module)
    edited.module.TOPIC_DETAIL[DATA]["window_size"] = 11
    service.reload_config()
    assert 11 == _window_size(service)


@BOTH
def test_a_module_without_a_file_is_read_itself(kind: Any) -> None:
    module: Any = ModuleType("made_up")
    module.TOPIC_DETAIL = {DATA: {"fields": ["n"], "modules": ["m"], "window_size": 4}}
    module.MODULE_DEPENDENCIES = {}
    service = kind("m", kafka_config=KAFKA, config=module)
    module.TOPIC_DETAIL[DATA]["window_size"] = 3
    service.reload_config()
    assert 3 == _window_size(service)
