"""What a service of either kind may be asked for, checked in one place.

The services name and explain each option; one that a kind does not have keeps its default here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from data_analysis.callbacks import is_coroutine_function
from data_analysis.errors import ConfigurationError
from data_analysis.settings import (
    PADDINGS,
    WINDOW_FORMS,
    check_choice,
    check_integer,
    check_number,
    check_switch,
    check_topic_name,
)

CALLBACK_ERROR_POLICIES = ("skip", "retry")
CALLBACK_PLACES = ("loop", "threads")


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What a service was asked for; see the service's own documentation for each option."""

    module_name: str | None
    topics: Sequence[str] | None
    data_expire_seconds: float
    output_topic_prefix: str
    result_handler: Callable[..., Any] | None
    window_form: str
    padding: str
    coalesce: bool
    upload_results: bool
    on_gap: Callable[..., Any] | None
    on_callback_error: str
    callback_retries: int
    dead_letter_topic: str | None
    warm_start: bool
    max_pending_records: int
    stop_timeout_seconds: float
    instance_id: str | None
    lag_refresh_seconds: float
    max_workers: int
    callback_stall_seconds: float = 1.0
    batch_handler_retries: int = 0
    run_callbacks_in: str = "threads"

    def __post_init__(self) -> None:
        """Refuse what is not allowed, with `ConfigurationError`."""
        self._check_names()
        check_callable("result_handler", self.result_handler)
        check_callable("on_gap", self.on_gap)
        for switch in ("coalesce", "upload_results", "warm_start"):
            check_switch(switch, getattr(self, switch))
        check_choice("window_form", self.window_form, WINDOW_FORMS)
        check_choice("padding", self.padding, PADDINGS)
        check_choice("on_callback_error", self.on_callback_error, CALLBACK_ERROR_POLICIES)
        check_integer("callback_retries", self.callback_retries, least=0)
        check_integer("batch_handler_retries", self.batch_handler_retries, least=0)
        check_integer("max_pending_records", self.max_pending_records, least=1)
        check_number("stop_timeout_seconds", self.stop_timeout_seconds, least=0)
        check_integer("max_workers", self.max_workers, least=1)
        check_choice("run_callbacks_in", self.run_callbacks_in, CALLBACK_PLACES)
        check_number("lag_refresh_seconds", self.lag_refresh_seconds, least=0, above=True)
        check_number("callback_stall_seconds", self.callback_stall_seconds, least=0, above=True)
        if self.callback_retries and self.on_callback_error != "retry":
            raise ConfigurationError(
                f"callback_retries={self.callback_retries} has no effect with"
                f" on_callback_error={self.on_callback_error!r}; set on_callback_error='retry'"
            )

    def _check_names(self) -> None:
        check_text("module_name", self.module_name)
        check_text("instance_id", self.instance_id)
        if not isinstance(self.output_topic_prefix, str):
            raise ConfigurationError(
                f"output_topic_prefix must be a string, got {self.output_topic_prefix!r};"
                " write 'MODULE-OUTPUT-'"
            )
        if self.output_topic is not None:
            check_topic_name("output_topic_prefix + module_name", self.output_topic)
        if self.dead_letter_topic is not None:
            check_topic_name("dead_letter_topic", self.dead_letter_topic)

    @property
    def output_topic(self) -> str | None:
        """Where results go, None if they are not uploaded."""
        if self.module_name is None or not self.upload_results:
            return None
        return self.output_topic_prefix + self.module_name.upper()

    @property
    def batch_handler_tries(self) -> int:
        """How often a batch handler is called for one batch at most."""
        return 1 + self.batch_handler_retries

    @property
    def callback_tries(self) -> int:
        """How often a callback is called for one record at most."""
        return 1 + self.callback_retries


def check_callable(name: str, function: object) -> None:
    """Raise `ConfigurationError` unless it is None or may be called."""
    if function is not None and not callable(function):
        raise ConfigurationError(f"{name} must be callable, got {function!r}; give a function")


def check_plain(name: str, function: Any) -> None:
    """Raise `ConfigurationError` for what the blocking service cannot call: nobody would await."""
    check_callable(name, function)
    if function is not None and is_coroutine_function(function):
        raise ConfigurationError(
            f"{name} must be a plain function in the blocking service, got the coroutine function"
            f" {getattr(function, '__name__', function)!r}; use AsyncDataAnalysisService"
        )


def check_text(name: str, text: object) -> None:
    """Raise `ConfigurationError` unless it is None or says something."""
    if text is not None and not (isinstance(text, str) and text):
        raise ConfigurationError(
            f"{name} must be a non-empty string or None, got {text!r}; name one, or leave it out"
        )
