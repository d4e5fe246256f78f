"""Files of trained models in a folder: written once, whole, and read only if they are what was recorded."""

from __future__ import annotations

from pathlib import Path

from transactive.core.errors import DataError, StateError
from transactive.engine.models.trial_reading import try_reading
from transactive.forecasting.models.model_file import ModelFile, opened, restored
from transactive.forecasting.registry import Model
from transactive.store.model_records import ModelRecord

FOLDER = "models"
"""Beside the database of a state."""


class ModelFiles:
    """The files of one state; without a folder they live as long as the run."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._data: dict[int, bytes] = {}
        self._models: dict[int, Model] = {}

    def keep(self, record: ModelRecord, data: bytes, model: Model) -> None:
        """Write a model's file, whole or not at all; one that is there already holds the same, by its name.

        Raises StateError where it cannot be written.
        """
        self._models[record.number] = model
        if self.folder is None:
            self._data[record.number] = data
            return
        path, partial = self.folder / record.file, self.folder / f".{record.file}.part"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial.touch(mode=0o600)
            partial.write_bytes(data)
            partial.replace(path)
        except OSError as error:
            raise StateError(f"{path}: cannot be written ({error.strerror}); free space or permissions") from error
        finally:
            partial.unlink(missing_ok=True)

    def read(self, record: ModelRecord) -> bytes:
        """The bytes of a model's file. Raises StateError where it is gone."""
        if self.folder is None:
            return self._data[record.number]
        path = self.folder / record.file
        try:
            return path.read_bytes()
        except OSError as error:
            raise StateError(
                f"{path}: cannot be read ({error.strerror}); put the file back, or `transactive models rollback"
                f" {record.target}`"
            ) from None

    def opened(self, record: ModelRecord) -> ModelFile:
        """What a model's file says of it. Raises StateError where it has not the hash that the database holds."""
        try:
            return opened(self.read(record), record.hash, record.file)
        except DataError as error:
            raise StateError(str(error)) from None

    def load(self, record: ModelRecord) -> Model:
        """The model, which a child reads first, once. Raises StateError as `opened` does, or where it is refused."""
        if record.number not in self._models:
            file = self.opened(record)
            try:
                try_reading(self.read(record), record.file)
                self._models[record.number] = restored(file, record.file)
            except DataError as error:
                raise StateError(str(error)) from None
        return self._models[record.number]
