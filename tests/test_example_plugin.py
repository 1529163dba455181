"""A stranger's plugin, installed as a distribution of its own, in a fund that enables it."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from command import call

import allocator
from allocator.errors import InputError, PluginError
from allocator.extension.fingerprints import fingerprint
from allocator.extension.registry import installed_plugins, load_registry
from allocator.report.versions import versions_of
from allocator.testing import Outcome, conformance

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "plugins" / "house_esg"
FUND = EXAMPLE / "fund.yaml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the distribution into a folder of its own."""
    folder = tmp_path_factory.mktemp("house")
    source = shutil.copytree(EXAMPLE, folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    command += ["--no-deps", "--no-build-isolation", "--target", str(folder / "site"), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "house_esg"]:
        del sys.modules[name]


def test_the_fund_runs_under_the_rule_and_the_tilt(installed: None) -> None:
    result = allocator.load(FUND).optimize().value
    assert result.solution.status == "optimal"
    scores = result.inputs.assets["esg_score"].to_numpy(dtype=float)
    rated = ~np.isnan(scores)
    average = scores[rated] @ result.holdings[rated] / result.holdings[rated].sum()
    assert average >= 62.0 - 1e-6
    held = scores[rated] @ result.model.space.current[rated] / result.model.space.current[rated].sum()
    assert held < 62.0, "the rule must have something to do"
    (price, _) = result.tilts
    assert price.name == "low_carbon"
    assert price.score_after > price.score_untilted + 1e-3
    assert {term.name for term in result.model.terms} >= {"esg_floor"}


def test_nothing_loads_it_unless_a_fund_file_says_so(installed: None) -> None:
    (info,) = [info for info in installed_plugins() if info.name == "house_esg"]
    assert (info.distribution, info.version, info.first_party) == ("house-esg", "1.2.0", False)
    assert "house_esg" not in load_registry().names
    allocator.load(EXAMPLE.parents[1] / "first_fund" / "fund.yaml")
    assert "house_esg" not in sys.modules
    with pytest.raises(InputError, match=r"esg_score|esg_floor"):
        allocator.load(FUND, ["plugins.enable=[]"]).optimize()
    assert "house_esg" not in sys.modules


def test_the_list_shows_it_without_running_it(installed: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("plugins", "list", "--json") == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["plugins"]}
    shown = entries["house_esg"]
    assert (shown["distribution"], shown["version"], shown["requires_api"]) == ("house-esg", "1.2.0", "1")
    assert shown["hooks"] == ["allocator_constraints", "allocator_tables", "allocator_tilts"]
    assert not shown["enabled"]
    assert len(shown["sha256"]) == 64
    assert entries["limits"]["requires_api"] == "1"
    assert "house_esg" not in sys.modules


def test_a_pinned_plugin_loads_only_with_the_very_files(
    site: Path, installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (info,) = [info for info in installed_plugins() if info.name == "house_esg"]
    assert info.entry_point.dist is not None
    pinned = fingerprint(info.entry_point.dist, info.module)
    assert pinned is not None
    assert allocator.load(FUND, [f"plugins.pin.house_esg={pinned}"]).settings.plugins.pin == {"house_esg": pinned}
    with pytest.raises(PluginError, match="plugins.pin.house_esg: the plugin's files are not the pinned ones"):
        allocator.load(FUND, [f"plugins.pin.house_esg={'0' * 64}"])
    shutil.copytree(site, tmp_path / "site", ignore=shutil.ignore_patterns("__pycache__"))
    tilt = tmp_path / "site" / "house_esg" / "tilt.py"
    tilt.write_text(tilt.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(site)])
    with pytest.raises(PluginError, match=pinned):
        allocator.load(FUND, [f"plugins.pin.house_esg={pinned}"])


def test_a_run_says_which_release_of_an_enabled_plugin_it_comes_from(installed: None) -> None:
    (info,) = [info for info in installed_plugins() if info.name == "house_esg"]
    held = info.entry_point.dist
    assert held is not None
    told = versions_of(("house_esg",))["plugin house_esg"]
    version, hashed = told.split()
    whole = fingerprint(held, info.module)
    assert version == held.version and whole is not None and whole.startswith(hashed) and len(hashed) == 12
    assert "plugin house_esg" not in versions_of()


def test_a_pin_is_a_hash_of_a_plugin_that_is_installed() -> None:
    with pytest.raises(InputError, match="plugins.pin"):
        allocator.load(EXAMPLE.parents[1] / "first_fund" / "fund.yaml", ["plugins.pin.limits=abc"])
    with pytest.raises(InputError, match="plugins.pin.*no_such"):
        load_registry(pin={"no_such": "0" * 64})


def test_it_conforms_and_the_report_says_so(installed: None, capsys: pytest.CaptureFixture[str]) -> None:
    findings = conformance("house_esg")
    assert [finding for finding in findings if finding.outcome is not Outcome.PASSED] == []
    assert call("plugins", "check", "house_esg", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["plugin"], report["status"]) == ("house_esg", "conforms")
    assert len(report["findings"]) == len(findings)
    assert call("plugins", "check", "house_esg", "--lang", "zh") == 0
    assert "house_esg 符合约定" in capsys.readouterr().out


def test_a_plugin_that_does_not_conform_ends_with_two(
    site: Path, installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(site, tmp_path / "site", ignore=shutil.ignore_patterns("__pycache__"))
    limit = tmp_path / "site" / "house_esg" / "limit.py"
    text = limit.read_text(encoding="utf-8")
    assert text.count("Sense.AT_LEAST") == 1
    limit.write_text(text.replace("np.array([context.space.total])", "np.array([context.inputs.unit])"), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(site)])
    importlib.invalidate_caches()
    assert call("plugins", "check", "house_esg", "--lang", "en") == 2
    assert "the left side changes with fund.unit" in " ".join(capsys.readouterr().out.split())


def test_a_plugin_that_is_not_installed_cannot_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("plugins", "check", "no_such_plugin") == 2
    assert "no such plugin is installed" in capsys.readouterr().err
