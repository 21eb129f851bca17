"""Units and what one is in another. Small on purpose: what is not here is compared by its name."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit; ``value * factor + offset`` is in the first unit of its dimension."""

    dimension: str
    factor: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)


# Exact by definition: the international yard and pound, ISQ prefixes. Left out is what has several
# sizes (gallon, ton, cup, month, year) and what needs an irrational factor (degree and radian).
_DIMENSIONS: Final = {
    "length": {
        "m metre metres meter meters": "1",
        "km kilometre kilometres kilometer kilometers": "1000",
        "cm centimetre centimetres centimeter centimeters": "1/100",
        "mm millimetre millimetres millimeter millimeters": "1/1000",
        "µm um micrometre micrometer micrometers": "1/1000000",
        "nm nanometre nanometer nanometers": "1/1000000000",
        "in inch inches": "0.0254",
        "ft foot feet": "0.3048",
        "yd yard yards": "0.9144",
        "mi mile miles": "1609.344",
    },
    "mass": {
        "kg kilogram kilograms": "1",
        "g gram grams": "1/1000",
        "mg milligram milligrams": "1/1000000",
        "µg ug microgram micrograms": "1/1000000000",
        "t tonne tonnes": "1000",
        "lb lbs pound pounds": "0.45359237",
        "oz ounce ounces": "0.028349523125",
    },
    "time": {
        "s sec secs second seconds": "1",
        "ms millisecond milliseconds": "1/1000",
        "µs us microsecond microseconds": "1/1000000",
        "ns nanosecond nanoseconds": "1/1000000000",
        "min mins minute minutes": "60",
        "h hr hrs hour hours": "3600",
        "d day days": "86400",
        "week weeks": "604800",
    },
    "area": {
        "m^2 sqm": "1",
        "km^2": "1000000",
        "cm^2": "1/10000",
        "mm^2": "1/1000000",
        "ha hectare hectares": "10000",
    },
    "volume": {
        "m^3": "1",
        "cm^3": "1/1000000",
        "l L litre litres liter liters": "1/1000",
        "ml mL millilitre millilitres milliliter milliliters": "1/1000000",
    },
    "speed": {"m/s mps": "1", "km/h kmh kph": "5/18", "mph mi/h": "0.44704"},
    "energy": {"J joule joules": "1", "kJ": "1000", "MJ": "1000000", "Wh": "3600"}
    | {"kWh": "3600000", "cal": "4.184", "kcal": "4184"},
    "power": {"W watt watts": "1", "mW": "1/1000", "kW": "1000", "MW": "1000000"},
    "pressure": {"Pa": "1", "kPa": "1000", "hPa": "100", "bar": "100000", "atm": "101325"},
    "force": {"N newton newtons": "1", "kN": "1000"},
    "frequency": {"Hz": "1", "kHz": "1000", "MHz": "1000000", "GHz": "1000000000"},
    "data": {"B byte bytes": "1", "kB KB": "1000", "MB": "1000000", "GB": "1000000000"}
    | {"TB": "1000000000000", "KiB": "1024", "MiB": "1048576", "GiB": "1073741824"}
    | {"bit bits": "1/8"},
    "angle": {"° deg degree degrees": "1"},
    "usd": {"USD $ dollar dollars": "1", "cent cents ¢": "1/100"},
    "eur": {"EUR € euro euros": "1"},
    "gbp": {"GBP £": "1"},
    "jpy": {"JPY ¥ yen": "1"},
    "inr": {"INR ₹ rupee rupees": "1"},
}

UNITS: Final[dict[str, Unit]] = {
    name: Unit(dimension=dimension, factor=Fraction(factor))
    for dimension, sizes in _DIMENSIONS.items()
    for names, factor in sizes.items()
    for name in names.split()
} | {
    name: Unit(dimension="temperature", factor=Fraction(factor), offset=Fraction(offset))
    for names, factor, offset in (
        ("K kelvin", "1", "0"),
        ("°C degC celsius", "1", "273.15"),
        ("°F degF fahrenheit", "5/9", "45967/180"),
    )
    for name in names.split()
}


def unit_named(name: str) -> Unit:
    """The unit of that name; one that is not known is a dimension of its own.

    Symbols tell case apart (mW, MW), words do not.
    """
    return _known(name) or Unit(dimension=f"named {' '.join(name.split()).casefold()}")


def is_known(name: str) -> bool:
    """Whether the name is a unit of the table."""
    return _known(name) is not None


def convert(value: Fraction, source: Unit, target: Unit) -> Fraction | None:
    """The value in the target unit; None where the two measure different things."""
    if source.dimension != target.dimension:
        return None
    return (value * source.factor + source.offset - target.offset) / target.factor


def _known(name: str) -> Unit | None:
    symbol = "".join(character for character in name if character not in " (){}")
    return UNITS.get(symbol) or (UNITS.get(symbol.casefold()) if len(symbol) > 3 else None)
