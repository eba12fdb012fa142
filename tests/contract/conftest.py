"""Cases show what they compared, as tests do, though they are no test modules."""

import pytest

pytest.register_assert_rewrite("tests.contract.cases", "tests.contract.clients")
