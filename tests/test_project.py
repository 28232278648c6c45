"""Facts about the project's own files."""

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import sklearn_speech

ROOT = Path(__file__).parents[1]


def _commands():
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    return [block.strip() for block in blocks[:2]]


def test_readme_begins_with_two_commands_of_one_line_that_set_everything_up():
    for command in _commands():
        assert "\n" not in command
        assert "-m venv .venv" in command
        assert "-c constraints.txt" in command


def test_the_first_command_runs_the_main_job_and_the_second_the_tests():
    main_job, tests = _commands()
    assert main_job.endswith("examples/plot_01_held_out_speakers.py")
    assert (ROOT / "examples" / "plot_01_held_out_speakers.py").is_file()
    assert "pytest" in tests


def test_constraints_pin_every_dependency_and_pyproject_leaves_upper_bounds_open():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["plot"] + extras["docs"] + extras["test"]
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    )
    pinned = {re.sub(r"[-_.]+", "-", name).lower() for name in pins}
    assert pins["torch"] == "2.13.0"
    wanted.remove("moonshine-voice>=0.0.44,<0.1")  # later versions carry no weights
    assert "moonshine-voice" in pinned
    for requirement in wanted:
        name, _ = re.split(r"[<>=]", requirement, maxsplit=1)
        assert name.lower() in pinned, f"{name} is not in constraints.txt"
        assert "<" not in requirement and "==" not in requirement


def test_the_lowest_versions_are_those_that_pyproject_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    tools = [tool for tool in project["optional-dependencies"]["test"] if tool.startswith("pytest")]
    for requirement in project["dependencies"] + tools:
        name, lowest = requirement.split(">=")
        if name != "torch":  # older builds for the CPU alone are not on the package index
            assert pins[name][: len(lowest)] == lowest, name
    assert len(pins) == len(project["dependencies"]) + len(tools)


def test_version_is_that_of_the_metadata():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert sklearn_speech.__version__ == project["version"]
    assert f"version: {project['version']}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"version = {{{project['version']}}}" in (ROOT / "docs" / "citing.rst").read_text()


def test_readme_is_short_enough_to_be_read():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_figures_in_readme_are_those_of_the_stored_reports():
    place = importlib.util.spec_from_file_location("report", ROOT / "benchmarks" / "report.py")
    report = importlib.util.module_from_spec(place)
    place.loader.exec_module(report)
    stored = {path.stem: json.loads(path.read_text()) for path in report.RESULTS.glob("*.json")}
    text = (ROOT / "README.md").read_text()
    assert "<!-- report " in text
    assert report.quote(text, stored) == text
    other = {
        name: {**one, "tables": {"": [{**row, "mean": "9.9"} for row in rows]}}
        for name, one in stored.items()
        for rows in [next(iter(one["tables"].values()))]
    }
    assert report.quote(text, other) != text


def test_readme_names_files_that_exist_and_links_to_none_of_them():
    text = (ROOT / "README.md").read_text()
    # a package index shows this file without the repository around it
    links = re.findall(r"(?<!!)\[[^]]*\]\(([^)]+)\)", text)
    assert links
    assert all(target.startswith("https://") for target in links)
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    named = re.findall(r"`([\w/.-]+\.(?:md|py|cff|rst))`|`(docs|examples)(?:/\w+)?`", text)
    assert pictures and named
    for target in [*pictures, *(file or folder for file, folder in named)]:
        assert (ROOT / target).exists(), target
