"""What whoever starts the process can put right is one line; everything else is loud."""

import pytest

from controller import __main__ as main_module
from controller.kube.access import ConfigError
from controller.observability.server import BindError


@pytest.fixture(autouse=True)
def log_setup_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are not about logs."""
    monkeypatch.setattr(main_module.logs, "configure", lambda **_options: None)


@pytest.mark.parametrize("error", [ConfigError("no cluster"), BindError("no port")])
def test_mistakes_of_setup_are_one_line_and_exit_code_1(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback for a wrong path."""

    def run(_settings: object) -> int:
        raise error

    monkeypatch.setattr(main_module.app, "run", run)

    assert main_module.main([]) == 1
    assert capsys.readouterr().err == f"sagemaker-k8s-operator: error: {error}\n"


@pytest.mark.parametrize("code", [0, 1])
def test_the_code_is_the_managers(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It decided how the process ended."""
    monkeypatch.setattr(main_module.app, "run", lambda _settings: code)

    assert main_module.main([]) == code
