"""`check-config` and `verify-group-ids --offline`: what is said of a file, and what is refused."""

from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner, Result

from data_analysis.commands.check_config import check_config, masked
from data_analysis.commands.groups import group_ids
from data_analysis.commands.lag import lag
from data_analysis.commands.verify_group_ids import verify_group_ids
from data_analysis.errors import ConfigurationError

PYTHON = """
KAFKA_CONFIG = {
    "consumer": {"bootstrap_servers": ["localhost:9092"], "group_id": "g", "colour": "red",
                 "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN",
                 "sasl_plain_username": "u", "sasl_plain_password": "very secret"},
    "multi_consumer_mode": False,
}
TOPIC_DETAIL = {
    "A": {"fields": ["x"], "modules": ["m"], "window_size": 1},
    "B": {"fields": ["y"], "modules": ["m"], "window_size": 2},
}
MODULE_DEPENDENCIES = {"m": ["n"]}
"""

TOML = """
[TOPIC_DETAIL.A]
fields = ["x"]
modules = ["m"]
window_size = 1

[MODULE_DEPENDENCIES]
"""


def checked(tmp_path: Path, text: str, name: str = "config.py") -> Result:
    path = tmp_path / name
    path.write_text(text)
    return CliRunner().invoke(check_config, [str(path)])


def refusal(result: Result) -> str:
    assert isinstance(result.exception, ConfigurationError), result
    assert "" == result.output
    return str(result.exception)


def test_a_valid_file_is_told_without_its_secrets(tmp_path: Path) -> None:
    result = checked(tmp_path, PYTHON)
    assert 0 == result.exit_code, result
    assert "module m: A, B; depends on n" in result.output
    assert "without effect: consumer.colour" in result.output
    assert "very secret" not in result.output
    assert "config.py is valid" in result.output


def test_keys_that_nothing_reads_are_named(tmp_path: Path) -> None:
    text = PYTHON.replace('"window_size": 2', '"window_size": 2, "expire_second": 9')
    result = checked(tmp_path, text + 'OFFSET_COMMIT_CONFIG = {"commit_size": 5}')
    assert 0 == result.exit_code, result
    unused = "OFFSET_COMMIT_CONFIG['commit_size'], TOPIC_DETAIL['B']['expire_second']"
    assert f"without effect: consumer.colour, {unused}\n" in result.output


def test_toml_is_read_too_and_what_it_does_not_name_is_the_default(tmp_path: Path) -> None:
    result = checked(tmp_path, TOML, "config.toml")
    assert 0 == result.exit_code, result
    assert "module m: A" in result.output


@pytest.mark.parametrize(
    ("text", "name", "complaint"),
    [
        ("x = 1", "c.py", "names none of KAFKA_CONFIG"),
        ("raise OSError('no disk')", "c.py", "no disk"),
        ("1 +", "c.py", "cannot be run: SyntaxError"),
        ("[", "c.toml", "cannot be read"),
        ("", "c.ini", "must end with .py or .toml"),
        ('TOPIC_DETAIL = {"A": 1}', "c.py", "TOPIC_DETAIL['A'] must be a dict"),
        ('KAFKA_CONFIG = {"group_id": ""}', "c.py", "bootstrap_servers is missing"),
        ('KAFKA_CONFIG = {"bootstrap_servers": "a:1"}', "c.py", "group_id is missing"),
        ("KAFKA_CONFIG = [1]", "c.py", "kafka_config must be a dict, got a list"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(
    tmp_path: Path, text: str, name: str, complaint: str
) -> None:
    assert complaint in refusal(checked(tmp_path, text, name))


def test_secrets_are_masked_at_any_depth() -> None:
    config = {"producer": {"sasl_plain_password": "p", "acks": 1}, "ssl_keyfile": "k"}
    expected = {"producer": {"sasl_plain_password": "***", "acks": 1}, "ssl_keyfile": "***"}
    assert expected == masked(config)


@pytest.mark.parametrize(
    ("topics", "is_multi", "expected"),
    [
        (["A", "B"], False, {"g": ["A", "B"]}),
        (["A", "B"], True, {"g-A": ["A"], "g-B": ["B"]}),
        (["A"], True, {"g": ["A"]}),
    ],
)
def test_groups_follow_the_rule(
    topics: list[str], is_multi: bool, expected: dict[str, list[str]]
) -> None:
    assert expected == group_ids("g", topics, is_multi=is_multi)


def test_offline_the_groups_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text(PYTHON)
    result = CliRunner().invoke(verify_group_ids, ["--config", str(path), "--offline"])
    assert "g: A, B, MODULE-OUTPUT-N\n" == result.output


@pytest.mark.parametrize("shape", ["[1]", "None", '{"consumer": 5}'])
@pytest.mark.parametrize("command", [lag, verify_group_ids])
def test_a_kafka_config_of_the_wrong_shape_is_refused_by_what_connects(
    tmp_path: Path, command: Command, shape: str
) -> None:
    path = tmp_path / "config.py"
    path.write_text(f"KAFKA_CONFIG = {shape}")
    arguments = ["--config", str(path), "--bootstrap", "localhost:1"]
    assert "must be a dict, got" in refusal(CliRunner().invoke(command, arguments))


def test_a_module_narrows_the_topics_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text(PYTHON)
    arguments = ["--config", str(path), "--offline"]
    for module, topics in (("m", "A, B, MODULE-OUTPUT-N"), ("n", "A, B")):
        shown = CliRunner().invoke(verify_group_ids, [*arguments, "--module", module])
        assert f"g: {topics}\n" == shown.output
    for command in (lag, verify_group_ids):
        refused = CliRunner().invoke(command, ["--config", str(path), "--module", "no"])
        assert "module_name must be one of m, n, got 'no'" in refusal(refused)
