"""What can go wrong, by name.

Here live the exceptions a user of the library may catch. Errors of the Kafka clients are mapped to
these in `data_analysis.kafka.errors`, never elsewhere.
"""


class DataAnalysisError(Exception):
    """Base of every error this library raises on purpose."""


class KafkaConnectionError(DataAnalysisError):
    """Kafka could not be reached, refused us, or went away for good."""


class DispatcherError(DataAnalysisError):
    """A topic or a module was asked for that the configuration does not name."""


class ConfigurationError(DataAnalysisError):
    """A setting is missing or not allowed; the text names key, value and what is allowed."""


class BatchError(DataAnalysisError):
    """A batch of results was used in a way its state does not allow."""
