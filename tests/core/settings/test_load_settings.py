"""An administrator writes a configuration; keguan takes it or says in one line each what is wrong."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from keguan.errors import ConfigError
from keguan.settings import ConfigMistakes, Settings, default_text, load_settings, unknown_variables
from keguan.texts import text

ROOT = Path(__file__).parents[3]


def write(folder: Path, content: str | bytes) -> Path:
    file = folder / "config" / "keguan.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def lines(error: ConfigError) -> list[str]:
    return str(error).splitlines()


def load(folder: Path, content: str | bytes, **environ: str) -> Settings:
    return load_settings(write(folder, content), environ)


def refused(folder: Path, content: str | bytes, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, content, **environ)
    return [line.replace(str(folder), "DIR") for line in lines(caught.value)]


# --- Where it is found ------------------------------------------------------------------------------------


def test_the_file_is_looked_for_on_the_command_line_then_in_the_environment_then_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {}
    for name in ("flag", "variable", "here"):
        (tmp_path / name).mkdir()
        files[name] = write(tmp_path / name, f'company.name = "{name}"')
    monkeypatch.chdir(tmp_path / "here")
    environ = {"KEGUAN_CONFIG": str(files["variable"])}
    assert load_settings(files["flag"], environ).company.name == "flag"
    assert load_settings(None, environ).company.name == "variable"
    assert load_settings(None, {}).company.name == "here"


def test_no_configuration_at_all_points_to_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="run `keguan init`"):
        load_settings(None, {})
    with pytest.raises(ConfigError, match=r"elsewhere\.toml"):
        load_settings(Path("elsewhere.toml"), {})


def test_relative_paths_start_at_the_folder_that_holds_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "")
    monkeypatch.chdir(tmp_path / "config")
    settings = load_settings(Path("keguan.toml"), {})
    assert settings.base_dir == tmp_path
    assert settings.database_url() == f"sqlite:///{tmp_path}/var/keguan.db"
    assert settings.database_url(rehearsal=True) == f"sqlite:///{tmp_path}/var/rehearsal.db"
    bare = tmp_path / "my.toml"
    bare.write_text('database.url = "sqlite:////srv/promises.db"')
    assert load_settings(bare, {}).base_dir == tmp_path
    assert load_settings(bare, {}).database_url() == "sqlite:////srv/promises.db"


def test_a_postgresql_rehearsal_needs_a_url_of_its_own(tmp_path: Path) -> None:
    live = 'database.url = "postgresql://keguan@db/live"\n'
    assert load(tmp_path, live).database_url(rehearsal=True) == ""
    both = load(tmp_path, live + 'database.rehearsal_url = "postgresql://keguan@db/rehearsal"')
    assert both.database_url(rehearsal=True) == "postgresql://keguan@db/rehearsal"


# --- The shipped file ---------------------------------------------------------------------------------------


def test_the_shipped_file_loads_and_is_what_init_writes(tmp_path: Path) -> None:
    assert (ROOT / "config" / "keguan.toml").read_text(encoding="utf-8") == default_text()
    settings = load_settings(ROOT / "config" / "keguan.toml", {})
    assert settings.city("shenzhen").name == "深圳"
    assert settings.is_on("sixplustwo")


def test_what_the_shipped_file_shows_behind_a_hash_can_be_switched_on(tmp_path: Path) -> None:
    wanted = []
    for line in default_text().splitlines():
        bare = line.removeprefix("# ")
        is_setting = line.startswith("# ") and (bare.startswith("[") or (" = " in bare and "…" not in line[:60]))
        wanted.append(bare if is_setting else line)
    settings = load(tmp_path, "\n".join(wanted))
    assert settings.adapters_of("email") == ("mail",)
    assert settings.import_.columns == {"业主姓名": "customer"}
    assert settings.plugin("sixplustwo").rest == {"edition": "guide"}
    shown, real = settings.model_dump(), load(tmp_path, default_text()).model_dump()
    for section in ("runner", "limits"):
        assert shown[section] == real[section], "the file shows other defaults than there are"


def test_an_empty_file_is_a_working_configuration(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    assert settings.language == "zh"
    assert settings.adapters_of("sms") == ("file",)
    assert [settings.is_on(name) for name in ("sixplustwo", "supervision", "complaints", "wuhan")] == [
        True,
        True,
        True,
        False,
    ]


# --- The environment and the secrets -------------------------------------------------------------------------


def test_the_environment_wins_over_secret_files_and_both_over_the_file(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "KEGUAN_ADAPTERS__MAIL__PASSWORD").write_text("123456\n")
    (secrets / "KEGUAN_COMPANY__NAME").write_text("from a secret")
    (secrets / "README").write_text("not a setting")
    content = '[company]\nname = "from the file"\nhotline = "1"\n[adapters.mail]\ntype = "smtp"\nport = 25'
    settings = load(tmp_path, content, KEGUAN_COMPANY__HOTLINE="2")
    assert (settings.company.name, settings.company.hotline) == ("from a secret", "2")
    assert settings.adapters["mail"].rest == {"port": 25, "password": "123456"}
    assert load(tmp_path, content, KEGUAN_COMPANY__NAME="from outside").company.name == "from outside"
    assert settings.secret("KEGUAN_ADAPTERS__MAIL__PASSWORD") == "123456"


def test_secrets_show_in_no_repr(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        '[plugins.crm]\nenabled = true\ntoken = "s3cret"\n[adapters.mail]\ntype = "smtp"\npassword = "s3cret"',
        KEGUAN_DATABASE__URL="postgresql://keguan:s3cret@db/keguan",
        KEGUAN_PLUGINS__CRM__KEY="s3cret",
    )
    assert "s3cret" not in repr(settings) + str(settings)
    assert settings.plugin("crm").rest == {"token": "s3cret", "key": "s3cret"}


def test_lists_tables_and_times_come_from_the_environment_too(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        "cities.wuhan = {}",
        KEGUAN_PLUGINS__SIXPLUSTWO__CITIES='["wuhan"]',
        KEGUAN_CITIES__WUHAN__QUIET_HOURS="21:00-08:00",
        KEGUAN_IMPORT__COLUMNS='{"业主": "customer"}',
        KEGUAN_RUNNER__RETRY__FIRST="5",
        KEGUAN_LANGUAGE="en",
    )
    assert settings.plugin("sixplustwo").cities == ("wuhan",)
    assert settings.city("wuhan").quiet_until == time(8)
    assert settings.import_.columns == {"业主": "customer"}
    assert settings.runner.retry.first == 5
    assert settings.language == "en"


def test_a_wrong_key_in_the_environment_is_blamed_on_its_variable(tmp_path: Path) -> None:
    assert refused(tmp_path, "", KEGUAN_COMPANY__NAEM="x", KEGUAN_CITIES='{"wuhan": {"tick": 1}}') == [
        "unknown key 'naem' (KEGUAN_COMPANY__NAEM): did you mean 'name'?",
        "unknown key 'tick' (KEGUAN_CITIES): did you mean 'tick_at'?",
    ]
    assert refused(tmp_path, "", KEGUAN_CITIES__WUHAN="{half") == [
        "the value is not a table (KEGUAN_CITIES__WUHAN): write keys and values below a [heading]"
    ]


def test_variables_that_set_nothing_can_be_listed(tmp_path: Path) -> None:
    environ = {
        "KEGUAN_CONFIG": "x",
        "KEGUAN_DATABSE__URL": "x",
        "KEGUAN_LANGUAGE__ZH": "x",
        "KEGUAN_XYZZY": "x",
        "KEGUAN_COMPANY__NAME": "x",
        "PATH": "x",
    }
    assert [str(error) for error in unknown_variables(environ)] == [
        "unknown variable (KEGUAN_DATABSE__URL): did you mean KEGUAN_DATABASE…?",
        "unknown variable (KEGUAN_LANGUAGE__ZH): did you mean KEGUAN_LANGUAGE…?",
        "unknown variable (KEGUAN_XYZZY): remove it",
    ]


# --- Every kind of mistake --------------------------------------------------------------------------------------

MISTAKES = [
    ("[compny]", "unknown key 'compny' (DIR/config/keguan.toml: compny): did you mean 'company'?"),
    (
        "[cities.wuhan]\nquite_hours = '1'",
        "unknown key 'quite_hours' (DIR/config/keguan.toml: cities.wuhan.quite_hours): did you mean 'quiet_hours'?",
    ),
    (
        "[log]\nxyzzy = 1",
        "unknown key 'xyzzy' (DIR/config/keguan.toml: log.xyzzy): remove it; "
        "known here: file, format, keep, level, max_mb",
    ),
    ("[import]\ncolumn = {}", "unknown key 'column' (DIR/config/keguan.toml: import.column): did you mean 'columns'?"),
    ("language = 'de'", "the value is not one of those possible (DIR/config/keguan.toml: language): write 'zh', 'en'"),
    ("company.name = 5", "the value is not a text (DIR/config/keguan.toml: company.name): put it in quotes"),
    (
        "company = 5",
        "the value is not a table (DIR/config/keguan.toml: company): write keys and values below a [heading]",
    ),
    (
        "plugins.x.enabled = 'perhaps'",
        "the value is neither true nor false (DIR/config/keguan.toml: plugins.x.enabled): write true or false",
    ),
    (
        "plugins.x.cities = 'wuhan'",
        'the value is not a list (DIR/config/keguan.toml: plugins.x.cities): write ["…", "…"], in the environment too',
    ),
    (
        "runner.catch_up_days = 'many'",
        "the value is not a whole number (DIR/config/keguan.toml: runner.catch_up_days): "
        "write a whole number without quotes",
    ),
    (
        "runner.hook_timeout = 0",
        "the value is too small (DIR/config/keguan.toml: runner.hook_timeout): the limit is 0.0",
    ),
    ("runner.stop_within = 60", "the value is too big (DIR/config/keguan.toml: runner.stop_within): the limit is 20.0"),
    ("adapters.mail.host = 'x'", "the key 'type' is missing (DIR/config/keguan.toml: adapters.mail.type): add it"),
    (
        "cities.'Wu Han'.name = 'x'",
        "'Wu Han' cannot be a name (DIR/config/keguan.toml: cities.Wu Han): "
        "use small letters, digits and single underscores, a letter first",
    ),
    (
        "cities.wuhan.time_zone = 'Asia/Shangai'",
        "unknown time zone 'Asia/Shangai' (DIR/config/keguan.toml: cities.wuhan.time_zone): "
        "did you mean 'Asia/Shanghai'?",
    ),
    (
        "cities.wuhan.quiet_hours = '8pm'",
        "'8pm' is not a span of time (DIR/config/keguan.toml: cities.wuhan.quiet_hours): "
        'write "HH:MM-HH:MM", such as "20:00-09:00"',
    ),
    (
        "cities.wuhan.tick_at = 6",
        '\'6\' is not a time of day (DIR/config/keguan.toml: cities.wuhan.tick_at): write "HH:MM", such as "09:30"',
    ),
    (
        "cities.wuhan.tick_at = '25:00'",
        '\'25:00\' is not a time of day (DIR/config/keguan.toml: cities.wuhan.tick_at): write "HH:MM", such as "09:30"',
    ),
    (
        "company.office_hours = ['18:00-09:00']",
        "office hours end before they start (DIR/config/keguan.toml: company.office_hours): "
        "write the earlier time first",
    ),
    (
        "company.office_hours = ['09:00-13:00', '12:00-18:00']",
        "office hours overlap (DIR/config/keguan.toml: company.office_hours): part them",
    ),
    (
        "company.office_hours = []",
        "'[]' are not office hours (DIR/config/keguan.toml: company.office_hours): "
        'write ["09:00-12:00", "13:30-18:00"]',
    ),
    (
        "company.work_week = ['mon', 'tru']",
        "'tru' is not a weekday (DIR/config/keguan.toml: company.work_week): "
        "write a list of mon, tue, wed, thu, fri, sat, sun",
    ),
    (
        "company.holidays = ['2026-02-30']",
        "'2026-02-30' is not a date (DIR/config/keguan.toml: company.holidays): "
        'write [2026-04-03], or { 2026-04-03 = "what the day is called" }',
    ),
    (
        "database.url = 'mysql://x:pw@y/z'",
        "unknown kind of database 'mysql' (DIR/config/keguan.toml: database.url): "
        "write sqlite:///var/keguan.db or postgresql://user@host/name",
    ),
    (
        "database.url = 'sqlite:///:memory:'",
        "the database has no file (DIR/config/keguan.toml: database.url): write sqlite:///var/keguan.db",
    ),
    (
        "plugins.sixplustwo.cities = ['wuhn']\ncities.wuhan = {}",
        "unknown city 'wuhn' (DIR/config/keguan.toml: plugins.sixplustwo.cities): did you mean 'wuhan'?",
    ),
    (
        "plugins.sixplustwo.except_cities = ['武汉']\ncities.wuhan.name = '武汉'",
        "unknown city '武汉' (DIR/config/keguan.toml: plugins.sixplustwo.except_cities): did you mean 'wuhan'?",
    ),
    (
        "plugins.sixplustwo.cities = ['wuhan']",
        "unknown city 'wuhan' (DIR/config/keguan.toml: plugins.sixplustwo.cities): add [cities.KEY] for it; known: –",
    ),
    (
        "plugins.x.cities = []\nplugins.x.except_cities = []",
        "both cities and except_cities (DIR/config/keguan.toml: plugins.x): keep one of the two",
    ),
    (
        "cities.a.aliases = ['武汉']\ncities.b.name = '武汉'",
        "'武汉' names two cities, here and 'a' (DIR/config/keguan.toml: cities.b): keep it in one of them",
    ),
    (
        "channels.email = ['mial']\nadapters.mail.type = 'smtp'",
        "unknown adapter 'mial' (DIR/config/keguan.toml: channels.email): did you mean 'mail'?",
    ),
    (
        "channels.email = ['mail']",
        "unknown adapter 'mail' (DIR/config/keguan.toml: channels.email): add [adapters.NAME] for it; known: file",
    ),
    (
        "channels.email = ['file', 'file']",
        "an adapter stands twice in the list (DIR/config/keguan.toml: channels.email): name each once",
    ),
    (
        "adapters.file.type = 'smtp'",
        "the name 'file' belongs to the built-in adapter (DIR/config/keguan.toml: adapters.file.type): "
        "choose another name",
    ),
    (
        "channels.email = ['mail']\nadapters.mail.type = 'smtp'",
        "the company has no name, but messages leave through 'mail' (DIR/config/keguan.toml: company.name): "
        "write its name",
    ),
    (
        "[company\nname = 'x'",
        "not TOML, Expected ']' at the end of a table declaration (DIR/config/keguan.toml, line 1): "
        "correct that line; texts stand in quotes",
    ),
    (
        "a = 1\nname = 云璟地产\n",
        "not TOML, Invalid value (DIR/config/keguan.toml, line 2): correct that line; texts stand in quotes",
    ),
    (
        "[company]\n[company]",
        "not TOML, Cannot declare ('company',) twice (DIR/config/keguan.toml, line 2): "
        "correct that line; texts stand in quotes",
    ),
    ("name = '云'".encode("gb18030"), "the file is not UTF-8 (DIR/config/keguan.toml): save it as UTF-8"),
]


@pytest.mark.parametrize(("content", "line"), MISTAKES, ids=[str(case[0])[:40] for case in MISTAKES])
def test_each_kind_of_mistake_is_one_line_that_says_how_to_mend_it(
    tmp_path: Path, content: str | bytes, line: str
) -> None:
    assert refused(tmp_path, content) == [line]


def test_several_mistakes_are_several_lines_in_both_languages(tmp_path: Path) -> None:
    with pytest.raises(ConfigMistakes) as caught:
        load(tmp_path, "languag = 'en'\ncompany.hotlin = 1\nrunner.lease = 'x'")
    assert len(lines(caught.value)) == 3
    chinese = [text("zh", error.key, **error.values) for error in caught.value.mistakes]
    assert any(line.endswith("：是否想写 'language'？") for line in chinese)


def test_a_byte_order_mark_from_a_windows_editor_does_no_harm(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbf" + 'company.name = "云璟地产"'.encode()).company.name == "云璟地产"


# --- What the rest of keguan reads --------------------------------------------------------------------------------


def test_a_city_is_known_by_key_name_and_alias_and_an_unknown_one_gets_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, "[cities.wuhan]\nname = '武汉'\naliases = ['武汉市']\nquiet_hours = '２１：００–8:00'")
    assert [settings.city_key(name) for name in ("wuhan", "Wuhan", " 武汉 ", "武汉市", "长沙")] == [
        "wuhan",
        "wuhan",
        "wuhan",
        "wuhan",
        None,
    ]
    assert settings.city("wuhan").quiet_from == time(21)
    unknown = settings.city("changsha")
    assert (unknown.name, unknown.zone.key, unknown.quiet_from) == ("changsha", "Asia/Shanghai", time(20))
    assert list(settings.city_cards()) == ["wuhan"]


def test_a_citys_working_time_goes_before_the_companys(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        [company]
        work_week = ["mon", "tue", "wed", "thu", "fri", "sat"]
        holidays = { 2026-06-01 = "司庆", 2026-06-02 = "司庆" }
        [cities.nanning]
        office_hours = ["14:00-18:00", "09:00-12:00"]
        holidays = [2026-04-20]
        workdays = [2026-06-02]
        """,
    )
    rules = settings.work_rules("nanning")
    assert rules.office_hours == ((time(9), time(12)), (time(14), time(18)))
    assert rules.work_week == frozenset(range(6))
    assert set(rules.holidays) == {date(2026, 4, 20), date(2026, 6, 1)}
    assert set(rules.workdays) == {date(2026, 6, 2)}
    assert settings.work_rules("elsewhere").office_hours == ((time(9), time(18)),)
    assert load(tmp_path, "").work_rules("elsewhere").work_week == frozenset(range(5))


