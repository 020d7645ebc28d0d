"""uv installs with what pip has been told."""

from __future__ import annotations

import typing as t

import pytest
from script_module import script_module


@pytest.fixture(scope="module")
def install() -> t.Any:
    return script_module("install")


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
        ("global.cert='/etc/ca.pem'\ninstall.find-links='\\n/wheels\\n/more'",
         {"SSL_CERT_FILE": "/etc/ca.pem", "UV_FIND_LINKS": "/wheels,/more"}),
        ("download.index-url='https://a.example'", {}),
        ("global.extra-index-url='https://a.example'", None),
        ("global.constraint='company.txt'", None),
        (":env:.no-index='1'", None),
    ],
)  # fmt: skip
def test_what_pip_was_told_is_told_to_uv_or_pip_does_it(
    install: t.Any, listing: str, environment: dict[str, str] | None
) -> None:
    assert install.settings(listing) == environment


class Run:
    """Stands in for pip and for uv's process, and keeps what they were asked."""

    def __init__(self, install: t.Any, monkeypatch: pytest.MonkeyPatch, *, listing: str = "", uv: int = 0) -> None:
        self.pip: list[tuple[str, ...]] = []
        self.uv: list[tuple[list[str], dict[str, str]]] = []
        self.listing, self.code, self.process = listing, uv, install.subprocess.CompletedProcess
        monkeypatch.setattr(install, "pip", self.asked_pip)
        monkeypatch.setattr(install.subprocess, "run", self.asked_uv)
        monkeypatch.setattr(install.importlib.util, "find_spec", lambda _name: object())

    def asked_pip(self, *arguments: str, capture: bool = False) -> t.Any:
        self.pip.append(arguments)
        return self.process([], 0, self.listing if capture else None)

    def asked_uv(self, command: list[str], *, env: dict[str, str], check: bool) -> t.Any:
        assert not check
        self.uv.append((command, env))
        return self.process(command, self.code)


def test_uv_gets_pips_settings_and_the_users_own_win(install: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(install, monkeypatch, listing="global.index-url='https://a.example'\nglobal.cert='/ca'")
    assert install.install(["a.txt"], {"UV_DEFAULT_INDEX": "https://own.example", "SSL_CERT_FILE": "/other"}) == 0
    ((command, environment),) = run.uv
    assert command[-2:] == ["--requirement", "a.txt"]
    assert environment == {"UV_DEFAULT_INDEX": "https://own.example", "SSL_CERT_FILE": "/ca"}
    assert not any("a.txt" in asked for asked in run.pip)


@pytest.mark.parametrize(("listing", "uv"), [("", 1), ("global.constraint='x'", 0)])
def test_what_uv_cannot_do_pip_does(
    install: t.Any, monkeypatch: pytest.MonkeyPatch, capsys: t.Any, listing: str, uv: int
) -> None:
    run = Run(install, monkeypatch, listing=listing, uv=uv)
    assert install.install(["a.txt", "b.txt"], {}) == 0
    assert run.pip[-1] == ("install", "--requirement", "a.txt", "--requirement", "b.txt")
    assert len(run.uv) == uv
    assert "uv cannot do it here" in capsys.readouterr().out
