"""What a station of a profile is built of, drawn from its index and the seed.

Sizes, busyness and frailty come from even sequences (`low_discrepancy`), all else from the
station's own random stream. What happens at it is `station`'s.
"""

import math
from itertools import pairwise
from random import Random
from statistics import NormalDist

from station_sim.world.low_discrepancy import even_share, interleaved, pair_shares
from station_sim.world.names import draw_address, draw_station_name
from station_sim.world.profile import Profile
from station_sim.world.random_streams import random_stream
from station_sim.world.site import GunSite, HostSite, SiteType, StationSite, StorageSite

GUNS_BY_SHARE = (
    (0.0, 2.0),
    (0.1, 3.0),
    (0.25, 6.0),
    (0.5, 10.0),
    (0.75, 18.0),
    (0.9, 35.0),
    (0.99, 78.0),
    (1.0, 110.0),
)
"""Quantiles of guns per station (UrbanEV, 1,587 stations); the ends are estimates."""

SIZE_RANGE = {
    SiteType.URBAN: (0.0, 1.0),
    SiteType.CORRIDOR: (0.0, 0.93),
    SiteType.HUB: (0.4, 1.0),
    SiteType.DEPOT: (0.4, 0.95),
}
"""Which part of the quantiles a type takes: hubs and depots are large, service areas are not."""

BUSYNESS_CV = {
    SiteType.URBAN: 0.50,
    SiteType.CORRIDOR: 0.45,
    SiteType.HUB: 0.22,
    SiteType.DEPOT: 0.22,
}
"""Spread of the gamma before it is made even within pairs: afterwards 0.45, 0.4 and 0.2, which are
estimates; motorways were 0.5 in the notes, but with that a holiday's drivers find no gun."""

FRAILTY_CV = 0.6
PILE_GUNS = {60.0: 1, 120.0: 2, 180.0: 2, 240.0: 2, 480.0: 2}
GUNS_PER_HOST = 6
HOST_SHARE_OF_PILES = 0.8
"""About 60 kW a gun, with which the peaks of the realism note were computed."""

HOST_RATINGS_KW = (240.0, 300.0, 360.0, 420.0, 480.0)
CURRENT_LIMITS_A = {60.0: 250.0, 120.0: 250.0, 180.0: 250.0, 240.0: 400.0, 480.0: 600.0}
"""Up to 180 kW guns are cooled by air, above by liquid (estimates)."""

TRANSFORMERS_KVA = (630.0, 1000.0, 1250.0, 1600.0)
SIMULTANEITY, POWER_FACTOR = 0.6, 0.95
UNKNOWN_CAPACITY_SHARE = 0.05
PV_KWP, PV_SHARE_OF_KVA = (60.0, 300.0), 0.25
STORAGE_GUNS_MIN, GUNS_PER_CABINET, CABINETS_MAX = 6, 10, 4
CABINET_KWH, STORAGE_KWH_PER_GUN_MAX, STORAGE_C_RATE = (100.0, 215.0), 20.0, 0.5
"""Cabinets of 100 to 215 kWh at 0.5 C (an estimate), as many as the guns can empty."""

YEARS_MAX = 8.0
RADIUS_DEG = {SiteType.CORRIDOR: 0.8}
CITY_RADIUS_DEG = 0.25


def site_types(profile: Profile) -> list[SiteType]:
    """The type of every station of a profile; the beginning of a longer one's is the same."""
    return [SiteType(each) for each in interleaved(profile.site_mix, profile.stations)]


def draw_site(profile: Profile, index: int, site_type: SiteType, rank: int) -> StationSite:
    """The station at an index, which is the `rank`-th of its type."""
    seed, entity = profile.seed, f"station-{index:04d}"
    size_share, busy_share = pair_shares(seed, f"size/{site_type}", rank)
    _, frailty_share = pair_shares(seed, "frailty", index)
    rng = random_stream(seed, entity, "site")
    city = profile.city
    radius = RADIUS_DEG.get(site_type, CITY_RADIUS_DEG)
    count = _gun_count(profile, site_type, size_share)
    hosts, guns = _draw_hosts(random_stream(seed, entity, "piles"), profile, index, count)
    kva = transformer_kva(sum(host.rated_kw for host in hosts))
    return StationSite(
        index=index,
        station_id=f"1881540{rng.randrange(10**8):08d}{index:04d}",
        name=draw_station_name(rng, index, site_type),
        address=draw_address(rng, city.name),
        site_type=site_type,
        longitude=round(city.longitude + rng.uniform(-radius, radius), 6),
        latitude=round(city.latitude + rng.uniform(-radius, radius), 6),
        temperature_c=round(rng.uniform(20, 35), 1),
        grid_capacity_kva=kva,
        told_capacity_kva=0.0 if rng.random() < UNKNOWN_CAPACITY_SHARE else kva,
        meter_id=f"{city.code}{index:08d}",
        hosts=hosts,
        guns=guns,
        storage=_draw_storage(profile, index, entity, hosts, count),
        pv_kwp=_draw_pv(profile, index, entity, kva),
        years=round(rng.uniform(0, YEARS_MAX), 2),
        busyness=_paired_gamma(busy_share, BUSYNESS_CV[site_type]),
        frailty=_paired_gamma(frailty_share, FRAILTY_CV),
    )


