"""The curl commands of the page on the broker's control do what the page says of them."""

import json
import os
import shutil
import subprocess

import pytest

from tests.docs.blocks import blocks
from tests.simulator.kafka.control.broker_process import controlled

PAGE = "docs/reference/broker-control.md"
WITHIN_S = 60


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl to try them with")
def test_curl_examples_work() -> None:
    examples = [block.text for block in blocks("bash") if block.page == PAGE]
    assert 3 == len(examples)
    with controlled() as broker:
        for text in examples:
            ran = subprocess.run(
                ["bash", "-e", "-c", text],
                env={**os.environ, "CONTROL": broker.control},
                capture_output=True,
                text=True,
                timeout=WITHIN_S,
                check=True,
            )
            answers = [json.loads(line) for line in ran.stdout.splitlines()]
            assert text.count("curl") == len(answers)
            assert [] == [each for each in answers if "error" in each], text
        assert {"topics": 0, "faults": 0}.items() <= broker.ask("GET", "/cluster")[1].items()
