"""uv installs with what pip has been told."""

from __future__ import annotations

import importlib.util
import typing as t
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts/install.py"


@pytest.fixture(scope="module")
def install() -> t.Any:
    spec = importlib.util.spec_from_file_location("install", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("listing", "environment"),
    [
        ("", {}),
        ("global.timeout='60'\nglobal.disable-pip-version-check='1'", {}),
        (":env:.index-url='https://mirror.example/simple'", {"UV_DEFAULT_INDEX": "https://mirror.example/simple"}),
        (
            "global.index-url='https://a.example/x?y=z'\n:env:.index-url='https://b.example/'",
            {"UV_DEFAULT_INDEX": "https://b.example/"},
        ),
        (
            "global.extra-index-url='\\nhttps://a.example\\nhttps://b.example'",
            {"UV_INDEX": "https://a.example https://b.example", "UV_INDEX_STRATEGY": "unsafe-best-match"},
        ),
        (
            "global.cert='/etc/ca.pem'\nuser.find-links='/wheels /more'\nuser.trusted-host='a.example'",
            {"SSL_CERT_FILE": "/etc/ca.pem", "UV_FIND_LINKS": "/wheels /more", "UV_INSECURE_HOST": "a.example"},
        ),
    ],
)
def test_what_pip_was_told_is_told_to_uv(install: t.Any, listing: str, environment: dict[str, str]) -> None:
    assert install.settings(listing) == environment


def test_without_uv_it_is_pip_that_installs(install: t.Any, monkeypatch: pytest.MonkeyPatch, capsys: t.Any) -> None:
    asked: list[tuple[str, ...]] = []

    def pip(*arguments: str, capture: bool = False) -> t.Any:
        asked.append(arguments)
        return install.subprocess.CompletedProcess([], 1 if "uv>=0.9" in arguments else 0, "" if capture else None)

    monkeypatch.setattr(install, "pip", pip)
    assert install.install(["a.txt", "b.txt"], {}) == 0
    assert asked[-1] == ("install", "--requirement", "a.txt", "--requirement", "b.txt")
    assert "uv cannot be had here" in capsys.readouterr().out
