"""Public holidays, from the library of that name: it is loaded when the first day is asked for."""

from collections.abc import Container, Sequence
from datetime import date
from functools import cached_property


class PublicHolidays(Container[date]):
    """The public holidays of some countries (ISO 3166 codes, such as US or DE)."""

    def __init__(self, countries: Sequence[str]) -> None:
        self._countries = countries

    def __contains__(self, day: object) -> bool:
        """Tell whether a day is a holiday in any of the countries."""
        return any(day in calendar for calendar in self._calendars)

    @cached_property
    def _calendars(self) -> list[Container[object]]:
        from holidays import country_holidays  # noqa: PLC0415 - it takes half a second

        return [country_holidays(country) for country in self._countries]


def known_countries() -> Container[str]:
    """Return the codes of the countries whose holidays are known."""
    from holidays import list_supported_countries  # noqa: PLC0415 - it takes half a second

    return list_supported_countries(include_aliases=False)
