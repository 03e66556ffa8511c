"""Settings of the section `sweep`: which combinations of the swept values are points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from pipeline.model.errors import RequestError
from pipeline.model.quantity import Section, quantity, written

#: How samples are drawn from intervals: a scrambled Sobol sequence, a Latin hypercube, or random
#: numbers that are independent of each other. The first one is used unless another is asked for.
METHODS = ("sobol", "lhs", "random")

#: Why Hydra's own sweepers refuse a setting.
NEEDS_OUR_SWEEPER = "has no effect with hydra/sweeper=basic; leave the sweeper out"


@dataclass(frozen=True)
class SweepSettings(Section):
    """How a command samples; all of them neutral where it sweeps a grid.

    `zip` holds the keys as one text, separated by commas.
    """

    section: ClassVar[str] = "sweep"
    title: ClassVar[str] = "samples in place of a grid"

    zip: str | None = quantity(
        "swept keys, [KEY,KEY], whose values are paired",
        kind=str,
        null="each swept key is an axis",
        neutral=None,
    )
    table: str | None = quantity(
        "table of samples (CSV or Parquet), a column a key",
        kind=str,
        null="no table",
        neutral=None,
    )
    samples: int | None = quantity(
        "number of samples from KEY=interval(a,b)",
        kind=int,
        at_least=1,
        null="no key has an interval",
        neutral=None,
    )
    method: str = quantity(
        "method of drawing samples",
        kind=str,
        choices=METHODS,
        neutral=METHODS[0],
    )
    seed: int = quantity("random seed of drawing samples", kind=int, at_least=0, neutral=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.table is not None and not self.table.strip():
            raise self._no_table(self.table)

    @classmethod
    def _no_table(cls, value: Any) -> RequestError:
        return RequestError(
            f"{written(cls.key('table'), value)}: must be the path of one table (CSV or Parquet)"
        )

    @classmethod
    def of(cls, values: Any) -> SweepSettings:
        """Return the settings of the section of a composed config, as plain values.

        Raises
        ------
        RequestError
            If a setting is unknown or not allowed.
        """
        if not isinstance(values, Mapping):
            raise not_whole(values)
        if isinstance(values.get("table"), list):
            raise cls._no_table(f"[{','.join(map(str, values['table']))}]")
        keys = values.get("zip")
        if keys is not None:
            is_list = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
            if not is_list or len({*keys}) != len(keys) or len(keys) < 2:
                shown = f"[{','.join(map(str, keys))}]" if isinstance(keys, list) else keys
                raise RequestError(
                    f"{written(cls.key('zip'), shown)}: must be a list of two or more swept keys, "
                    "each once, in brackets, as in sweep.zip=[stdp.tau_plus,stdp.tau_minus]"
                )
            values = {**values, "zip": ",".join(keys)}
        return cls.from_mapping(values)

    @property
    def zipped(self) -> tuple[str, ...]:
        """The keys of `zip`."""
        return tuple(self.zip.split(",")) if self.zip else ()

    def refuse_without_sweeper(self) -> None:
        """Refuse settings where Hydra's own sweeper runs each point by itself.

        Raises
        ------
        RequestError
            If one is not neutral.
        """
        for text in self.given().values():
            raise RequestError(f"{text}: {NEEDS_OUR_SWEEPER}")

    def given(self) -> dict[str, str]:
        """Return the settings that are not neutral, by name, as they are written."""
        neutral = self.neutral_values()
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.zip:
            values["zip"] = f"[{self.zip}]"
        return {
            name: f"{self.key(name)}={value}"
            for name, value in values.items()
            if value != neutral[name]
        }


def not_whole(value: Any) -> RequestError:
    """Return the error for a value of the whole section, which is set key by key."""
    names = SweepSettings.quantities()
    keys = ", ".join(map(SweepSettings.key, names))
    return RequestError(f"{written(SweepSettings.section, value)}: must be set key by key: {keys}")
