"""What `station-lab serve` says of a callback that cannot be had."""

from pathlib import Path

import pytest

from data_analysis.commands.serve import load_callback
from data_analysis.errors import ConfigurationError


@pytest.mark.parametrize(
    ("name", "text", "complaint", "next_move"),
    [
        ("raising", "raise OSError('no disk')", "OSError: no disk", "mend raising"),
        ("ending", "raise SystemExit(3)", "SystemExit: 3", "mend ending"),
        ("broken", "1 +", "SyntaxError", "mend broken"),
        (
            "needing",
            "import no_such_lib.part",
            "ModuleNotFoundError",
            "install no_such_lib, or mend",
        ),
        ("empty", "", "has no attribute 'predict'", "define it in"),
        ("naming", "predict = 3", "must be callable, got 3", "name a function"),
    ],
)
def test_the_next_move_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    complaint: str,
    next_move: str,
) -> None:
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError) as refused:
        load_callback(f"{name}:predict")
    assert complaint in str(refused.value)
    assert next_move in str(refused.value)


@pytest.mark.parametrize("path", ["no_such_model:predict", "no_such_model.part:predict"])
def test_a_module_that_is_not_there_is_looked_for_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match=f"is it installed, or in {tmp_path}"):
        load_callback(path)
