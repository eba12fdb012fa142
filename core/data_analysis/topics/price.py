"""SCHEDULE-CAR-PRICE: one tariff per station, shown as one dict `car_price`."""

from collections.abc import Sequence
from typing import Any

from data_analysis.messages import Scope

HALF_HOURS = 48
CODES_FIELD = "feeNo"
CODE_KEYS = tuple(f"{CODES_FIELD}{number}" for number in range(1, HALF_HOURS + 1))
"""`feeNo1` (00:00 to 00:30) to `feeNo48`: 00 sharp, 01 peak, 02 flat, 03 valley, 04 other."""


class PriceTopic:
    """The newest tariff; its 48 codes become the list `feeNo`."""

    scopes: tuple[Scope, ...] = (Scope.STATION,)
    flat = False

    def payloads(self, items: list[Any]) -> list[Any]:
        """Return the last item: they come in the order of their sendTime."""
        return items[-1:]

    def columns(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Return the one column."""
        return ("car_price",)

    def row(self, payload: Any, fields: Sequence[str]) -> Sequence[Any]:
        """Return the tariff as a dict of the configured fields, missing ones None."""
        price = {field: payload.get(field) for field in fields}
        if CODES_FIELD in price and CODES_FIELD not in payload:
            price[CODES_FIELD] = [payload.get(key) for key in CODE_KEYS]
        return (price,)

    def point(self, station_id: str, fields: Sequence[str], row: Sequence[Any]) -> Any:
        """Return the tariff."""
        return dict(row[0])
