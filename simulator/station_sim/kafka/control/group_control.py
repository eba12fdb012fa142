"""Consumer groups from outside: looked at, deleted, coordinated by another node."""

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.control.errors import UnknownThingError
from station_sim.kafka.control.state import Plain, group_state
from station_sim.kafka.error_codes import RefusalError
from station_sim.kafka.group import Group


class GroupControl:
    """The groups of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def all(self) -> list[Plain]:
        """All groups with members, offsets and lag, in alphabetical order."""
        groups = sorted(self._cluster.groups, key=lambda group: group.group_id)
        return [group_state(self._cluster, group) for group in groups]

    def get(self, group: str) -> Plain:
        """One group; raises `UnknownThingError`."""
        return group_state(self._cluster, self._find(group))

    def delete(self, group: str) -> Plain:
        """Delete a group without members, with its offsets; returns what it was.

        Raises `RefusalError` (NON_EMPTY_GROUP).
        """
        last = self.get(group)
        code = self._cluster.groups.delete(group)
        if code:
            raise RefusalError(code, f"group {group} has members; end them first")
        return last

    def move_coordinator(
        self, group: str, *, node_id: int, metadata_delay_s: float | None = None
    ) -> Plain:
        """Let another node coordinate a group, see `Cluster.move_coordinator`."""
        self._cluster.move_coordinator(
            self._find(group).group_id, node_id, metadata_delay_s=metadata_delay_s
        )
        return self.get(group)

    def _find(self, group_id: str) -> Group:
        group = self._cluster.groups.get(group_id)
        if group is None:
            there = ", ".join(sorted(each.group_id for each in self._cluster.groups))
            raise UnknownThingError(f"no group {group_id}; there are: {there or 'none'}")
        return group
