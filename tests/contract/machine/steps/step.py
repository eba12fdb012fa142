"""What every step is: a request, what a side learns from its answer, and how it has to be sent."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tests.contract.machine.memory import Memory

MAIN = "main"


@dataclass(frozen=True)
class Step:
    """One request at one version.

    `version` is among those of the kind; a step with a `lane` of its own may be left waiting by
    the broker while others go on.
    """

    kind: ClassVar[str]
    changes_metadata: ClassVar[bool] = False
    """Brokers learn of the effect some time after the answer."""
    ends_transactions: ClassVar[bool] = False
    """The effect may go on after the answer."""
    writes_behind_its_answer: ClassVar[bool] = False
    """Groups may be shown without the effect until something else is written."""

    version: int

    def request(self, memory: Memory) -> Any:
        """The request as this side has to send it; None if there is nothing to be sent."""
        raise NotImplementedError

    def learn(self, memory: Memory, answer: Any) -> None:
        """Keep from the answer what later steps need."""

    @property
    def lane(self) -> str:
        """The connection it goes over."""
        return MAIN
