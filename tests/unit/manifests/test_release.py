"""What a release consists of: krew's manifest, archives and bills of materials that anyone can make again."""

import copy
import gzip
import hashlib
import json
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack import dist, krew, sbom, smlogs
from tests.late import Late

jsonschema = Late("jsonschema")

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "tests" / "data" / "krew-plugin.schema.json").read_text())


@pytest.fixture
def archives(tmp_path: Path) -> list[Path]:
    """As `make smlogs` writes them, with a plugin of one line."""
    return [
        smlogs._archive(b"#!/bin/sh\n", tmp_path, system, architecture)
        for system in smlogs.SYSTEMS
        for architecture in smlogs.ARCHITECTURES
    ]


@pytest.fixture
def manifest(archives: list[Path]) -> dict[str, Any]:
    """Of these archives."""
    loaded: dict[str, Any] = yaml.safe_load(krew.render(archives, version="0.1.0", url="https://d.example/v1/"))
    return loaded


def test_krew_takes_the_manifest(manifest: dict[str, Any]) -> None:
    """Every field that its types have, by the rules of its validation; each platform once."""
    jsonschema.Draft202012Validator(SCHEMA).validate(manifest)
    assert f"{manifest['metadata']['name']}.yaml" == krew.FILE
    selected = [tuple(each["selector"]["matchLabels"].values()) for each in manifest["spec"]["platforms"]]
    assert sorted(selected) == [("darwin", "amd64"), ("darwin", "arm64"), ("linux", "amd64"), ("linux", "arm64")]


def without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    """An edit of a manifest: take something out."""

    def edit(manifest: Any) -> None:
        for step in path[:-1]:
            manifest = manifest[step]
        del manifest[path[-1]]

    return edit


def having(value: object, *path: str | int) -> Callable[[dict[str, Any]], None]:
    """An edit of a manifest: put something in."""

    def edit(manifest: Any) -> None:
        for step in path[:-1]:
            manifest = manifest[step]
        manifest[path[-1]] = value

    return edit


FIRST = ("spec", "platforms", 0)


@pytest.mark.parametrize(
    "edit",
    [
        without("spec", "version"),
        having("0.1.0", "spec", "version"),
        having("two\nlines", "spec", "shortDescription"),
        having("x" * 81, "spec", "description"),
        having([], "spec", "platforms"),
        having("kubectl-smlogs", "metadata", "name"),
        having({}, *FIRST, "selector"),
        having("linux", *FIRST, "selector", "matchLabels", "system"),
        having("ABC", *FIRST, "sha256"),
        without(*FIRST, "bin"),
        having([], *FIRST, "files"),
        having("MIT", "spec", "licence"),
    ],
)
def test_the_schema_refuses_what_krew_refuses(edit: Callable[[Any], None], manifest: dict[str, Any]) -> None:
    """A schema that lets all pass would prove nothing."""
    broken = copy.deepcopy(manifest)
    edit(broken)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(broken)


def test_what_the_manifest_names_is_in_the_archives(
    manifest: dict[str, Any], archives: list[Path], tmp_path: Path
) -> None:
    """What krew does: compare the checksum, unpack, copy `files`, link `bin`; an index wants the licence in it."""
    for platform, archive in zip(manifest["spec"]["platforms"], archives, strict=True):
        assert platform["uri"] == f"https://d.example/v1/{archive.name}"
        assert platform["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
        unpacked = tmp_path / archive.name.removesuffix(".tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(unpacked, filter="data")
        copied = {Path(each["from"]).name: unpacked / each["from"] for each in platform["files"]}
        assert all(path.is_file() for path in copied.values())
        assert copied[platform["bin"]].stat().st_mode & 0o111
        assert copied["LICENSE"].read_text() == (ROOT / "LICENSE").read_text()


def test_an_archive_says_nothing_of_when_and_by_whom(archives: list[Path]) -> None:
    """Two builds of one commit are the same bytes, so anyone can make again what was signed."""
    for path in archives:
        header = path.read_bytes()[:10]
        assert header[4:8] == bytes(4), "time in the header of gzip"
        with tarfile.open(path) as archive:
            assert {(each.mtime, each.uid, each.uname) for each in archive.getmembers()} == {(0, 0, "")}


def test_a_source_archive_loses_its_times(tmp_path: Path) -> None:
    """setuptools takes those of the files, which a checkout makes new, in the order of the directory."""
    made = []
    for turn, names in enumerate((["b", "a"], ["a", "b"])):
        folder = tmp_path / str(turn)
        folder.mkdir()
        for name in names:
            (folder / name).write_text(name)
            (folder / name).chmod(0o600 + turn * 0o44)
        path = tmp_path / f"{turn}.tar.gz"
        with gzip.open(path, "wb") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
            for name in names:
                archive.add(folder / name, name)
        dist._normalise(path, epoch=1_900_000_000)
        made.append(path.read_bytes())
    assert made[0] == made[1]


def test_checksums_are_read_by_sha256sum(tmp_path: Path) -> None:
    """Names relative to the file, two spaces."""
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "x").write_bytes(b"x")
    sums = dist.write_sums(tmp_path, [tmp_path / "v1" / "x"])
    assert sums.read_text() == f"{hashlib.sha256(b'x').hexdigest()}  v1/x\n"


LOCK = """\
# Written by `make lock`.
typing-extensions==4.16.0 ; python_full_version < '3.13' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
orjson==3.13.0 \\
    --hash=sha256:cc
"""


def test_a_bill_has_the_hashes_of_the_lock() -> None:
    """By the normalised name, which metadata writes otherwise; all files of a version, since systems differ."""
    bill = {
        "components": [{"name": "typing_extensions", "version": "4.16.0", "purl": "pkg:pypi/typing-extensions@4.16.0"}]
    }
    sbom.add_hashes(bill, sbom.hashes(LOCK))
    ((reference,),) = (each["externalReferences"] for each in bill["components"])  # type: ignore[misc]
    assert reference["type"] == "distribution"
    assert [each["content"] for each in reference["hashes"]] == ["aa", "bb"]


@pytest.mark.parametrize(("name", "version"), [("orjson", "3.12.0"), ("leftpad", "1")])
def test_what_is_installed_and_not_locked_stops_the_build(name: str, version: str) -> None:
    """An image must not have what was reviewed by nobody."""
    bill = {"components": [{"name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}"}]}
    with pytest.raises(ValueError, match=f"{name} {version} is installed and not locked"):
        sbom.add_hashes(bill, sbom.hashes(LOCK))


def test_the_root_of_a_bill_is_described_by_setup_cfg() -> None:
    """Name, version, licence and direct dependencies: the graph starts there."""
    root = tomllib.loads(sbom.project((ROOT / "setup.cfg").read_text()))["project"]
    assert (root["name"], root["license"]) == ("sagemaker-k8s-operator", "Apache-2.0")
    assert any(each.startswith("botocore ") for each in root["dependencies"])
    assert not any(each.startswith("#") for each in root["dependencies"])