def test_the_signature_is_the_company_name_unless_given(tmp_path: Path) -> None:
    assert load(tmp_path, "company.name = '云璟地产'").company_card().signature == "云璟地产"
    assert load(tmp_path, "company = {name = '云璟地产', signature = '云璟'}").company_card().signature == "云璟"


def test_looking_at_the_settings_package_does_not_import_pydantic() -> None:
    import subprocess
    import sys

    code = "import keguan.settings, sys; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("section", ["adapters", "mailboxes"])
def test_a_secret_of_a_table_that_is_gone_is_named_and_not_the_table(tmp_path: Path, section: str) -> None:
    file = tmp_path / "config" / "keguan.toml"
    file.parent.mkdir()
    file.write_text('language = "en"\n', encoding="utf-8")
    secret = f"KEGUAN_{section.upper()}__SALES__PASSWORD"
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / secret).write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(file, {})
    assert caught.value.key == "config.secret_without_table"
    assert caught.value.values["where"] == secret
    assert caught.value.values["table"] == f"[{section}.sales]"


def test_an_adapter_may_come_from_the_environment_alone(tmp_path: Path) -> None:
    file = tmp_path / "config" / "keguan.toml"
    file.parent.mkdir()
    file.write_text('language = "en"\n[company]\nname = "x"\n', encoding="utf-8")
    assert load_settings(file, {"KEGUAN_ADAPTERS__MAIL__TYPE": "file"}).adapters["mail"].type == "file"
