"""What a control is asked for and the cluster does not have, as an error of one line."""

from station_sim.errors import LabError


class UnknownThingError(LabError):
    """There is no such topic, group, node or fault."""
