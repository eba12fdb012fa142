"""Cities in which a network may stand."""

from dataclasses import dataclass

from station_sim.errors import LabError

PRICE_SCHEMES = ("guangdong", "zhejiang")


@dataclass(frozen=True, slots=True)
class City:
    """A city: its Chinese name, position in degrees, whose electricity prices hold there.

    `code` is the administrative code's beginning, four digits. Raises `LabError` for what is no
    place on earth and for a scheme that is not known.
    """

    name: str
    latitude: float
    longitude: float
    price_scheme: str = "guangdong"
    code: str = "4401"

    def __post_init__(self) -> None:
        if not -66 <= self.latitude <= 66:
            raise LabError(f"city.latitude must be -66 to 66, got {self.latitude}")
        if not -180 <= self.longitude <= 180:
            raise LabError(f"city.longitude must be -180 to 180, got {self.longitude}")
        if self.price_scheme not in PRICE_SCHEMES:
            raise LabError(
                f"city.price_scheme must be {' or '.join(PRICE_SCHEMES)}, got {self.price_scheme!r}"
            )


GUANGZHOU = City("广州", 23.13, 113.27)
CITIES = {
    "guangzhou": GUANGZHOU,
    "shenzhen": City("深圳", 22.54, 114.06, code="4403"),
    "hangzhou": City("杭州", 30.27, 120.15, "zhejiang", "3301"),
    "ningbo": City("宁波", 29.87, 121.54, "zhejiang", "3302"),
}
"""By the name that a profile has for them; more may be described in full."""
