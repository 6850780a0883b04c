"""Installs models: from an address, an archive or a folder; nothing half-done is ever seen by others."""

import contextlib
import http.client
import os
import shutil
import stat
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from assistant.errors import ModelDamaged, ModelMissing
from assistant.models import MANIFEST, ModelEntry, sha256_of, verify_model, write_manifest

Progress = Callable[[str, int, int], None]
"""Takes what is being fetched, bytes so far, and bytes in all (0 when unknown)."""

_BLOCK = 1 << 18
_TIMEOUT_SECONDS = 30.0
_LARGEST_BYTES = 8 << 30


def installation_folder() -> Path:
    """Where models are installed: ``VOICECART_MODELS``, else the user's data folder."""
    given = os.environ.get("VOICECART_MODELS")
    return Path(given) if given else platformdirs.user_data_path("voicecart") / "models"


def install_model(entry: ModelEntry, source: str | None, progress: Progress = lambda name, done, total: None) -> Path:
    """Installs a model, replacing an older copy in the same place.

    Args:
        entry: What to install.
        source: A folder, an archive or an address to take it from; None takes the entry's own address.
        progress: Told about downloads.

    Returns:
        Its folder. It holds a ``SHA256SUMS``: the model's own, which must fit, or one recorded now.

    Raises:
        ModelMissing: There is nowhere to take it from, or it cannot be fetched (a repeated call resumes a download).
        ModelDamaged: What was fetched differs from its checksum or is no archive.
    """
    origin = source or entry.source
    if not origin:
        raise ModelMissing(f"The model {entry.name} has no address. Give an archive or a folder: --from PATH.")
    root = installation_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=root) as name:
            fresh = Path(name) / "model"
            _fetch(entry, origin, root, fresh, progress)
            if not any(path.is_file() for path in fresh.rglob("*")):
                raise ModelDamaged(f"{origin} holds no files.")
            if (fresh / MANIFEST).is_file():
                verify_model(fresh, thorough=True)
            else:
                write_manifest(fresh)
            target = root / entry.name
            if target.exists():
                target.rename(Path(name) / "old")
            fresh.rename(target)
    except OSError as error:
        raise ModelMissing(f"The model {entry.name} cannot be installed in {root}: {error}.") from error
    return target


def _fetch(entry: ModelEntry, origin: str, root: Path, fresh: Path, progress: Progress) -> None:
    remote = "://" in origin
    if not remote and Path(origin).is_dir():
        shutil.copytree(origin, fresh)
    elif not remote:
        _check(entry, Path(origin))
        _extract(Path(origin), fresh)
    elif entry.files and origin == entry.source:
        for file in entry.files:
            kept = _download(urllib.parse.urljoin(origin, file), root, progress)
            _check(entry, kept, file)
            (fresh / file).parent.mkdir(parents=True, exist_ok=True)
            kept.rename(fresh / file)
    else:
        archive = _download(origin, root, progress)
        _check(entry, archive)
        _extract(archive, fresh)
        archive.unlink()


def _check(entry: ModelEntry, path: Path, name: str = "") -> None:
    if not path.is_file():
        raise ModelMissing(f"There is no archive or folder {path}.")
    expected = dict(entry.sha256).get(name or path.name)
    if expected and sha256_of(path) != expected:
        path.unlink(missing_ok=True) if path.parent.name == ".downloads" else None
        raise ModelDamaged(f"{path.name} differs from the checksum in the list of models; it was not installed.")


def _download(address: str, root: Path, progress: Progress) -> Path:
    """Fetches ``address``; bytes of an earlier, interrupted call are kept."""
    if urllib.parse.urlsplit(address).scheme not in ("https", "http"):
        raise ModelMissing(f"Models are fetched from https addresses, not from {address}.")
    name = Path(urllib.parse.urlsplit(address).path).name or "model"
    done = root / ".downloads" / name
    part = done.with_name(done.name + ".part")
    done.parent.mkdir(exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "voicecart"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        request = urllib.request.Request(address, headers=headers)  # noqa: S310 - the scheme was checked above
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            if have and response.status != http.HTTPStatus.PARTIAL_CONTENT:
                have = 0
            total = have + int(response.headers.get("Content-Length") or 0)
            with part.open("ab" if have else "wb") as file:
                while block := response.read(_BLOCK):
                    file.write(block)
                    have += len(block)
                    progress(name, have, total)
        if total and have < total:
            raise ModelMissing(f"The download of {address} broke off. Run the command again: it goes on from there.")
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise ModelMissing(f"{address} cannot be fetched: {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise ModelMissing(
            f"{address} cannot be fetched: {error}. Run the command again (it resumes), or fetch the archive elsewhere "
            "and give its path: --from PATH."
        ) from error
    part.replace(done)
    return done


def _extract(archive: Path, fresh: Path) -> None:
    """Unpacks an archive; a single folder at its top is the model itself."""
    unpacked = fresh.with_name("unpacked")
    unpacked.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            _extract_zip(archive, unpacked)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as file:
                if sum(member.size for member in file) > _LARGEST_BYTES:
                    raise ModelDamaged(f"{archive.name} is larger than any model.")
                file.extractall(unpacked, filter="data")
        else:
            raise ModelDamaged(f"{archive.name} is neither a zip nor a tar archive.")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zipfile.LargeZipFile) as error:
        raise ModelDamaged(f"{archive.name} cannot be unpacked: {error}.") from error
    inside = [path for path in unpacked.iterdir() if not path.name.startswith((".", "__MACOSX"))]
    (inside[0] if len(inside) == 1 and inside[0].is_dir() else unpacked).rename(fresh)


def _extract_zip(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        if sum(member.file_size for member in file.infolist()) > _LARGEST_BYTES:
            raise ModelDamaged(f"{archive.name} is larger than any model.")
        for member in file.infolist():
            place = Path(member.filename)
            if place.is_absolute() or ".." in place.parts or stat.S_ISLNK(member.external_attr >> 16):
                raise ModelDamaged(f"{archive.name} holds an unsafe entry ({member.filename}); it was not installed.")
        file.extractall(target)  # noqa: S202 - every entry was checked above


def remove_leftovers() -> None:
    """Removes what interrupted installations left; a download that can be resumed is kept."""
    for path in installation_folder().glob(".installing-*"):
        with contextlib.suppress(OSError):
            shutil.rmtree(path)
