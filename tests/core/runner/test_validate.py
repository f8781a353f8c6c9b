"""What the child process finds wrong with a changed configuration: each kind of mistake, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from keguan.runner.validate import main, problems_of

GOOD = """
[company]
name = "Cloud Estates"

[database]
url = "sqlite:///var/keguan.db"

[plugins.sixplustwo]
enabled = true
"""
MAIL = """
[channels]
email = ["mail"]

[adapters.mail]
type = "smtp"
host = "mail.example.com"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config" / "keguan.toml"
    file.parent.mkdir()
    file.write_text(GOOD)
    return file


def test_a_good_configuration_has_no_problem_and_the_database_is_not_touched(config: Path, tmp_path: Path) -> None:
    assert list(problems_of(config)) == []
    assert not (tmp_path / "var").exists()


@pytest.mark.bad_day
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[[", "keguan.toml"),
        (f'langauge = "en"\n{GOOD}', "language"),
        (f"{GOOD}\n[limits]\nper_day = -1\n", "limits.per_day"),
        (f"{GOOD}\n[import]\ncolumns = 3\n", "import.columns"),
        (f"{GOOD}\n[plugins.sixplusttwo]\nenabled = true\n", "sixplustwo"),
        (GOOD.replace("enabled = true", 'colour = "red"'), "plugins.sixplustwo.colour"),
        (f'{GOOD}\n[adapters.mail]\ntype = "smpt"\n', "smtp"),
        (f"{GOOD}{MAIL}prot = 25\n", "port"),
        (f'{GOOD}{MAIL}ca_file = "no.pem"\n', "no.pem"),
        (f'{GOOD}\n[channels]\nemail = ["post"]\n', "post"),
        (f'{GOOD}\n[cities.wuhan]\ntime_zone = "Asia/Wuhan"\n', "time_zone"),
        (GOOD.replace("sqlite:///var/keguan.db", "mysql://localhost/keguan"), "database"),
        (GOOD.replace("sqlite:///var/keguan.db", "postgresql://nobody@127.0.0.1:1/none"), "127.0.0.1"),
        (GOOD.replace("var/keguan.db", "config/keguan.toml"), "keguan.toml"),
    ],
)
def test_each_kind_of_mistake_is_one_line_that_names_it(
    config: Path, capfd: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    config.write_text(text)
    assert main([str(config), "en"]) != 0
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert said in lines[0]


def test_several_mistakes_are_several_lines(config: Path) -> None:
    config.write_text(f'{GOOD}\n[limits]\nper_day = -1\nper_week = "x"\n')
    assert len(list(problems_of(config))) == 2


def test_a_template_of_the_company_that_is_wrong_is_named(config: Path) -> None:
    own = config.parent / "templates" / "sixplustwo" / "zh" / "congratulation.sms.j2"
    own.parent.mkdir(parents=True)
    own.write_text("{{ broken")
    assert [Path(str(problem.values["file"])) for problem in problems_of(config)] == [own]


def test_a_file_that_is_gone_is_a_mistake(config: Path) -> None:
    config.unlink()
    assert [problem.key for problem in problems_of(config)] == ["config.not_a_file"]
