"""Keeping account of what of an NWB file a reader used, so that it can say what it did not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynwb import NWBFile


@dataclass
class Use:
    """What was used of a file, and sentences on what was used in part."""

    objects: set[int] = field(default_factory=set)
    columns: dict[str, set[str]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def take(self, held: Any) -> Any:
        """Notes that an object was used; returns it."""
        self.objects.add(id(held))
        return held

    def column(self, table: Any, *names: str) -> None:
        """Notes that columns of a table were used, and so the table."""
        self.take(table)
        self.columns.setdefault(table.name, set()).update(names)

    def unread(self, file: NWBFile) -> list[str]:
        """Short sentences on everything in the file that was not used."""
        return [*self.told, *self._columns(file), *self._tables(file), *self._containers(file)]

    def _columns(self, file: NWBFile) -> Iterator[str]:
        regions = [
            c for module in file.processing.values() for c in module.children for c in getattr(c, "children", ())
        ]
        for table in (file.trials, file.units, file.electrodes, *regions):
            if table is None or not hasattr(table, "colnames") or (id(table) not in self.objects and table in regions):
                continue
            known = self.columns.get(table.name, set())
            if left := [name for name in table.colnames if name not in known]:
                yield f"columns {', '.join(left)} of {table.name}"

    def _tables(self, file: NWBFile) -> Iterator[str]:
        kept = dict(file.intervals or {}) | {"epochs": file.epochs, "invalid_times": file.invalid_times}
        for name, table in kept.items():
            if table is not None and len(table) and id(table) not in self.objects and name != "trials":
                yield f"table {name} of {len(table)} rows"

    def _containers(self, file: NWBFile) -> Iterator[str]:
        groups = {
            "acquisition": file.acquisition, "stimulus": file.stimulus, "stimulus template": file.stimulus_template,
            "analysis": file.analysis, "scratch": file.scratch, "lab metadata": file.lab_meta_data,
        }  # fmt: skip
        for place, held in groups.items():
            for name, container in (held or {}).items():
                if id(container) not in self.objects:
                    yield f"{place} {name} ({type(container).__name__})"
        for module in file.processing.values():
            for container in module.data_interfaces.values():
                yield from self._within(container, f"{module.name}/{container.name}")

    def _within(self, container: Any, path: str) -> Iterator[str]:
        if id(container) in self.objects:
            return
        children = container.children
        if any(id(child) in self.objects for child in children):
            for child in children:
                yield from self._within(child, f"{path}/{child.name}")
        else:
            yield f"processing {path} ({type(container).__name__})"
