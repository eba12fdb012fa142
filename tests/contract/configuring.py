"""Asking for settings and changing them: requests built, answers unpacked, nothing judged."""

from collections.abc import Sequence
from typing import Any

from kafka.protocol.admin import (
    AlterConfigsRequest,
    DescribeClusterRequest,
    DescribeConfigsRequest,
    IncrementalAlterConfigsRequest,
)

from tests.contract.connection import Connection

TOPIC, BROKER = 2, 4
FROM_TOPIC, FROM_NODE, FROM_CLUSTER, FROM_START, FROM_DEFAULTS = 1, 2, 3, 4, 5
SET, DELETE, APPEND, SUBTRACT = range(4)

Operation = tuple[str, int, str | None]
"""A setting's name, what to do with it, and the value."""


async def describe_configs(
    wire: Connection,
    kind: int,
    name: str,
    *settings: str,
    synonyms: bool = False,
    documentation: bool = False,
    version: int = 4,
) -> Any:
    """The description of one resource; of all its settings if none is named."""
    resource = DescribeConfigsRequest.DescribeConfigsResource(
        resource_type=kind, resource_name=name, configuration_keys=list(settings) or None
    )
    request = DescribeConfigsRequest(
        resources=[resource], include_synonyms=synonyms, include_documentation=documentation
    )
    return (await wire.ask(request, version)).results[0]


async def settings_of(
    wire: Connection, kind: int, name: str, *settings: str
) -> dict[str, tuple[str | None, int]]:
    """Value and source of the settings of one resource, which must be there."""
    found = await describe_configs(wire, kind, name, *settings)
    assert found.error_code == 0, found
    return {entry.name: (entry.value, entry.config_source) for entry in found.configs}


def incremental_request(
    *resources: tuple[int, str, Sequence[Operation]], only_check: bool = False
) -> Any:
    """An IncrementalAlterConfigs request for resources, each a kind, a name and operations."""
    resource_class = IncrementalAlterConfigsRequest.AlterConfigsResource
    wanted = [
        resource_class(
            resource_type=kind,
            resource_name=name,
            configs=[
                resource_class.AlterableConfig(name=each, config_operation=what, value=value)
                for each, what, value in operations
            ],
        )
        for kind, name, operations in resources
    ]
    return IncrementalAlterConfigsRequest(resources=wanted, validate_only=only_check)


async def change(
    wire: Connection,
    kind: int,
    name: str,
    *operations: Operation,
    only_check: bool = False,
    version: int = 1,
) -> tuple[int, str | None]:
    """Change some settings of one resource; returns error code and text."""
    request = incremental_request((kind, name, operations), only_check=only_check)
    (answer,) = (await wire.ask(request, version)).responses
    assert (answer.resource_type, answer.resource_name) == (kind, name)
    return answer.error_code, answer.error_message


async def replace_all(
    wire: Connection,
    kind: int,
    name: str,
    *settings: tuple[str, str | None],
    only_check: bool = False,
    version: int = 2,
) -> tuple[int, str | None]:
    """Say all settings of one resource anew; returns error code and text."""
    resource_class = AlterConfigsRequest.AlterConfigsResource
    wanted = resource_class(
        resource_type=kind,
        resource_name=name,
        configs=[
            resource_class.AlterableConfig(name=each, value=value) for each, value in settings
        ],
    )
    request = AlterConfigsRequest(resources=[wanted], validate_only=only_check)
    (answer,) = (await wire.ask(request, version)).responses
    assert (answer.resource_type, answer.resource_name) == (kind, name)
    return answer.error_code, answer.error_message


async def node_id(wire: Connection) -> str:
    """The id of a node, as a resource's name."""
    request = DescribeClusterRequest(include_cluster_authorized_operations=False, endpoint_type=1)
    return str((await wire.ask(request, 0)).brokers[0].broker_id)
