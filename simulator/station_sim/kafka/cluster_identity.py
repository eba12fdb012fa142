"""Who a cluster is: its id and its nodes, which stay the same over all its starts."""

import base64
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from station_sim.errors import LabError
from station_sim.kafka.error_codes import RefusalError
from station_sim.kafka.storage.journal import Journal

_KIND = "cluster"


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """The cluster's id, the ids of its nodes, and how often it was started."""

    cluster_id: str
    node_ids: tuple[int, ...]
    starts: int = 1


def identify(journal: Journal, rng: random.Random, node_ids: Sequence[int]) -> ClusterIdentity:
    """Who the cluster is, as it was kept or drawn; from here on each start draws other numbers.

    Raises `LabError` if what was kept is another cluster's, or cannot be kept.
    """
    drawn = base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("=")
    identity = ClusterIdentity(drawn, tuple(node_ids))
    known = journal.get(_KIND, (), ClusterIdentity)
    if known is not None:
        _check_nodes(known, identity)
        rng.seed(f"{rng.getrandbits(64)}/{known.starts}")
        identity = replace(known, starts=known.starts + 1)
    try:
        journal.put(_KIND, (), identity)
    except RefusalError as error:
        raise LabError(f"the cluster cannot start: {error.message}; make room") from error
    return identity


def _check_nodes(known: ClusterIdentity, asked: ClusterIdentity) -> None:
    if known.node_ids != asked.node_ids:
        raise LabError(
            f"the data is of a cluster with {_said(known)}, and this one has {_said(asked)}: "
            "start it with the same nodes, or name another data folder"
        )


def _said(identity: ClusterIdentity) -> str:
    first, *others = identity.node_ids
    return f"the nodes {first} to {others[-1]}" if others else f"the node {first}"
