"""What the house writes as Zarr is Zarr: the library reads every array to the bit, and the attributes."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from simlab.store.zarr_files import COMPRESS_ABOVE, write_group

ARRAYS = {
    "scalar": np.array(2.5),
    "empty": np.zeros((0, 3), dtype=np.int32),
    "flags": np.array([True, False, True]),
    "odd numbers": np.array([np.nan, -0.0, np.inf, 5e-324]),
    "bytes": np.arange(7, dtype=np.uint8),
    "far and strided": np.arange(24, dtype=np.int64).reshape(2, 3, 4)[:, ::2],
    "other way round": np.arange(5, dtype=">f4"),
    "large": np.random.default_rng(0).standard_normal((COMPRESS_ABOVE // 8, 3)),
}


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> zarr.Group:
    place = tmp_path_factory.mktemp("zarr") / "entry"
    write_group(place, ARRAYS, {"text": "a", "number": 1.5, "list": [1, None]})
    return zarr.open_group(place, mode="r", zarr_format=3)


@pytest.mark.parametrize("name", ARRAYS)
def test_every_array_is_read_to_the_bit(group: zarr.Group, name: str) -> None:
    found, given = group[name][...], ARRAYS[name]
    assert (found.dtype.name, found.shape) == (given.dtype.name, given.shape)
    assert np.ascontiguousarray(found).tobytes() == given.astype(found.dtype).tobytes()


def test_nothing_else_is_in_the_group_and_its_attributes_are_there(group: zarr.Group) -> None:
    assert set(group.array_keys()) == set(ARRAYS)
    assert dict(group.attrs) == {"text": "a", "number": 1.5, "list": [1, None]}


def test_large_arrays_are_compressed_as_the_library_does_it(group: zarr.Group) -> None:
    assert [codec.to_dict()["name"] for codec in group["large"].metadata.codecs] == ["bytes", "zstd"]
    assert [codec.to_dict()["name"] for codec in group["flags"].metadata.codecs] == ["bytes"]
