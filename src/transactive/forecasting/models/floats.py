"""Arrays of floats inside stored models: shape and little-endian bytes, to the last bit."""

from __future__ import annotations

import msgspec
import numpy as np

from transactive.forecasting.series import FloatArray


class Floats(msgspec.Struct, frozen=True, array_like=True):
    """An array of float64."""

    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, array: FloatArray) -> Floats:
        """The array as it is stored."""
        return cls(array.shape, np.ascontiguousarray(array).astype("<f8").tobytes())

    @property
    def array(self) -> FloatArray:
        """The array again. Raises ValueError where the bytes do not fill the shape."""
        values: FloatArray = np.frombuffer(self.data, "<f8").reshape(self.shape).astype(np.float64)
        return values
