"""The metrics front end's parts that need no server."""

import datetime as dt
import os
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from controller.kube.access import ConfigError
from controller.metricsproxy import selfsigned
from controller.metricsproxy.reviews import Remembered, Verdict
from controller.metricsproxy.tls import Certificate
from tests.fakes import FakeClock

NOW = dt.datetime(2030, 1, 2, tzinfo=dt.UTC)


class CountingReview:
    """Allows tokens that begin with `good`, and counts the questions."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def judge(self, token: str) -> Verdict:
        """See `Review.judge`."""
        self.asked.append(token)
        return Verdict.ALLOWED if token.startswith("good") else Verdict.UNKNOWN


def test_a_verdict_is_asked_for_once_while_it_holds() -> None:
    """A scrape every few seconds costs one question a minute, and a withdrawn right ends within it."""
    review, clock = CountingReview(), FakeClock()
    remembered = Remembered(review, clock, keep_s=60)
    assert [remembered.judge("good"), remembered.judge("good"), remembered.judge("bad")] == [
        Verdict.ALLOWED,
        Verdict.ALLOWED,
        Verdict.UNKNOWN,
    ]
    assert review.asked == ["good", "bad"]
    clock.advance(60)
    remembered.judge("good")
    assert review.asked == ["good", "bad", "good"]


def test_strangers_cannot_fill_memory() -> None:
    """The oldest verdict goes first, so a flood of invented tokens costs the scraper one more question at most."""
    review = CountingReview()
    remembered = Remembered(review, FakeClock(), limit=10)
    for number in range(50):
        remembered.judge(f"bad-{number}")
    remembered.judge("bad-49")
    assert len(review.asked) == 50, "the last ten are remembered"
    remembered.judge("bad-0")
    assert review.asked[-1] == "bad-0"


def write_pair(directory: Path) -> tuple[Path, Path]:
    """A fresh certificate with its key, as a Secret mounts them."""
    paths = directory / "tls.crt", directory / "tls.key"
    for path, content in zip(paths, selfsigned.make(NOW), strict=True):
        path.write_bytes(content)
    return paths


def test_a_made_certificate_is_for_servers_and_this_host() -> None:
    """No authority, no client: it can be abused for nothing else."""
    certificate = x509.load_pem_x509_certificate(selfsigned.make(NOW)[0])
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc


def test_renewed_files_are_noticed_and_broken_ones_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """cert-manager replaces files under a running process; between the two writes they do not fit together."""
    loaded: list[str] = []
    load = ssl.SSLContext.load_cert_chain

    def recorded(context: ssl.SSLContext, certfile: Path, keyfile: Path) -> None:
        load(context, certfile, keyfile)
        loaded.append(certfile.read_text())

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", recorded)
    files = write_pair(tmp_path)
    first = files[0].read_text()
    certificate = Certificate(*files)
    certificate.context()
    assert loaded == [first], "unchanged files are read once"

    files[1].write_text("half")
    touch(files[1], 1)
    certificate.context()
    assert loaded == [first]

    write_pair(tmp_path)
    touch(files[1], 2)
    certificate.context()
    assert loaded == [first, files[0].read_text()]


def touch(path: Path, seconds: int) -> None:
    """Make the file visibly newer, whatever the file system's clock resolves."""
    stamp = path.stat().st_mtime_ns + seconds * 1_000_000_000
    os.utime(path, ns=(stamp, stamp))


def test_a_certificate_that_cannot_be_read_at_start_is_an_error_with_its_path(tmp_path: Path) -> None:
    """Later the old one goes on; at the start there is none."""
    with pytest.raises(ConfigError, match=r"no\.crt"):
        Certificate(tmp_path / "no.crt", tmp_path / "no.key")
    with pytest.raises(ConfigError, match="belong together"):
        Certificate(tmp_path / "tls.crt", None)
