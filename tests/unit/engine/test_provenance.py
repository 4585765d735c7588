from __future__ import annotations

from runner.channels.options import ChannelOptions
from runner.engine import config
from runner.engine.provenance import rows, shown
from runner.options import Unset


def test_what_a_variable_filled_in_is_shown_as_the_file_has_it(tmp_path) -> None:
    path = tmp_path / "runner.yaml"
    path.write_text("""
notifications:
  hook: {kind: webhook, url: 'https://hooks.example/x', template: {routing_key: '${PAGER}', more: '${NOWHERE}'}}
  mail:
    kind: email
    smtp_server: mx.example
    from: a@example.org
    to: ['${PAGER}', b@example.org]
    username: '${PAGER}'
""")
    found = config.load(str(path), None, {"PAGER": "hush"}, config_keys())
    value = found.values["notifications"][0]
    assert value["hook"]["template"]["routing_key"] == "hush" and value["mail"]["to"] == ["hush", "b@example.org"]
    assert isinstance(value["hook"]["template"]["more"], Unset)
    text = str(shown(ChannelOptions.declared["notifications"], value))
    assert "hush" not in text and text.count("${PAGER}") == 3 and "${NOWHERE}" in text


def test_a_value_is_told_with_where_it_comes_from() -> None:
    row = next(row for row in rows([ChannelOptions(slack_webhook="https://hooks.slack.com/services/T/B/x")])
               if row["option"] == "--slack-webhook")  # fmt: skip
    assert row["variable"] == "RUNNER_SLACK_WEBHOOK" and "T/B/x" not in str(row["value"])


def config_keys():
    from runner.cli.features import known_keys

    return known_keys
