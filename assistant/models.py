"""Models: where they are and whether they are whole."""

import contextlib
import hashlib
import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from assistant.errors import ModelDamaged, ModelMissing

MANIFEST = "SHA256SUMS"
Kind = Literal["acoustic", "lexicon", "voice activity", "voiceprint"]


@dataclass(frozen=True)
class ModelEntry:
    """One model of ``models/index.toml``.

    Attributes:
        name: Its folder's name.
        kind: What it is for.
        language: Language code, or "any".
        megabytes: Size when installed.
        licence: SPDX identifier.
        about: One sentence.
        source: Address of an archive, or the base address of ``files``; empty when it comes with the repository.
        files: Single files below ``source``; empty for an archive.
        sha256: File name → checksum, where known (an archive's own name for an archive).
    """

    name: str
    kind: Kind
    language: str
    megabytes: int
    licence: str
    about: str
    source: str = ""
    files: tuple[str, ...] = ()
    sha256: tuple[tuple[str, str], ...] = ()


def model_folders() -> tuple[Path, ...]:
    """Folders that hold models, first choice first.

    ``VOICECART_MODELS``, then ``models/`` of the checkout, then the user's data folder.
    """
    given = os.environ.get("VOICECART_MODELS")
    checkout = Path(__file__).resolve().parents[1] / "models"
    own = platformdirs.user_data_path("voicecart") / "models"
    return (*([Path(given)] if given else []), checkout, own)


def read_index() -> dict[str, ModelEntry]:
    """All known models by name, from the first ``index.toml`` of the model folders.

    Raises:
        ModelMissing: There is no index.
        ModelDamaged: The index cannot be read.
    """
    for folder in model_folders():
        path = folder / "index.toml"
        if not path.is_file():
            continue
        try:
            return {
                name: ModelEntry(
                    name,
                    **values
                    | {
                        "files": tuple(values.get("files", ())),
                        "sha256": tuple(sorted(values.get("sha256", {}).items())),
                    },
                )
                for name, values in tomllib.loads(path.read_text("utf-8")).items()
            }
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ModelDamaged(f"The list of models {path} cannot be read: {error}.") from error
    looked = ", ".join(str(folder) for folder in model_folders())
    raise ModelMissing(f"There is no list of models (index.toml) in {looked}. Set VOICECART_MODELS.")


def find_model(name_or_path: str) -> Path:
    """The folder of a model, whole.

    Args:
        name_or_path: A name in ``models/index.toml``, or a folder.

    Raises:
        ModelMissing: No such folder; the message says how to install it.
        ModelDamaged: A file differs from its checksum; the message names it.
    """
    folder = locate_model(name_or_path)
    verify_model(folder)
    return folder


def locate_model(name_or_path: str) -> Path:
    """As ``find_model``, without verifying it.

    Raises:
        ModelMissing: No such folder; the message says how to install it.
    """
    if os.sep in name_or_path or name_or_path in ("", ".", ".."):
        folder = Path(name_or_path).expanduser()
        if name_or_path and folder.is_dir():
            return folder
        raise ModelMissing(f"There is no model folder {name_or_path!r}.")
    for place in model_folders():
        if (place / name_or_path).is_dir():
            return place / name_or_path
    entry = read_index().get(name_or_path)
    if entry is None:
        raise ModelMissing(
            f"No model is called {name_or_path!r}. 'voicecart models' lists them; a folder's path works too."
        )
    if entry.source:
        raise ModelMissing(f"The model {name_or_path} is not installed. Run 'voicecart models install {name_or_path}'.")
    raise ModelMissing(
        f"The model {name_or_path} comes with the repository, but is not there. Restore models/{name_or_path}, or run "
        f"'voicecart models install {name_or_path} --from PATH'."
    )


def verify_model(folder: Path, *, thorough: bool = False) -> None:
    """Checks every file that the model's ``SHA256SUMS`` names; a folder without one has nothing to be checked against.

    Args:
        folder: The model.
        thorough: Also reads files whose size and time have not changed since they were last found whole.

    Raises:
        ModelDamaged: A file is missing or differs; the message names it.
    """
    if not (folder / MANIFEST).is_file():
        return
    known = _VerifiedFiles()
    for name, checksum in read_manifest(folder).items():
        path = folder / name
        try:
            whole = (not thorough and known.holds(path, checksum)) or sha256_of(path) == checksum
        except OSError as error:
            raise ModelDamaged(
                f"The model {folder.name} is damaged: {name}: {error.strerror}. {_advice(folder)}"
            ) from error
        if not whole:
            raise ModelDamaged(
                f"The model {folder.name} is damaged: {name} differs from its checksum. {_advice(folder)}"
            )
        known.add(path, checksum)
    known.save()


def read_manifest(folder: Path) -> dict[str, str]:
    """File → checksum, as ``sha256sum`` writes them.

    Raises:
        ModelDamaged: It is not such a list, or names a file outside the folder.
    """
    try:
        lines = (folder / MANIFEST).read_text("utf-8").splitlines()
        entries = [line.split(maxsplit=1) for line in lines if line.strip()]
        manifest = {name.removeprefix("*").removeprefix("./"): checksum for checksum, name in entries}
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"{folder / MANIFEST} cannot be read: {error}. {_advice(folder)}") from error
    for name, checksum in manifest.items():
        if Path(name).is_absolute() or ".." in Path(name).parts or len(checksum) != 64:
            raise ModelDamaged(f"{folder / MANIFEST} is not a list of checksums: {name}. {_advice(folder)}")
    return manifest


def write_manifest(folder: Path) -> None:
    """Records the checksums of all files of a model."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    lines = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / MANIFEST).write_text("".join(lines), "utf-8")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _advice(folder: Path) -> str:
    return f"Restore it, or run 'voicecart models install {folder.name}'."


class _VerifiedFiles:
    """What was found whole, by size and time: reading every byte at every start would cost a small device seconds."""

    def __init__(self) -> None:
        self._path = platformdirs.user_cache_path("voicecart") / "verified.json"
        self._known: dict[str, str] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError):
            kept = json.loads(self._path.read_text("utf-8"))
            self._known = kept if isinstance(kept, dict) else {}

    def holds(self, path: Path, checksum: str) -> bool:
        return self._known.get(str(path.resolve())) == self._stamp(path, checksum)

    def add(self, path: Path, checksum: str) -> None:
        key, stamp = str(path.resolve()), self._stamp(path, checksum)
        self._changed |= self._known.get(key) != stamp
        self._known[key] = stamp

    def save(self) -> None:
        if not self._changed:
            return
        with contextlib.suppress(OSError):  # Without the cache the next start reads everything again.
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(self._known), "utf-8")
            temporary.replace(self._path)

    @staticmethod
    def _stamp(path: Path, checksum: str) -> str:
        status = path.stat()
        return f"{checksum} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