def transformer_kva(rated_kw: float) -> float:
    """The smallest usual transformer, or row of the largest, for a nameplate sum (an estimate)."""
    needed = rated_kw * SIMULTANEITY / POWER_FACTOR
    largest = TRANSFORMERS_KVA[-1]
    if needed > largest:
        return math.ceil(needed / largest) * largest
    return next(kva for kva in TRANSFORMERS_KVA if kva >= needed)


def gun_count(share: float) -> int:
    """Guns of the station that is larger than this share of all, between quantiles by logarithm."""
    for (low, few), (high, many) in pairwise(GUNS_BY_SHARE):
        if share <= high:
            return round(float(few * (many / few) ** ((share - low) / (high - low))))
    return round(GUNS_BY_SHARE[-1][1])


def _gun_count(profile: Profile, site_type: SiteType, share: float) -> int:
    if profile.guns_per_station is not None:
        return profile.guns_per_station
    low, high = SIZE_RANGE[site_type]
    return gun_count(low + (high - low) * share)


def _paired_gamma(share: float, cv: float) -> float:
    """A gamma's quantile, made to have mean 1 together with the opposite quantile."""
    here, opposite = _gamma_quantile(share, cv), _gamma_quantile(1 - share, cv)
    return 2 * here / (here + opposite)


def _gamma_quantile(share: float, cv: float) -> float:
    """By the cube root's near normality (Wilson and Hilferty 1931)."""
    z = NormalDist().inv_cdf(share)
    return max(1 - cv**2 / 9 + z * cv / 3, 0.0) ** 3


def _draw_hosts(
    rng: Random, profile: Profile, index: int, count: int
) -> tuple[tuple[HostSite, ...], tuple[GunSite, ...]]:
    """Hosts with their guns, which hang on piles of one or two: six guns a host at most."""
    hosts: list[HostSite] = []
    guns: list[GunSite] = []
    pile = 0
    left_hosts = math.ceil(count / GUNS_PER_HOST)
    while len(guns) < count:
        wanted = math.ceil((count - len(guns)) / (left_hosts - len(hosts)))
        host_guns, host_kw = 0, 0.0
        while host_guns < wanted:
            pile_kw = _draw_rating(rng, profile)
            for _ in range(min(PILE_GUNS[pile_kw], wanted - host_guns)):
                host_guns += 1
                guns.append(
                    GunSite(
                        number=len(guns) + 1,
                        gun_no=f"{host_guns:02d}",
                        host=len(hosts),
                        pile=pile,
                        rated_kw=pile_kw,
                        current_limit_a=CURRENT_LIMITS_A[pile_kw],
                    )
                )
            host_kw += pile_kw
            pile += 1
        hosts.append(HostSite(f"5200{index:06d}{len(hosts):04d}", _host_rating(host_kw)))
    return tuple(hosts), tuple(guns)


def _draw_rating(rng: Random, profile: Profile) -> float:
    ratings = [float(key) for key in profile.gun_mix]
    piles = [
        share / PILE_GUNS[rating]
        for rating, share in zip(ratings, profile.gun_mix.values(), strict=True)
    ]
    return rng.choices(ratings, piles)[0]


def _host_rating(piles_kw: float) -> float:
    """The usual host that comes nearest to what its piles need together (an estimate)."""
    needed_kw = HOST_SHARE_OF_PILES * piles_kw
    return min(HOST_RATINGS_KW, key=lambda rating: abs(rating - needed_kw))


def _draw_pv(profile: Profile, index: int, entity: str, kva: float) -> float:
    if even_share(profile.seed, "pv", index) >= profile.pv_share:
        return 0.0
    rng = random_stream(profile.seed, entity, "pv")
    return round(min(max(PV_SHARE_OF_KVA * kva * rng.uniform(0.7, 1.0), PV_KWP[0]), PV_KWP[1]), 1)


def _draw_storage(
    profile: Profile, index: int, entity: str, hosts: tuple[HostSite, ...], guns: int
) -> tuple[StorageSite, ...]:
    """Cabinets where enough guns stand to empty them: about one for ten guns."""
    if guns < STORAGE_GUNS_MIN or even_share(profile.seed, "storage", index) >= _having(profile):
        return ()
    rng = random_stream(profile.seed, entity, "storage")
    count = min(max(round(guns / GUNS_PER_CABINET), 1), CABINETS_MAX)
    energy_kwh = min(rng.uniform(*CABINET_KWH), STORAGE_KWH_PER_GUN_MAX * guns / count)
    return tuple(
        StorageSite(
            code=f"{rng.getrandbits(80):020X}",
            host_code=hosts[unit % len(hosts)].code,
            energy_kwh=round(energy_kwh, 1),
            power_kw=round(energy_kwh * STORAGE_C_RATE, 1),
            years=round(rng.uniform(0, YEARS_MAX / 2), 2),
        )
        for unit in range(count)
    )


def _having(profile: Profile) -> float:
    """The share among stations that are large enough, so that all have `storage_share`."""
    large_enough = 0.75
    return min(profile.storage_share / large_enough, 1.0)
